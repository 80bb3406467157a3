"""Waiting until something is true, woken whenever anything changed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

Found = TypeVar("Found")
PATIENCE: Final = 60.0
"""Seconds after which a test takes what it waits for as never to come: only a failing test spends them."""
AGAIN: Final = 0.05
"""Seconds between two looks at what tells nobody: logs, books, a model."""


class Pulse:
    """Wakes everybody who waits, each time something happened."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Wake all who wait now."""
        self._next.set()
        self._next = asyncio.Event()

    async def until(self, look: Callable[[], Found | None], seconds: float = PATIENCE) -> Found:
        """Return what `look` finds as soon as it is neither None nor false; TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            while not (found := look()):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._next.wait(), AGAIN)
            return found
