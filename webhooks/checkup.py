"""Looks whether the public address leads to this server, with a server for the moment if none runs."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from engine.checkup import Finding, good, worth_knowing, wrong
from engine.settings import ServerSettings
from webhooks.access import is_loopback_host

AREA = "Address"
PATIENCE = 10.0
"""Seconds for the whole way out and back in."""
TOKEN = "X-Checkup"  # noqa: S105 - the name of a header
LOCAL = (
    "only this machine opens {url}. Set APP_URL to a public https address before members elsewhere should "
    "use its pages, and before Stripe or Slack have to call it."
)
ASTRAY = (
    "{url} leads to another server than this one. Point its name or proxy to {host}:{port} here, or mend "
    "APP_URL."
)
AWAY = (
    "{url} cannot be reached from here ({why}). Check its DNS name, the proxy, the certificate and the "
    "firewall."
)


async def check_address(server: ServerSettings) -> list[Finding]:
    """Whether APP_URL leads here; what nobody beyond this machine could see is said as such."""
    if is_loopback_host(urlsplit(server.app_url).netloc):
        return [worth_knowing(AREA, LOCAL.format(url=server.app_url))]
    token = secrets.token_hex(16)
    try:
        async with asyncio.timeout(PATIENCE), listening(server, token) as ours:
            return [await called(server, token if ours else None)]
    except TimeoutError:
        return [wrong(AREA, AWAY.format(url=server.app_url, why=f"no answer in {PATIENCE:.0f} s"))]
    except (ClientError, OSError) as error:
        return [wrong(AREA, AWAY.format(url=server.app_url, why=why(error)))]


@asynccontextmanager
async def listening(server: ServerSettings, token: str) -> AsyncIterator[bool]:
    """Serve `/health` with a token where the bot would; False if something is listening there already."""

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"}, headers={TOKEN: token})

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        yield await bound(runner, server)
    finally:
        await runner.cleanup()


async def bound(runner: web.AppRunner, server: ServerSettings) -> bool:
    """Listen at HOST and PORT, unless they are taken."""
    try:
        await web.TCPSite(runner, server.host, server.port).start()
    except OSError:
        return False
    return True


async def called(server: ServerSettings, token: str | None) -> Finding:
    """What comes back from the public address; without a token it is enough that it is a bot."""
    url = server.app_url
    async with (
        ClientSession(timeout=ClientTimeout(total=PATIENCE), trust_env=True) as session,
        session.get(f"{url}/health", allow_redirects=False) as response,
    ):
        body = await response.content.read(1000)
    if token is not None and response.headers.get(TOKEN) != token:
        return wrong(AREA, ASTRAY.format(url=url, host=server.host, port=server.port))
    if response.status != HTTPStatus.OK or b'"ok"' not in body:
        return wrong(AREA, AWAY.format(url=url, why=f"it answers {response.status}"))
    if not url.startswith("https://"):
        return worth_knowing(AREA, f"{url} leads here, without encryption. Put a proxy with https before it.")
    return good(AREA, f"{url} leads here, as seen from this machine")


def why(error: Exception) -> str:
    """What failed, without addresses and numbers of errors."""
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {cause.verify_message}"
    told = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)
    return " ".join(told.split()) or type(error).__name__
