"""Work that nobody waits for, owned all the same: guarded, and ended with its surface."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot import render
from bot.reply import Reply
from engine.errors import GoneError, OutsideError, TryAgainError

log = logging.getLogger("bot")

GRACE_SECONDS = 5.0
"""How long last texts and replies may still take when a surface stops."""


class Errands:
    """Everything that is being done for members at the moment."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished = False

    def begin(self, work: Callable[[], Awaitable[None]], show: Callable[[Reply], Awaitable[None]]) -> None:
        """Begin some work; if it fails unforeseen, `show` says so. TryAgainError: the surface has stopped."""
        if self._finished:
            raise TryAgainError("the surface has stopped")
        task = asyncio.create_task(_guarded(work, show))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Take nothing more, let what is under way end, then end it."""
        self._finished = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _guarded(work: Callable[[], Awaitable[None]], show: Callable[[Reply], Awaitable[None]]) -> None:
    """A logging boundary: what goes wrong for one member stays there."""
    try:
        await work()
    except GoneError as error:
        log.info("the place is gone", extra={"why": str(error)})
    except OutsideError as error:
        log.warning("not shown", extra={"why": str(error), "remedy": type(error).__name__})
        await _apologise(show)
    except Exception:
        log.exception("broken")
        await _apologise(show)


async def _apologise(show: Callable[[Reply], Awaitable[None]]) -> None:
    with suppress(OutsideError):
        await show(render.broken())
