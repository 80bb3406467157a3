"""A clock that stands still until it is told to go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""A Tuesday, far from the ends of its day and month."""


class FakeClock:
    """The Clock port, frozen."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now

    def now(self) -> datetime:
        """The time it was set to, aware and UTC."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move on and return the new time; ValueError for going back."""
        if by < timedelta(0):
            raise ValueError("time does not go back")
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Move to an aware UTC moment, before or after."""
        self._now = to
