"""A clock that tests move by hand; it starts at the real time, since counterparties sign by that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class HandClock:
    """Fulfils the Clock port."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The real time and what it was moved by."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._ahead += by
