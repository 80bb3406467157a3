"""Whether the public address leads to this server, as the doctor finds out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web

from engine.checkup import Light
from engine.settings import ServerSettings
from tests.program import free_port
from webhooks import checkup
from webhooks.checkup import check_address


@asynccontextmanager
async def proxy(port: int) -> AsyncIterator[str]:
    """The address of a proxy that hands every request on to a port of this machine."""

    async def hand_on(request: web.Request) -> web.Response:
        async with (
            ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{request.path}") as response,
        ):
            headers = {name: value for name, value in response.headers.items() if name.startswith("X-")}
            return web.Response(body=await response.read(), status=response.status, headers=headers)

    app = web.Application()
    app.router.add_get("/{rest:.*}", hand_on)
    async with served(app) as address:
        yield address


def a_bot() -> web.Application:
    """Something that answers as the bot does."""

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_get("/health", health)
    return app


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def _seen_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback stands in for the rest of the world."""
    monkeypatch.setattr(checkup, "is_loopback_host", lambda host: host.startswith("localhost"))


async def test_an_address_that_leads_here_is_told_to_be_in_the_clear_without_https() -> None:
    port = free_port()
    async with proxy(port) as address:
        (found,) = await check_address(ServerSettings("127.0.0.1", port, address))
    assert found.light is Light.YELLOW
    assert found.what == f"{address} leads here, without encryption"


async def test_an_address_that_leads_to_another_server_is_red() -> None:
    port = free_port()
    async with served(a_bot()) as other:
        (found,) = await check_address(ServerSettings("127.0.0.1", port, other))
    assert found.light is Light.RED
    assert "leads to another server" in found.what
    assert f"127.0.0.1:{port}" in found.mend


async def test_a_bot_that_runs_already_is_enough() -> None:
    async with served(a_bot()) as bot:
        port = urlsplit(bot).port or 0
        (found,) = await check_address(ServerSettings("127.0.0.1", port, bot))
    assert found.light is Light.YELLOW


async def test_a_server_that_answers_with_an_error_is_red() -> None:
    async with served(web.Application()) as bot:
        port = urlsplit(bot).port or 0
        (found,) = await check_address(ServerSettings("127.0.0.1", port, bot))
    assert found.light is Light.RED
    assert "it answers 404" in found.what


async def test_an_address_where_nobody_answers_is_red_with_what_to_check() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    (found,) = await check_address(ServerSettings("127.0.0.1", free_port(), nowhere))
    assert found.light is Light.RED
    assert found.what.startswith(f"{nowhere} cannot be reached from here")
    assert "firewall" in found.mend


async def test_an_address_of_this_machine_alone_is_told_as_such() -> None:
    (found,) = await check_address(ServerSettings("127.0.0.1", 8080, "http://localhost:8080"))
    assert found.light is Light.YELLOW
    assert "APP_URL" in found.mend
