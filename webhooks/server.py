"""Builds the web server from what is on, and starts and stops it cleanly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from webhooks import health, pages, playground, simulated, slack_events, slack_install, stripe
from webhooks.access import Gate
from webhooks.admin import assets
from webhooks.admin import routes as admin
from webhooks.admin.door import Door
from webhooks.boundary import AccessLog, add_headers, errors_in_words
from webhooks.observatory import Observatory
from webhooks.site import Site
from webhooks.words import HERE

logger = logging.getLogger("webhooks")

MOST_BYTES = 1024 * 1024
STOP_SECONDS = 5.0
"""Requests still open when we stop get this long."""
LINGER_SECONDS = 0.5
"""How long the rest of a refused body is read on, so that its sender gets to see the refusal."""


def build(site: Site) -> web.Application:
    """The application with every route; what is off answers 404 and says why."""
    closing = asyncio.Event()
    gate = Gate(site.app_url, site.playground_key)
    door = Door(site.admin.entrance if site.admin else None, site.app_url)
    app = web.Application(middlewares=[errors_in_words, door.closed], client_max_size=MOST_BYTES)
    app.on_response_prepare.append(add_headers)
    app.add_routes(health.routes(site))
    app.add_routes(pages.routes(site))
    metrics = site.observatory.metrics if site.observatory else None
    app.add_routes(site.observatory.routes() if site.observatory else [])
    app.add_routes(stripe.routes(site.stripe, metrics, site.knocked))
    app.add_routes(slack_events.routes(site.slack, site.knocked))
    app.add_routes(slack_install.routes(site))
    app.add_routes([web.post("/key", gate.enter)])
    app.add_routes(simulated.routes(site, gate))
    app.add_routes(playground.routes(site, gate, closing))
    app.add_routes(admin.routes(site, door))
    app.add_routes([web.get(assets.PATH, assets.chart_js)])
    app.router.add_static("/static", HERE / "static")

    async def close_streams(_app: web.Application) -> None:
        closing.set()

    app.on_shutdown.append(close_streams)
    return app


@asynccontextmanager
async def serve(site: Site, host: str, port: int) -> AsyncIterator[int]:
    """Serve while entered; gives the port that was bound (0 asks for any). OSError: the address is taken."""
    async with listening(build(site), host, port) as bound:
        yield bound


@asynccontextmanager
async def serve_signals(observatory: Observatory, host: str) -> AsyncIterator[int | None]:
    """Serve what machines ask at the observatory's own port, if it has one; likewise."""
    if observatory.port is None:
        yield None
        return
    app = web.Application(middlewares=[errors_in_words], client_max_size=MOST_BYTES)
    app.on_response_prepare.append(add_headers)
    app.add_routes([web.get("/health", health.health), *observatory.routes(own_port=True)])
    async with listening(app, host, observatory.port) as bound:
        logger.info("metrics are served", extra={"port": bound})
        yield bound


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """An application at an address of this machine."""
    runner = web.AppRunner(
        app,
        access_log_class=AccessLog,
        access_log=logging.getLogger("webhooks.access"),
        shutdown_timeout=STOP_SECONDS,
        lingering_time=LINGER_SECONDS,
        auto_decompress=False,  # signatures are over the bytes as they came, and nobody compresses for us
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
