"""Waiting until something is true, woken whenever anything changed."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class Pulse:
    """Wakes everybody who waits, each time something happened."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Wake all who wait now."""
        self._next.set()
        self._next = asyncio.Event()

    async def until(self, look: Callable[[], Found | None], seconds: float = 10.0) -> Found:
        """Return what `look` finds as soon as it is neither None nor false; TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            while not (found := look()):
                await self._next.wait()
            return found
