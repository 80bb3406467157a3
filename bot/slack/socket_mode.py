"""Socket Mode: keeps a connection to Slack open for as long as it is wanted."""

from __future__ import annotations

import asyncio
import logging

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import called

log = logging.getLogger("bot.slack")

WATCH_EVERY = 15.0
"""Seconds between looks at the connection."""
PING_EVERY = 10.0
"""Seconds between the SDK's pings and between its tries to connect."""


async def serve_socket(app: AsyncApp, web: AsyncWebClient, ready: asyncio.Event) -> None:
    """Serve until cancelled, `ready` while connected. TellOperatorError: the app token is wrong.

    Slack ends a connection about every hour and the SDK opens the next by itself, with one address again and
    again, although an address works once and not for long: one that stays away is given a new one.
    """
    opened = await called(web.apps_connections_open(app_token=str(web.token)))
    handler = AsyncSocketModeHandler(app, str(web.token), web_client=web, ping_interval=PING_EVERY)
    handler.client.wss_uri = str(opened["url"])
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        ready.set()
        while True:
            await asyncio.sleep(WATCH_EVERY)
            if await handler.client.is_connected():
                ready.set()
            else:
                ready.clear()
                log.warning("Socket Mode is away")
                handler.client.wss_uri = None
    finally:
        await close(handler.client)


async def close(client: SocketModeClient) -> None:
    """Close the connection and wait for the SDK's own tasks, which it only cancels."""
    await client.close()  # type: ignore[no-untyped-call]
    tasks = (client.message_processor, client.message_receiver, client.current_session_monitor)
    await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)
