"""What goes wrong between us and Discord, and what the member sees of it."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from bot.discord.adapter import DiscordBot
from bot.pacing import Pace
from engine.errors import LateError, TellOperatorError
from engine.settings import DiscordSettings
from tests.discord.conftest import BRISK, Stage, front_of, serving, settings_for, streaming
from tests.engine.conftest import UNLIMITED, Hall
from tests.fakes.discord import FakeDiscord
from tests.fakes.pulse import PATIENCE

MESSAGES = r"/channels/\d+/messages"
TENTH = 10
"""Discord's limits and our pace, both that much quicker."""


@pytest.mark.parametrize("status", [429, 503])
async def test_a_refused_write_is_tried_again(stage: Stage, status: int) -> None:
    stage.discord.faults.plan(MESSAGES, status, method="POST")
    stage.discord.faults.plan(MESSAGES, status, method="PATCH")
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    (shown,) = await stage.shown()
    assert shown.text.startswith("Hello there.")


@pytest.mark.parametrize("path", [MESSAGES, "/callback"])
async def test_a_write_whose_answer_is_lost_is_shown_once(stage: Stage, path: str) -> None:
    stage.discord.faults.lose(path, method="POST")
    if path == MESSAGES:
        stage.discord.say("alice", "general", "Hi", mention_bot=True)
    else:
        stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    await stage.shown()
    assert len([one for one in stage.discord.transcript() if one.author.bot]) == 1
    stage.discord.findings.clear()  # the acknowledgement that came twice


async def test_an_answer_survives_a_dropped_socket(stage: Stage) -> None:
    stage.model.pause = 1
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    await stage.model.waiting.wait()
    await stage.discord.gateway.drop()
    stage.discord.say("bob", "general", "said meanwhile", mention_bot=True)
    stage.model.go.set()
    await stage.shown(count=2)
    assert stage.discord.gateway.resumes == 1
    assert len(stage.discord.gateway.identifies) == 1


async def test_a_question_deleted_before_the_answer_is_answered_all_the_same(stage: Stage) -> None:
    stage.discord.faults.plan(MESSAGES, 503, method="POST")
    said = stage.discord.say("alice", "general", "Hi", mention_bot=True)
    stage.discord.world.delete(said)
    (shown,) = await stage.shown()
    assert "message_reference" not in shown.wire


async def test_a_model_that_fails_is_said_in_words(stage: Stage) -> None:
    stage.model.errors = [LateError("slow")] * 9
    stage.hall.two.errors = [LateError("slow")] * 9
    stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    (shown,) = await stage.shown(words="not counted")
    assert "took too long" in shown.text


async def test_an_unforeseen_failure_is_said_in_words(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.model.errors = [RuntimeError("a bug")]  # type: ignore[list-item]
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    await stage.shown(words="went wrong")
    assert "a bug" in caplog.text


async def test_a_command_that_has_changed_says_so(stage: Stage) -> None:
    stage.discord.commands["help"]["name"] = "assist"
    used = stage.discord.slash("alice", "assist")
    assert "has changed" in (await stage.discord.answered(used)).text
    assert used.private()


async def test_many_answers_in_one_channel_stay_within_discords_limits(hall: Hall, fake: FakeDiscord) -> None:
    fake.faults.limit(quicker=TENTH)
    hall.free(**UNLIMITED)
    hall.one.words = ("word ",) * 20
    async with serving(fake, await front_of(hall), Pace(channel=1.25 / TENTH, process=45.0)) as bot:
        stage = Stage(fake, hall, bot=bot, front=await front_of(hall))
        for number in range(6):
            fake.say(f"member-{number}", "general", "Hi", mention_bot=True)
        await stage.shown(count=6)
    assert fake.faults.limited == 0
    assert fake.findings == []


async def test_a_stopping_bot_finishes_what_it_writes(hall: Hall, fake: FakeDiscord) -> None:
    front = await front_of(hall)
    hall.one.pause = 1
    async with serving(fake, front) as bot:
        stage = Stage(fake, hall, front, bot)
        fake.slash("alice", "ask", {"prompt": "Hi"})
        await streaming(stage)
        await front.chat.close(grace=0.01)
    (shown,) = await stage.shown(words="restart")
    assert shown.text.startswith("Hello")
    assert fake.findings == []


async def test_a_wrong_token_is_told_with_its_mend(hall: Hall, fake: FakeDiscord) -> None:
    settings = DiscordSettings(SecretStr("not.a.token"), fake.api_base, fake.gateway_url)
    with pytest.raises(TellOperatorError, match="DISCORD_TOKEN"):
        await DiscordBot(settings, await front_of(hall)).run()


async def test_a_token_that_is_withdrawn_is_told_with_its_mend(hall: Hall, fake: FakeDiscord) -> None:
    bot = DiscordBot(settings_for(fake), await front_of(hall))
    running = asyncio.create_task(bot.run())
    await asyncio.wait_for(bot.ready.wait(), PATIENCE)
    fake.gateway.token = "another"
    await fake.gateway.drop()
    with pytest.raises(TellOperatorError, match="no longer accepts DISCORD_TOKEN"):
        await asyncio.wait_for(running, PATIENCE)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("shards", [{}, {"shard_count": 2, "shard_ids": (0, 1)}])
async def test_the_bot_connects_once_discord_is_there(
    hall: Hall, shards: dict[str, object], unused_tcp_port: int
) -> None:
    late = FakeDiscord()
    base = f"http://127.0.0.1:{unused_tcp_port}/api/v10"
    settings = DiscordSettings(SecretStr(late.token), base, late_gateway(unused_tcp_port), **shards)  # type: ignore[arg-type]
    bot = DiscordBot(settings, await front_of(hall), BRISK)
    running = asyncio.create_task(bot.run())
    await late.start(unused_tcp_port)
    await asyncio.wait_for(bot.ready.wait(), PATIENCE)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await late.stop()


def late_gateway(port: int) -> str:
    """The gateway's address on that port."""
    return f"ws://127.0.0.1:{port}/gateway/"


async def test_a_gateway_that_is_away_at_first_is_waited_for(
    hall: Hall, fake: FakeDiscord, unused_tcp_port: int
) -> None:
    settings = DiscordSettings(SecretStr(fake.token), fake.api_base, late_gateway(unused_tcp_port))
    bot = DiscordBot(settings, await front_of(hall), BRISK)
    running = asyncio.create_task(bot.run())
    await fake.world.pulse.until(lambda: len(fake.commands) > 0)
    late = FakeDiscord()
    await late.start(unused_tcp_port)
    await asyncio.wait_for(bot.ready.wait(), PATIENCE)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await late.stop()


async def test_processes_share_the_shards(hall: Hall, fake: FakeDiscord) -> None:
    front = await front_of(hall)
    async with (
        serving(fake, front, shard_count=2, shard_ids=(0,)) as first,
        serving(fake, front, shard_count=2, shard_ids=(1,)),
    ):
        await fake.connected(sessions=2)
        stage = Stage(fake, hall, front, first)
        fake.dm("alice", "Hi")
        fake.say("alice", "general", "Hi", mention_bot=True)
        fake.slash("alice", "ask", {"prompt": "Hi"})
        await stage.told("alice", 1, " today")
        await stage.shown(count=2)
    assert [identify["shard"] for identify in fake.gateway.identifies] == [[0, 2], [1, 2]]
    assert len([call for call in fake.calls if call.method == "PUT"]) == 1
    assert fake.findings == []


async def test_a_hundred_asks_at_once_are_all_acknowledged_in_time(stage: Stage) -> None:
    asked = [stage.discord.slash(f"member-{number}", "ask", {"prompt": "Hi"}) for number in range(100)]
    await stage.shown(count=100)
    assert max(used.ack_seconds or 9 for used in asked) < 3, "Discord waits that long"
