"""What is counted and timed while we run, for whoever watches machines; names and figures, never content."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from engine.domain import RefusalReason, TierName
from engine.turns import Settlement


class Meter(Protocol):
    """Counts; every call is quick and cannot fail. May be called from any thread."""

    def admitted(self, turns: int) -> None:
        """So many answers to one question may begin."""
        ...

    def refused(self, reason: RefusalReason, tier: TierName) -> None:
        """A question was refused."""
        ...

    def repeated(self) -> None:
        """A question came that was taken before."""
        ...

    def answered(self, settlement: Settlement, first_word: timedelta | None, took: timedelta) -> None:
        """An answer came to its end; both times are from the admission on."""
        ...

    def failed(self, model: str, error: str) -> None:
        """A request to a model failed, in the way that the error's class names."""
        ...

    def transacted(self, kind: str, seconds: float, *, done: bool) -> None:
        """A unit of work, `read` or `write`, was done or not, its wait for a connection included."""
        ...


class Unmetered:
    """Nobody watches."""

    def admitted(self, turns: int) -> None:
        """Not counted."""

    def refused(self, reason: RefusalReason, tier: TierName) -> None:
        """Not counted."""

    def repeated(self) -> None:
        """Not counted."""

    def answered(self, settlement: Settlement, first_word: timedelta | None, took: timedelta) -> None:
        """Not counted."""

    def failed(self, model: str, error: str) -> None:
        """Not counted."""

    def transacted(self, kind: str, seconds: float, *, done: bool) -> None:
        """Not counted."""
