"""The bot on the fake Discord, with scripted models on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import discord
import pytest
from pydantic import SecretStr

from billing.simulated import SimulatedBilling
from bot.discord.adapter import DiscordBot
from bot.discord.opening import LIFE_SECONDS
from bot.front import Front
from bot.pacing import Pace
from engine.settings import DiscordSettings
from storage.store import Store
from tests.bot.counter import PAGES as PAGES  # noqa: PLC0414 - for the tests beside
from tests.bot.counter import Counter, open_counter
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.discord import TOKEN, FakeDiscord, Message
from tests.fakes.models import Scripted
from tests.fakes.pulse import PATIENCE

BRISK = Pace(channel=0.01, process=1000.0)
Look = Callable[[], list[Message]]


@dataclass(slots=True)
class Stage:
    """A server, the bot in it, and what is behind the bot."""

    discord: FakeDiscord
    hall: Hall
    front: Front
    bot: DiscordBot

    @property
    def model(self) -> Scripted:
        """The model that answers unless another is asked for."""
        return self.hall.one

    async def shown(self, channel: str = "general", count: int = 1, words: str = " today") -> list[Message]:
        """The bot's messages of a channel, once `count` of them have `words` and no button that stops."""
        return await settled(self.discord, lambda: self.discord.transcript(channel), count, words)

    async def told(self, user: str, count: int = 1, words: str = "") -> list[Message]:
        """The bot's direct messages to a user, likewise."""
        return await settled(self.discord, lambda: self.discord.dms(user), count, words)


async def settled(
    fake: FakeDiscord, look: Look, count: int, words: str, seconds: float = PATIENCE
) -> list[Message]:
    """The bot's messages with these words, as soon as so many are complete."""

    def done() -> list[Message] | None:
        found = [one for one in look() if one.author is fake.world.bot and words in one.text]
        found = [one for one in found if not any(button.get("label") == "Stop" for button in one.buttons())]
        return found if len(found) >= count else None

    return await fake.world.pulse.until(done, seconds)


async def streaming(stage: Stage) -> Message:
    """The message of an answer that has come to its first word and waits there."""
    await stage.model.waiting.wait()
    bot = stage.discord.world.bot

    def first_word() -> Message | None:
        found = [one for one in stage.discord.world.messages.values() if one.author is bot]
        return next((one for one in found if one.text.startswith("Hello\n-# writing")), None)

    return await stage.discord.world.pulse.until(first_word)


async def front_of(hall: Hall, *, welcomes: bool = False) -> Front:
    """The commands over a hall, with simulated billing."""
    return counter_of(hall).front(hall, welcomes=welcomes)


def counter_of(hall: Hall) -> Counter:
    """All that deals with money there."""
    billing = SimulatedBilling(hall.store, hall.clock, PAGES, hall.catalogue.tiers)
    return open_counter(hall.store, hall.clock, billing, hall.catalogue)


def settings_for(fake: FakeDiscord, **more: object) -> DiscordSettings:
    """The settings that lead to a fake."""
    return DiscordSettings(SecretStr(TOKEN), fake.api_base, fake.gateway_url, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def serving(
    fake: FakeDiscord, front: Front, pace: Pace = BRISK, life: float = LIFE_SECONDS, **more: object
) -> AsyncIterator[DiscordBot]:
    """A connected bot."""
    bot = DiscordBot(settings_for(fake, **more), front, pace, life)
    running = asyncio.create_task(bot.run())
    try:
        await asyncio.wait_for(bot.ready.wait(), PATIENCE)
        await fake.connected()
        yield bot
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite only: what the adapter does is the same on both databases."""
    return sqlite_url


@pytest.fixture
def hall(store: Store, clock: FakeClock) -> Hall:
    """Scripted models; the limits on pace lifted, that tests need not wait."""
    made = Hall(store, clock)
    made.free(requests_per_minute=None, concurrent=None)
    return made


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """A server; the library is led back to Discord in the end."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    socket = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(socket, "DEFAULT_GATEWAY", socket.DEFAULT_GATEWAY)
    async with FakeDiscord() as made:
        yield made


@pytest.fixture
async def stage(hall: Hall, fake: FakeDiscord) -> AsyncIterator[Stage]:
    """The bot and all around it; nothing may be found against it in the end, and nobody be pinged."""
    front = await front_of(hall)
    async with serving(fake, front) as bot:
        yield Stage(fake, hall, front, bot)
    assert fake.findings == []
    assert fake.pings() == []
