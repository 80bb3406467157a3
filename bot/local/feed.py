"""Tells listeners what appears and changes: the latest state of each thing, never a queue of old ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

Change = Mapping[str, object]


class Listener:
    """What one listener has not taken yet: of each thing its newest state, the longest waiting first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._waiting: dict[str, Change] = {}
        self._news = asyncio.Event()

    def tell(self, thing: str, change: Change) -> None:
        """Let this be what is taken next of the thing."""
        self._waiting[thing] = change
        self._news.set()

    async def changes(self) -> AsyncGenerator[Change, None]:
        """Take what waits, one by one, for ever."""
        while True:
            await self._news.wait()
            thing = next(iter(self._waiting))
            change = self._waiting.pop(thing)
            if not self._waiting:
                self._news.clear()
            yield change


class Feed:
    """All listeners of this process."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def publish(self, audience: str | None, thing: str, change: Change) -> None:
        """Tell everybody (None) or one person the newest state of a thing."""
        for listener in self._listeners:
            if audience in {None, listener.name}:
                listener.tell(thing, change)

    @asynccontextmanager
    async def listen(self, name: str) -> AsyncIterator[AsyncIterator[Change]]:
        """What the person is told from entering on and until left."""
        listener = Listener(name)
        self._listeners.add(listener)
        try:
            async with aclosing(listener.changes()) as changes:
                yield changes
        finally:
            self._listeners.discard(listener)
