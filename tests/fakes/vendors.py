"""A server that plays any model vendor, step by step as a test scripts it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.fakes.pulse import PATIENCE
from tests.fakes.vendor_wire import Json, Vendor


class Act(Enum):
    """What a vendor can do to a stream besides sending."""

    STALL = auto()
    """Nothing more, and the connection stays."""
    PAUSE = auto()
    """Nothing for a moment."""
    RESET = auto()
    """The connection is torn down."""
    TRUNCATE = auto()
    """The connection is closed without the end of its chunked body."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that is no stream."""

    status: int
    body: Json | str
    headers: Mapping[str, str] = field(default_factory=dict)


Step = bytes | Act | asyncio.Event
"""What is sent, what is done, or what is waited for."""
Script = Sequence[Step] | Reply | Act
"""Steps of a stream, a whole reply, or what is done instead of replying: a stall or a reset."""
PAUSE = 0.15
"""Seconds of a moment."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    port: int
    path: str
    headers: Mapping[str, str]
    body: Json


class FakeVendors:
    """Plays one script after the other, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.reached = asyncio.Event()
        """Set when a script has begun to play."""
        self.left = asyncio.Event()
        """Set when a client goes away while a script is still playing."""
        self.lists: Reply = Reply(404, {})
        """What comes of asking for the list of models."""
        self._scripts: list[Script] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    def plays(self, *scripts: Script) -> None:
        """Use these for the next requests."""
        self._scripts = list(scripts)

    def base_url(self, vendor: Vendor) -> str:
        """The base URL that the vendor's SDK expects."""
        return f"{self.url}/v1" if vendor is Vendor.OPENAI else self.url

    @property
    def connections(self) -> int:
        """How many connections brought the requests."""
        return len({asked.port for asked in self.asked})

    @property
    def open_connections(self) -> int:
        """How many connections clients hold open now, used or not."""
        assert self._runner is not None
        assert self._runner.server is not None
        return len(self._runner.server.connections)

    async def hears_nobody(self) -> None:
        """Wait until the client of a stream has gone away, which it has to do at once."""
        async with asyncio.timeout(PATIENCE):
            await self.left.wait()
        self.left.clear()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        app.router.add_get("/{path:.*}", self._list)
        # The handler of a client that goes away is cancelled: that is how the fake sees it go.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._runner:
            await self._runner.cleanup()

    async def _list(self, request: web.Request) -> web.StreamResponse:
        assert request.path.endswith("/models")
        return _whole(self.lists)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        port = request.transport.get_extra_info("peername")[1]
        self.asked.append(Asked(port, request.path, dict(request.headers), await request.json()))
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        if isinstance(script, Reply):
            return _whole(script)
        if script is Act.RESET:
            _break(request, reset=True)
            return web.Response()
        try:
            return await self._play(script, request)
        except (asyncio.CancelledError, ConnectionResetError):
            self.left.set()
            raise

    async def _play(self, script: Sequence[Step] | Act, request: web.Request) -> web.StreamResponse:
        if isinstance(script, Act):
            self.reached.set()
            await asyncio.Event().wait()
            script = ()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        self.reached.set()
        for step in script:
            if isinstance(step, bytes):
                await response.write(step)
            elif isinstance(step, asyncio.Event):
                await step.wait()
            elif step is Act.STALL:
                await asyncio.Event().wait()
            elif step is Act.PAUSE:
                await asyncio.sleep(PAUSE)
            else:
                _break(request, reset=step is Act.RESET)
                return response
        await response.write_eof()
        return response


def _whole(reply: Reply) -> web.Response:
    if isinstance(reply.body, str):
        return web.Response(
            text=reply.body, status=reply.status, headers=reply.headers, content_type="text/html"
        )
    return web.json_response(reply.body, status=reply.status, headers=reply.headers)


def _break(request: web.Request, *, reset: bool) -> None:
    transport = request.transport
    assert transport is not None
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
