"""Streamed text to few enough writes: waits until a channel's turn has come."""

from __future__ import annotations

import asyncio
from math import inf
from types import TracebackType
from typing import Self

from bot.timetable import Kind, Pace, Timetable, Wish

__all__ = ["Kind", "Pace", "Pacing", "Turn"]
A_LITTLE = 1.0
"""Seconds to rest when a platform is busy and does not say for how long."""


class Pacing:
    """Hands out the turns of a process's channels (`Timetable`).

    What is written in a turn is chosen when it comes, so nothing stale ever waits for one.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self._table = Timetable(pace)
        self._waiting: dict[Wish, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def turn(self, channel: str, kind: Kind, wait: float = 0.0, *, posts: bool = False) -> Turn:
        """Wait for a turn from now on, at least `wait` seconds; it begins when it is entered.

        `posts`: a new message will be written, which platforms count apart from edits.
        """
        loop = asyncio.get_running_loop()
        wish = self._table.wish(channel, kind, loop.time() + wait, posts=posts)
        granted = self._waiting[wish] = loop.create_future()
        self._look()
        return Turn(self, wish, granted)

    def refused(self, channel: str, seconds: float | None) -> None:
        """The platform took no write in a channel, and said how long to wait, or did not."""
        seconds = A_LITTLE if seconds is None else seconds
        self._table.refused(channel, asyncio.get_running_loop().time(), seconds)

    def refused_everywhere(self, seconds: float) -> None:
        """The platform took a write nowhere, and said how long to wait."""
        self._table.refused_everywhere(asyncio.get_running_loop().time(), seconds)

    def learned(self, channel: str, left: int, seconds: float, *, posts: bool) -> None:
        """The platform said how many writes of a kind it still takes in a channel within so many seconds."""
        self._table.learned(channel, asyncio.get_running_loop().time(), left, seconds, posts=posts)

    def hasten(self, wish: Wish, kind: Kind, wait: float) -> None:
        """See `Turn.hasten`."""
        self._table.hasten(wish, kind, asyncio.get_running_loop().time() + wait)
        self._look()

    def over(self, wish: Wish) -> None:
        """A turn is over, or nobody waits for it any more."""
        self._waiting.pop(wish, None)
        self._table.withdraw(wish, asyncio.get_running_loop().time())
        self._look()

    def _look(self) -> None:
        """Begin what is due, and look again when more will be."""
        loop = asyncio.get_running_loop()
        for wish in self._table.due(loop.time()):
            granted = self._waiting.pop(wish)
            if not granted.done():  # whoever was cancelled withdraws when it comes to that
                granted.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        at = self._table.next()
        self._timer = loop.call_at(at, self._look) if at < inf else None


class Turn:
    """A context that is entered when a channel's turn has come, and within which one write is made."""

    def __init__(self, pacing: Pacing, wish: Wish, granted: asyncio.Future[None]) -> None:
        self._pacing = pacing
        self._wish = wish
        self._granted = granted

    def hasten(self, kind: Kind, wait: float = 0.0) -> None:
        """Something more urgent will be written: wait as that does, at least `wait` seconds from now."""
        if not self._granted.done():
            self._pacing.hasten(self._wish, kind, wait)

    async def __aenter__(self) -> Self:
        """Wait for the turn."""
        try:
            await self._granted
        except asyncio.CancelledError:
            self._pacing.over(self._wish)
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let the next one have its turn."""
        self._pacing.over(self._wish)
