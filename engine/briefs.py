"""What is owed of the daily report: which day it is about, when it is due, and to whom it has to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

from engine.channels import Channel

MAIL = "mail"
"""The destination that is all receivers of MAIL_TO: one message."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reporting:
    """When the report of a day comes, by the clock of a zone, and in which channels."""

    hour: int = 8
    zone: tzinfo = UTC
    channels: tuple[Channel, ...] = ()

    def moment(self, day: date) -> datetime:
        """When the report about a UTC day is due: at the hour of the next day, not before it is over.

        An hour that the clock skips comes where it would have; one that comes twice counts once, the first.
        """
        morning = datetime.combine(day + ONE_DAY, time(self.hour), self.zone).astimezone(UTC)
        return max(morning, datetime.combine(day + ONE_DAY, time(), UTC))

    def day(self, now: datetime) -> date:
        """The newest day whose report is due."""
        day = now.astimezone(UTC).date() + ONE_DAY
        while self.moment(day) > now:
            day -= ONE_DAY
        return day


@dataclass(frozen=True, slots=True)
class Brief:
    """The report of a day on its way to somebody; `attempts` counts earlier tries."""

    day: date
    destination: str
    attempts: int


class BriefsTx(Protocol):
    """Reports owed: each once for a day and destination, under a lease."""

    def owe_briefs(self, day: date, destinations: Sequence[str], now: datetime) -> None:
        """Owe that of a day to each, once; those of earlier days are owed no more."""
        ...

    def claim_brief(self, now: datetime, lease_until: datetime, destinations: Sequence[str]) -> Brief | None:
        """Take one that is due to any of these."""
        ...

    def brief_sent(self, brief: Brief) -> None:
        """It was sent."""
        ...

    def brief_later(self, brief: Brief, due: datetime, error: str) -> None:
        """Try again then."""
        ...

    def brief_refused(self, brief: Brief, error: str) -> None:
        """It will never be taken."""
        ...

    def forget_briefs(self, before: date) -> None:
        """Know no more of those of earlier days."""
        ...
