"""The playground's bot on a real database, with scripted models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from bot.front import Front
from bot.local.surface import LocalBot
from bot.pacing import Pace
from engine.domain import Person
from tests.bot.test_front import front_of
from tests.engine.conftest import ALICE, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.fakes.pulse import PATIENCE
from tests.money.conftest import Till
from tests.money.conftest import policy as policy  # noqa: PLC0414 - a fixture
from tests.money.conftest import till as till  # noqa: PLC0414 - a fixture

Json = dict[str, Any]


class Talk:
    """Speaks in the playground and reads what comes of it."""

    def __init__(self, hall: Hall, front: Front) -> None:
        self.front = front
        self.bot = LocalBot(front, hall.store, hall.clock, Pace(0.0, 1_000_000.0))
        self._running = asyncio.create_task(self.bot.run())

    async def stop(self) -> None:
        """Stop the bot as the server does, its open work finished."""
        await asyncio.sleep(0)
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def say(
        self,
        text: str,
        who: Person = ALICE,
        room: str = "general",
        reply_to: str | None = None,
        key: str | None = None,
    ) -> Json:
        """Say it and wait for the answer to come to its end."""
        async with self.bot.events(who) as changes, asyncio.timeout(PATIENCE):
            sent = await self.bot.send(who, room, text, reply_to, key)
            return await self.ending(changes, sent)

    async def ending(self, changes: AsyncIterator[Any], sent: str) -> Json:
        """The message that answers another, when it is done."""
        return await self.answering(changes, sent, {"sent", "done", "stopped", "failed"})

    async def answering(self, changes: AsyncIterator[Any], sent: str, states: set[str]) -> Json:
        """The message that answers another, when it is in one of these states."""
        async for change in changes:
            message: Json = change.get("message", {})
            if message.get("reply_to") == sent and message["author"]["bot"] and message["state"] in states:
                return message
        raise AssertionError("there is no end of changes")

    async def seen(self, who: Person = ALICE) -> list[Json]:
        """What a person sees."""
        return [dict(message) for message in await self.bot.messages(who, 100)]


@pytest.fixture
async def talk(hall: Hall, till: Till) -> AsyncIterator[Talk]:
    """A running bot that sells."""
    found = Talk(hall, front_of(hall, till))
    yield found
    await found.stop()
