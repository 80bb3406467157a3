"""Puts off a vendor's SDK until it is wanted, and then loads it beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from importlib import import_module
from typing import Protocol

from engine.errors import TryAgainError
from engine.models import Chunk, Completion
from providers.endpoint import Endpoint


class Adapter(Protocol):
    """A model with a client to close."""

    def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """See `engine.ports.Model`."""
        ...

    async def names(self) -> frozenset[str]:
        """The ids of all models that the vendor lists. OutsideError by remedy."""
        ...

    async def close(self) -> None:
        """Close the client and its connections."""
        ...


Connect = Callable[[Endpoint], Awaitable[Adapter]]
"""What each adapter's module offers as `connect`."""


class LazyModel:
    """A model whose module, and the SDK with it, is imported in a thread, once, when it is first wanted.

    An import takes 0.3 to 1 s; in a thread it holds the event loop up for 60 ms at most (measured).
    """

    def __init__(self, module: str, endpoint: Endpoint) -> None:
        self._module = module
        self._endpoint = endpoint
        self._made: asyncio.Task[Adapter] | None = None
        self._streams = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._retired = False

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        async with self.lent() as model, aclosing(model.stream(completion)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def names(self) -> frozenset[str]:
        """See `Adapter`."""
        async with self.lent() as model:
            return await model.names()

    @asynccontextmanager
    async def lent(self) -> AsyncGenerator[Adapter, None]:
        """The adapter itself, whose client is not closed meanwhile. TryAgainError: it was retired."""
        if self._retired:
            raise TryAgainError(f"{self._endpoint.name} was taken out of the configuration, or changed in it")
        self._streams += 1
        self._idle.clear()
        try:
            yield await self._model()
        finally:
            self._streams -= 1
            if not self._streams:
                self._idle.set()

    async def warm(self) -> None:
        """Load it now, so that the first question does not wait for it."""
        await self._model()

    def retire(self) -> None:
        """Begin no stream any more; those that run go on."""
        self._retired = True

    async def close_idle(self) -> None:
        """Close the client once no stream uses it."""
        await self._idle.wait()
        await self.close()

    async def close(self) -> None:
        """Close the client, if there is one."""
        if self._made:
            await asyncio.wait({self._made})
            if not self._made.exception():
                await self._made.result().close()

    async def _model(self) -> Adapter:
        if self._made is None:
            self._made = asyncio.create_task(self._make())
        # One asker who leaves does not take the client from the others.
        return await asyncio.shield(self._made)

    async def _make(self) -> Adapter:
        self._endpoint.check()
        module = await asyncio.to_thread(import_module, self._module)
        connect: Connect = module.connect
        return await connect(self._endpoint)
