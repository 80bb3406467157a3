"""Work that nobody waits for, owned all the same: begun once, guarded, and ended with the bot."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from bot import render
from bot.reply import Reply
from engine.errors import GoneError, OutsideError

log = logging.getLogger("bot.discord")

GRACE_SECONDS = 5.0
"""How long last texts and replies may still take when the bot stops."""
REMEMBERED_KEYS = 4096


class Errands:
    """Everything that is being done for members at the moment."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def begin(self, key: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin some work, unless the same key came before (the engine asks that of all processes)."""
        if key in self._seen:
            return
        self._seen[key] = None
        if len(self._seen) > REMEMBERED_KEYS:
            self._seen.popitem(last=False)
        task = asyncio.create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Let what is under way end, then end it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _logged(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await guarded(work, None)


async def guarded(
    work: Callable[[], Awaitable[None]], show: Callable[[Reply], Awaitable[None]] | None
) -> None:
    """The room's boundary: what goes wrong for one member is logged, said with `show`, and stays there."""
    try:
        await work()
    except GoneError as error:
        log.info("the place is gone", extra={"why": str(error)})
    except OutsideError as error:
        log.warning("not shown", extra={"why": str(error), "remedy": type(error).__name__})
        await apologise(show)
    except Exception:
        log.exception("broken")
        await apologise(show)


async def apologise(show: Callable[[Reply], Awaitable[None]] | None) -> None:
    """Say that something went wrong, if that is possible."""
    if show is not None:
        with suppress(OutsideError):
            await show(render.broken())
