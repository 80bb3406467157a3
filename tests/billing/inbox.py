"""A webhook receiver for tests, which keeps what comes and answers what it is told."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.pulse import PATIENCE


@dataclass(slots=True)
class Inbox:
    """`answers` are used up one a request; after them every request is acknowledged, unless `silent`."""

    url: str = ""
    silent: bool = False
    taken: list[tuple[bytes, str]] = field(default_factory=list)
    answers: deque[int] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def holds(self, number: int) -> None:
        """Wait until so many requests were acknowledged."""
        async with asyncio.timeout(PATIENCE):
            while len(self.taken) < number:
                self._news.clear()
                await self._news.wait()

    async def receive(self, request: web.Request) -> web.Response:
        """Keep a request's raw body and signature if it is acknowledged."""
        body = await request.read()
        status = self.answers.popleft() if self.answers else 200
        if status == 200:
            self.taken.append((body, request.headers.get("Stripe-Signature", "")))
            self._news.set()
        if self.silent and request.transport is not None:
            request.transport.abort()
        return web.Response(status=status)

    def types(self) -> list[str]:
        """The events' types in their order of arrival."""
        return [json.loads(body)["type"] for body, _ in self.taken]


@asynccontextmanager
async def running_inbox() -> AsyncIterator[Inbox]:
    """An inbox on a free loopback port."""
    inbox = Inbox()
    app = web.Application()
    app.router.add_post("/stripe/webhook", inbox.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/stripe/webhook"
    try:
        yield inbox
    finally:
        await runner.cleanup()
