"""What the operator has to be told: each thing once, in words without anybody's content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class AlertKind(StrEnum):
    """What may need the operator."""

    CEILING_NEAR = "ceiling_near"
    """80 % of a ceiling is spent."""
    CEILING_REACHED = "ceiling_reached"
    VENDOR_DOWN = "vendor_down"
    VENDOR_BACK = "vendor_back"
    VENDOR_BROKEN = "vendor_broken"
    """A vendor refuses our key, a model's id, or what we send: only the operator can mend it."""
    CONFIG_REFUSED = "config_refused"


@dataclass(frozen=True, slots=True)
class Alert:
    """`key` is unique, so that a thing is told once; `subject` is what it is about (a ceiling, a model)."""

    key: str
    kind: AlertKind
    subject: str
    at: datetime
    detail: str = ""
    """More for whoever mends it; never what a member wrote, nor a key."""


class AlertsTx(Protocol):
    """Alerts owed to the operator."""

    def raise_alert(self, alert: Alert) -> bool:
        """Owe it; False if one with that key was raised before."""
        ...
