"""What the operator lets vendors charge: for the whole bot, for one vendor, and for all who pay nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.domain import Micros


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Micro-dollars of vendor cost; None and a vendor that is not named are without limit."""

    bot_month: Micros | None = None
    """All that vendors charge in a UTC month."""
    free_day: Micros | None = None
    """What all free members together may cost in a UTC day."""
    vendor_day: Mapping[str, Micros] = field(default_factory=lambda: MappingProxyType({}))
    """What each vendor, by its name in config.toml, may charge in a UTC day."""


NO_CEILINGS = Ceilings()
