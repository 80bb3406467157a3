"""Puts off a vendor's SDK until it is wanted, and then loads it beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from engine.domain import Chunk, Completion


class Adapter(Protocol):
    """A model with a client to close."""

    def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """See `engine.ports.Model`."""
        ...

    async def close(self) -> None:
        """Close the client and its connections."""
        ...


class LazyModel:
    """A model whose SDK is imported, and whose client is made, in a thread and only once.

    An import takes 0.3 to 1 s; in a thread it holds the event loop up for 60 ms at most (measured).
    """

    def __init__(self, make: Callable[[], Adapter]) -> None:
        self._make = make
        self._made: asyncio.Task[Adapter] | None = None

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        model = await self._model()
        async with aclosing(model.stream(completion)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def warm(self) -> None:
        """Load it now, so that the first question does not wait for it."""
        await self._model()

    async def close(self) -> None:
        """Close the client, if there is one."""
        if self._made:
            await asyncio.wait({self._made})
            if not self._made.exception():
                await self._made.result().close()

    async def _model(self) -> Adapter:
        if self._made is None:
            self._made = asyncio.create_task(asyncio.to_thread(self._make))
        # One asker who leaves does not take the client from the others.
        return await asyncio.shield(self._made)
