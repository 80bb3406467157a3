"""Where an answer goes on when Discord takes no more of it at its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.discord.conftest import Stage, front_of, serving, streaming
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord, Interaction, Message
from tests.fakes.discord.shapes import VIEW


def answers(stage: Stage, channel: str = "general") -> list[Message]:
    """What the bot has written there."""
    return [one for one in stage.discord.transcript(channel) if one.author.bot]


def mentioned(stage: Stage, channel: str = "general") -> None:
    """Ask, and wait after the first word."""
    stage.model.pause = 1
    stage.discord.say("alice", channel, "Hi", mention_bot=True)


async def test_a_deleted_message_is_written_anew_once(stage: Stage) -> None:
    mentioned(stage)
    stage.discord.world.delete(await streaming(stage))
    stage.model.go.set()
    (shown,) = await stage.shown()
    assert shown.text.startswith("Hello there.\n")
    assert answers(stage) == [shown]


async def test_a_message_deleted_again_is_not_wanted_and_ends_the_stream(stage: Stage) -> None:
    stage.model.words = ("Hello ", "again ", "and ", "again ", "there.")
    mentioned(stage)
    stage.discord.world.delete(await streaming(stage))
    stage.model.pause = 2
    stage.model.go.set()
    second = await stage.discord.world.pulse.until(lambda: next(iter(answers(stage)), None))
    stage.discord.world.delete(second)
    await stage.discord.world.pulse.until(lambda: stage.model.closed)
    stage.discord.say("bob", "general", "Hi", mention_bot=True)
    assert len(await stage.shown()) == 1


async def test_an_archived_thread_is_woken_by_a_new_message(stage: Stage) -> None:
    thread = stage.discord.world.thread("ideas", "general")
    mentioned(stage, "ideas")
    first = await streaming(stage)
    stage.discord.world.archive(thread)
    stage.model.go.set()
    (shown,) = await stage.shown("ideas")
    assert shown is not first
    assert shown.text.startswith("Hello there.\n")
    assert not thread.archived


async def test_what_a_locked_thread_refuses_goes_on_in_the_channel_above(stage: Stage) -> None:
    begun = stage.discord.say("alice", "general", "Let us talk about bread.")
    thread = stage.discord.world.thread("bread", "general", number=begun.id)
    mentioned(stage, "bread")
    await streaming(stage)
    stage.discord.world.archive(thread, locked=True)
    stage.model.go.set()
    (shown,) = await stage.shown()
    moved = answers(stage)[0]
    assert moved.boxed() == f"<#{thread.id}> was closed while I was answering. The answer goes on here."
    assert moved.wire["message_reference"]["message_id"] == begun.id
    assert shown.text.startswith("Hello there.\n")


@pytest.mark.parametrize("gone", ["channel deleted", "bot removed"])
async def test_a_place_that_is_gone_ends_the_stream_and_touches_nobody_else(
    stage: Stage, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage.model.words = ("Hello ", *("word " for _ in range(50)))
    doomed = stage.discord.world.channel("doomed")
    mentioned(stage, "doomed")
    await streaming(stage)
    if gone == "channel deleted":
        stage.discord.world.remove_channel(doomed)
    else:
        stage.discord.world.deny(doomed, VIEW)
    stage.model.go.set()
    await stage.discord.world.pulse.until(lambda: stage.model.closed)
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    (shown,) = await stage.shown()
    assert "conversation 2 of 3 today" in shown.text
    assert "broken" not in caplog.text


async def test_an_answer_outlives_its_interactions_token(stage: Stage) -> None:
    stage.model.words = ("Hello ", "word " * 1000)
    stage.model.pause = 1
    stage.discord.slash("alice", "ask", {"prompt": "Hi"})
    await streaming(stage)
    stage.discord.world.clock.advance(15 * 60 + 1)
    stage.model.go.set()
    await stage.shown()
    first, second = answers(stage)
    assert first.text.startswith("Hello word word")
    assert "quick · " in second.text


async def test_an_interaction_is_left_before_its_token_is_forgotten(hall: Hall, fake: FakeDiscord) -> None:
    async with brief(fake, hall) as stage:
        fake.slash("alice", "ask", {"prompt": "Hi"})
        await stage.shown()
    assert {call.template.split("/")[1] for call in fake.calls if call.method == "PATCH"} == {"channels"}
    assert fake.findings == []


async def test_where_the_bot_is_not_the_rest_is_behind_a_button(hall: Hall, fake: FakeDiscord) -> None:
    hall.one.pause = 1
    async with brief(fake, hall):
        used = asked_elsewhere(fake)
        waiting = await fake.answered(used)
        await fake.world.pulse.until(lambda: "Discord takes no more here" in waiting.boxed())
        assert [button["label"] for button in waiting.buttons()] == ["Show the rest", "Stop"]
        rest = waiting.button("rest")["custom_id"]
        assert "Only the one who asked" in (await fake.answered(fake.press("bob", waiting, rest))).text
        pressed = fake.press("alice", waiting, rest)
        shown = await fake.answered(pressed)
        await fake.world.pulse.until(lambda: shown.text.startswith("Hello\n"))
        hall.one.go.set()
        while "conversation 1 of 3 today" not in shown.text:
            await fake.world.pulse.until(lambda: shown.boxed() or " today" in shown.text)  # noqa: B023
            if shown.boxed():
                pressed = fake.press("alice", shown, shown.button("rest")["custom_id"])
                shown = await fake.answered(pressed)
        assert shown.text.startswith("Hello there.\n")
        assert not pressed.private()
        again = await fake.answered(fake.press("alice", waiting, rest))
        assert "no longer in use" in again.text
    assert fake.findings == []


async def test_where_the_bot_is_not_the_seventh_message_is_behind_a_button(stage: Stage) -> None:
    stage.model.words = tuple(f"{number} " + "word " * 700 for number in range(8))
    used = asked_elsewhere(stage.discord)
    await stage.discord.world.pulse.until(lambda: len(used.messages) == 6 and used.messages[5].boxed())
    pressed = stage.discord.press("alice", used.messages[5], used.messages[5].button("rest")["custom_id"])
    await stage.discord.world.pulse.until(lambda: any(" today" in text for text in pressed.texts()))
    texts = [*used.texts(), *pressed.texts()]
    assert sum(text.count("word") for text in texts) == 8 * 700
    assert [text[0] for text in texts] == sorted(text[0] for text in texts)


@asynccontextmanager
async def brief(fake: FakeDiscord, hall: Hall) -> AsyncIterator[Stage]:
    """A bot to which every interaction is over once it has answered."""
    front = await front_of(hall)
    async with serving(fake, front, life=0.0) as bot:
        yield Stage(fake, hall, front, bot)


def asked_elsewhere(fake: FakeDiscord) -> Interaction:
    """A question where only the member's own installation of the app is."""
    fake.world.channel("elsewhere", reachable=False)
    return fake.slash("alice", "ask", {"prompt": "Hi"}, channel="elsewhere", user_installed=True)
