"""Sites on a loopback port, and a client for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser

from tests.fakes.local_surface import MemorySurface
from tests.fakes.simulated_checkout import MemoryCheckout
from tests.web.browser import chromium
from webhooks.server import serve
from webhooks.site import Site

Start = Callable[[Site], Coroutine[None, None, ClientSession]]


async def connect(client: ClientSession) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection to where the client points, for what no well-behaved client sends."""
    async with client.get("/health") as answer:
        return await asyncio.open_connection(answer.url.host, answer.url.port)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Serve a site and give a client whose addresses begin at it."""
    async with AsyncExitStack() as stack:

        async def begin(site: Site) -> ClientSession:
            port = await stack.enter_async_context(serve(site, "127.0.0.1", 0))
            return await stack.enter_async_context(ClientSession(f"http://127.0.0.1:{port}"))

        yield begin


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of pages."""
    async with chromium() as running:
        yield running


@pytest.fixture
def surface() -> MemorySurface:
    """Nobody has spoken yet."""
    return MemorySurface()


@pytest.fixture
def checkout() -> MemoryCheckout:
    """Nothing is paid yet."""
    return MemoryCheckout()
