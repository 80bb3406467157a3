"""What the operator has to be told: each thing once, in words without anybody's content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.domain import Person


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


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Alerts that one operator is told in one message, oldest first; `id` names that message for ever.

    A second try tells the same alerts, so that a message which got through is known by its id.
    """

    id: str
    person: Person
    alerts: tuple[Alert, ...]
    attempts: int = 0
    locale: str | None = None

    @property
    def since(self) -> datetime:
        """A moment before which it was not sent."""
        return min(alert.at for alert in self.alerts)


class Herald(Protocol):
    """Tells an operator things unasked, on one platform."""

    async def tell(self, bulletin: Bulletin, *, again: bool) -> None:
        """Show a bulletin privately to its person; `again` and errors as for `engine.ports.Messenger`."""
        ...


class AlertsTx(Protocol):
    """Alerts owed to the operator: owed once, claimed under a lease, told or dropped."""

    def raise_alert(self, alert: Alert) -> bool:
        """Owe it; False if one with that key was raised before."""
        ...

    def address_alerts(self, people: Sequence[Person], now: datetime, limit: int) -> Sequence[Alert]:
        """Take alerts that nobody took before, oldest first; from now on each is owed to each of these."""
        ...

    def claim_bulletin(
        self, now: datetime, lease_until: datetime, platforms: Sequence[str], limit: int
    ) -> Bulletin | None:
        """Take what is due for one person of these platforms, at most `limit` alerts.

        One whose lease ran out is taken again as it was, before a new one is put together for its person;
        `attempts` counts earlier claims.
        """
        ...

    def bulletin_told(self, bulletin: str) -> None:
        """It was shown."""
        ...

    def bulletin_later(self, bulletin: str, due: datetime) -> None:
        """Try again then."""
        ...

    def drop_bulletin(self, bulletin: str) -> None:
        """Its person cannot be told."""
        ...

    def forget_alerts(self, stale: datetime, old: datetime) -> None:
        """Tell nobody what was raised before `stale`; know no more of what was raised before `old`."""
        ...
