"""A clock that stands still until the story goes on."""

from __future__ import annotations

from datetime import datetime, timedelta


class PlayedClock:
    """The Clock port, moved by hand and forward only."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """The time as an aware UTC datetime."""
        return self._now

    def reach(self, moment: datetime) -> None:
        """Move on to that moment, if it has not passed."""
        self._now = max(self._now, moment)

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now += timedelta(seconds=seconds)
