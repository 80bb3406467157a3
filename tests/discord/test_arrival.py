"""The bot comes to a server and goes, over the wire."""

from __future__ import annotations

import asyncio
import logging

import discord
import pytest

from bot.discord.adapter import DiscordBot
from tests.discord.conftest import Stage, front_of, serving
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.shapes import SEND


async def test_the_bot_says_once_what_it_is_for_where_it_arrives(hall: Hall, fake: FakeDiscord) -> None:
    one, two = await front_of(hall, welcomes=True), await front_of(hall, welcomes=True)
    async with serving(fake, one) as first, serving(fake, two) as second:
        await asyncio.gather(ready(first), ready(second))
        fake.world.channel("other")
        place = fake.join()
        silent = fake.join(denied=SEND)
        await fake.world.pulse.until(lambda: len(posts(fake)) > 1)
    (said,) = fake.transcript(place.name)
    starts = [line.partition(" ")[0] for line in said.text.splitlines()]
    assert starts == ["👋", "**Members**:", "**Admins**:"]
    assert fake.transcript(silent.name) == []
    assert not any(call.template == "/users/@me/channels" for call in fake.calls), "no direct message"
    assert fake.findings == []


async def ready(bot: DiscordBot) -> None:
    """Wait until the library knows all servers that the bot was in before."""
    assert bot._client  # noqa: SLF001 - nobody else can tell
    await bot._client.wait_until_ready()  # noqa: SLF001


async def at_once(_client: discord.Client, _shard: int | None, *, initial: bool = False) -> None:
    """Identify without the 5 s that the library leaves between two times."""
    assert not initial


def posts(fake: FakeDiscord) -> list[object]:
    """The requests that write into a channel."""
    return [call for call in fake.calls if call.template == "/channels/{channel_id}/messages"]


async def test_a_bot_that_is_removed_while_it_writes_settles_and_raises_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.model.pause = 1
    with caplog.at_level(logging.INFO):
        stage.discord.say("alice", "general", "Hi", mention_bot=True)
        await stage.model.waiting.wait()
        stage.discord.leave()
        stage.model.go.set()
        stage.discord.dm("alice", "still there?")
        (shown,) = await stage.told("alice", 1, " today")
    assert "conversation 2 of 3 today" in shown.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert any(record.message == "the place is gone" for record in caplog.records)


async def test_a_session_that_discord_forgot_is_begun_anew_and_nothing_is_answered_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
    stage.model.pause = 1
    said = stage.discord.say("alice", "general", "Hi", mention_bot=True)
    await stage.model.waiting.wait()
    await stage.discord.gateway.drop(forget=True)
    await stage.discord.connected()
    stage.discord.repeat(said)
    stage.model.go.set()
    stage.discord.say("bob", "general", "Hi", mention_bot=True)
    await stage.shown(count=2)
    assert len(stage.discord.gateway.identifies) == 2
    assert len(stage.model.seen) == 2


async def test_what_is_said_while_discord_moves_the_bot_to_another_socket_is_answered_once(
    stage: Stage,
) -> None:
    said = [stage.discord.say(f"member-{n}", "general", "Hi", mention_bot=True) for n in range(3)]
    await stage.discord.gateway.ask_to_reconnect()
    said += [stage.discord.say(f"member-{n}", "general", "Hi", mention_bot=True) for n in range(3, 6)]
    used = stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    await stage.shown(count=7)
    await asyncio.gather(stage.discord.connected(), stage.discord.answered(used))
    for message in said:
        stage.discord.repeat(message)
    stage.discord.slash("bob", "ask", {"prompt": "Hi"})
    await stage.shown(count=8)
    assert len(stage.model.seen) == 8
    assert stage.discord.gateway.resumes == 1


async def test_a_socket_that_breaks_again_and_again_loses_and_doubles_nothing(stage: Stage) -> None:
    for number in range(4):
        stage.discord.say(f"member-{number}", "general", "Hi", mention_bot=True)
        await stage.discord.gateway.drop()
        stage.discord.dm(f"member-{number}", "Hi")
        await stage.told(f"member-{number}", 1, " today")
    await stage.shown(count=4)
    assert len(stage.model.seen) == 8
    assert len(stage.discord.gateway.identifies) == 1
