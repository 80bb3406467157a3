"""How the whole house stands at one moment, as far as the database knows: what waits, and what is stuck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from engine.domain import Scope


@dataclass(frozen=True, slots=True)
class Vitals:
    """Counts over all processes."""

    held_turns: int
    """Answers being written, or lost with their process and not yet let go."""
    backlog: int
    """Customers to be read from Stripe."""
    waiting: timedelta
    """Since when the oldest of them is due; zero if none is."""
    dead_letters: int
    notices_owed: int
    alerts_owed: int
    circuits_open: int
    """Models that are left alone."""
    ceilings: Mapping[Scope, float] = field(default_factory=lambda: MappingProxyType({}))
    """Which part of each of the operator's ceilings is spent in its period."""


class VitalsTx(Protocol):
    """Reads them."""

    def vitals(self, now: datetime) -> Vitals:
        """As they are in this moment; quick however much there is."""
        ...
