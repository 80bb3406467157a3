"""A bot on the fake Slack, over Socket Mode or signed HTTP, with scripted models on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import SecretStr

from billing.simulated import SimulatedBilling
from bot.front import Front
from bot.pacing import Pace
from bot.slack.adapter import SlackBot
from bot.slack.manifest import manifest
from engine.settings import SlackOAuth, SlackSettings
from storage.store import Store
from tests.bot.counter import PAGES as PAGES  # noqa: PLC0414 - for the tests beside
from tests.bot.counter import Counter, open_counter
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.models import Scripted
from tests.fakes.pulse import PATIENCE
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, FakeSlack
from tests.fakes.slack.consent import CLIENT_ID, CLIENT_SECRET
from webhooks.slack_events import PATH, routes

APP_URL = "https://bot.test"
BRISK = Pace(channel=0.01, process=1000.0)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite only: what the adapter does is the same on both databases."""
    return sqlite_url


@dataclass(slots=True)
class Stage:
    """A workspace, the bot in it, and what is behind the bot."""

    slack: FakeSlack
    hall: Hall
    front: Front
    bot: SlackBot
    foretold: frozenset[str] = field(default=frozenset(), kw_only=True)
    """What may be found against the bot, where a place vanishes under its hands."""

    @property
    def model(self) -> Scripted:
        """The model that answers unless another is asked for."""
        return self.hall.one


def front_of(hall: Hall) -> Front:
    """The commands over a hall, with simulated billing."""
    return counter_of(hall).front(hall)


def counter_of(hall: Hall) -> Counter:
    """All that deals with money there."""
    billing = SimulatedBilling(hall.store, hall.clock, PAGES, hall.catalogue.tiers)
    return open_counter(hall.store, hall.clock, billing, hall.catalogue)


@asynccontextmanager
async def serving(
    slack: FakeSlack,
    front: Front,
    clock: FakeClock,
    *,
    http: bool,
    store: Store | None = None,
    settings: SlackSettings | None = None,
) -> AsyncIterator[SlackBot]:
    """A connected bot; in HTTP mode on a web server of its own that the fake then sends to.

    With a store it serves the workspaces that have installed it.
    """
    settings = settings or settings_for(slack, http=http, many=store is not None)
    bot = SlackBot(settings, front, clock, BRISK, store)
    async with AsyncExitStack() as stack:
        if http:
            slack.send_to(await stack.enter_async_context(site(bot)))
        running = asyncio.create_task(bot.run())
        try:
            await asyncio.wait_for(bot.ready.wait(), PATIENCE)
            yield bot
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def settings_for(slack: FakeSlack, *, http: bool, many: bool = False, keys: str = "") -> SlackSettings:
    """What leads a bot to the fake; `keys` seal tokens."""
    app_token = None if http else SecretStr(APP_TOKEN)
    secret = SecretStr(SIGNING_SECRET) if http else None
    sealing = tuple(SecretStr(key) for key in keys.split())
    oauth = SlackOAuth(CLIENT_ID, SecretStr(CLIENT_SECRET), sealing, APP_URL) if many else None
    token = None if many else SecretStr(BOT_TOKEN)
    return SlackSettings(token, app_token, secret, slack.api_url, oauth)


@asynccontextmanager
async def site(bot: SlackBot) -> AsyncIterator[str]:
    """The web room's route to the bot's endpoint; its address."""
    application = web.Application()
    application.add_routes(routes(bot.endpoint))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    finally:
        await runner.cleanup()


def workspace(clock: FakeClock, *, http: bool) -> FakeSlack:
    """A workspace with the generated manifest installed."""
    url = "https://bot.test" if http else None
    return FakeSlack(manifest=manifest(url), now=lambda: clock.now().timestamp())


@pytest.fixture
def hall(store: Store, clock: FakeClock) -> Hall:
    """Scripted models; the limits on pace lifted, that tests need not wait."""
    hall = Hall(store, clock)
    hall.free(requests_per_minute=None, concurrent=None)
    return hall


@pytest.fixture(params=["socket", "http"])
async def stage(hall: Hall, clock: FakeClock, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """The bot over each transport in turn; nothing may be found against it in the end."""
    http = request.param == "http"
    async with workspace(clock, http=http) as slack:
        front = front_of(hall)
        async with serving(slack, front, clock, http=http) as bot:
            yield Stage(slack, hall, front, bot)
            assert slack.findings == []
