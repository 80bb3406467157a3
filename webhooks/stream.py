"""Streams what a person of the playground sees as server-sent events: all there is, then each change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress

from aiohttp import web

from engine.domain import Person
from engine.ports import LocalSurface
from webhooks.boundary import STARTED

HEARTBEAT_SECONDS = 15.0
MOST_STREAMS = 100
SNAPSHOT_MESSAGES = 200

FULL = "Too many event streams are open. Close some and try again."

_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


class EventStreams:
    """All open streams; once `closing` is set, each ends after its last complete event."""

    def __init__(self, surface: LocalSurface, closing: asyncio.Event) -> None:
        self._surface = surface
        self._closing = closing
        self._open = 0

    async def serve(self, request: web.Request, person: Person) -> web.StreamResponse:
        """Stream to one client until it leaves or we stop."""
        if self._open >= MOST_STREAMS or self._closing.is_set():
            raise web.HTTPServiceUnavailable(text=FULL, headers={"Retry-After": "5"})
        self._open += 1
        try:
            return await self._stream(request, person)
        finally:
            self._open -= 1

    async def _stream(self, request: web.Request, person: Person) -> web.StreamResponse:
        """Listen before the snapshot is read, so that nothing falls between the two."""
        async with self._surface.events(person) as changes:
            first = {
                "person": await self._surface.profile(person),
                "messages": await self._surface.messages(person, SNAPSHOT_MESSAGES),
            }
            response = web.StreamResponse(headers=_HEADERS)
            await response.prepare(request)
            request[STARTED] = response
            with suppress(ConnectionError):  # clients leave
                await self._send(response, first, changes)
        return response

    async def _send(
        self,
        response: web.StreamResponse,
        first: Mapping[str, object],
        changes: AsyncIterator[Mapping[str, object]],
    ) -> None:
        await response.write(b"retry: 1000\n" + event(1, "snapshot", first))
        number = 1
        async with aclosing(self._until_closing(changes)) as coming:  # before `changes` is closed itself
            async for change in coming:
                if change is None:
                    await response.write(b": still here\n\n")
                    continue
                number += 1
                await response.write(event(number, str(change["type"]), change))

    async def _until_closing(
        self, changes: AsyncIterator[Mapping[str, object]]
    ) -> AsyncGenerator[Mapping[str, object] | None, None]:
        """Each change, None for each quiet stretch of a heartbeat, until we close or the surface does."""
        closing = asyncio.ensure_future(self._closing.wait())
        coming = asyncio.ensure_future(anext(changes, None))
        try:
            while not closing.done():
                waiting = {closing, coming}
                await asyncio.wait(waiting, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if closing.done():
                    break
                if not coming.done():
                    yield None
                    continue
                change = coming.result()
                if change is None:
                    break
                yield change
                coming = asyncio.ensure_future(anext(changes, None))
        finally:
            closing.cancel()
            coming.cancel()
            await asyncio.gather(closing, coming, return_exceptions=True)


def event(number: int, name: str, data: Mapping[str, object]) -> bytes:
    """One server-sent event with its JSON on one line."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {number}\nevent: {name}\ndata: {text}\n\n".encode()
