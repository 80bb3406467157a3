"""Work that nobody waits for, owned all the same: guarded, and ended with its surface."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot import render
from bot.reply import Reply
from engine.errors import GoneError, OutsideError, TryAgainError
from engine.tracing import traced

log = logging.getLogger("bot")

GRACE_SECONDS = 5.0
"""How long last texts and replies may still take when a surface stops."""
REMEMBERED_KEYS = 4096
Work = Callable[[], Awaitable[None]]
Show = Callable[[Reply], Awaitable[None]]


class Errands:
    """Everything that is being done for members at the moment."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun: OrderedDict[str, None] = OrderedDict()
        self._finished = False

    def begin(self, work: Work, show: Show, key: str = "") -> None:
        """Begin some work; if it fails unforeseen, `show` says so. TryAgainError: the surface has stopped.

        `key` is what the platform knows it by.
        """
        if self._finished:
            raise TryAgainError("the surface has stopped")
        task = asyncio.create_task(_guarded(work, show, key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def begin_once(self, key: str, work: Work, show: Show) -> None:
        """Begin what a platform may ask for again, unless it did (the engine asks that of all processes)."""
        if key in self._begun or self._finished:
            return
        self._begun[key] = None
        if len(self._begun) > REMEMBERED_KEYS:
            self._begun.popitem(last=False)
        self.begin(work, show, key)

    async def finish(self) -> None:
        """Take nothing more, let what is under way end, then end it."""
        self._finished = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _guarded(work: Work, show: Show, key: str) -> None:
    """A logging boundary: what goes wrong for one member stays there."""
    with traced():
        await _served(work, show, key)


async def _served(work: Work, show: Show, key: str) -> None:
    log.info("taken", extra={"key": key} if key else None)
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


async def _apologise(show: Show) -> None:
    with suppress(OutsideError):
        await show(render.broken())
