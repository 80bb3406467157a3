"""Threads that `/ask` opens, over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from bot.discord.threads import question_page
from tests.discord.conftest import Stage, front_of, serving
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.gateway import MESSAGE_CONTENT
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.shapes import CREATE_THREADS, SEND_IN_THREADS, Channel

OPTIONS = {"prompt": "why is the sky\nblue?", "thread": "on"}


def ask(stage: Stage, **where: Any) -> Interaction:  # noqa: ANN401 - as of `slash`
    """Ask in a thread."""
    return stage.discord.slash("alice", "ask", OPTIONS, **where)


async def opened(stage: Stage) -> Channel:
    """The first thread that is opened."""
    return (await stage.discord.world.pulse.until(lambda: threads(stage)))[0]


def threads(stage: Stage) -> list[Channel]:
    """The threads there are."""
    return [channel for channel in stage.discord.world.channels.values() if channel.owner]


def test_an_askers_name_is_shown_and_not_followed() -> None:
    page = question_page("Hi", "[x](https://evil.example)")
    assert r"\[x](https://evil.example)" in page.footer


async def test_the_answer_is_in_a_thread_that_is_named_after_the_question_and_goes_on_there(
    stage: Stage,
) -> None:
    used = ask(stage)
    question = await stage.discord.answered(used)
    thread = await opened(stage)
    (answer,) = await stage.shown(thread.id)
    assert thread.name == "why is the sky blue?"
    assert "why is the sky\nblue?" in question.text
    assert "asked by Alice" in question.text
    assert answer.text.startswith("Hello there.")
    assert (thread.id, thread.parent) == (question.id, question.channel.id)
    stage.discord.say("alice", thread.id, "and at night?", mention_bot=True)
    await stage.shown(thread.id, 2)
    assert len(stage.model.seen[1].messages) == 3


async def test_with_message_content_a_thread_that_was_opened_is_followed_without_mention(
    hall: Hall, fake: FakeDiscord
) -> None:
    fake.gateway.granted_intents = MESSAGE_CONTENT
    front = await front_of(hall)
    async with serving(fake, front, message_content=True) as bot:
        stage = Stage(fake, hall, front, bot)
        ask(stage)
        thread = await opened(stage)
        await stage.shown(thread.id)
        fake.say("alice", thread.id, "and at night?")
        await stage.shown(thread.id, 2)
    assert len(hall.one.seen[1].messages) == 3
    assert fake.findings == []


async def test_a_refused_question_opens_no_thread(stage: Stage) -> None:
    used = stage.discord.slash("alice", "ask", {**OPTIONS, "model": "deep"})
    assert "not part of" in (await stage.discord.answered(used)).text
    assert used.private()
    assert threads(stage) == []


@pytest.mark.parametrize(
    ("missing", "name"),
    [(CREATE_THREADS, "Create Public Threads"), (SEND_IN_THREADS, "Send Messages in Threads")],
)
async def test_a_missing_permission_is_named_and_the_answer_comes_in_the_channel(
    stage: Stage, missing: int, name: str
) -> None:
    stage.discord.world.deny(stage.discord.world.channel("general"), missing)
    used = ask(stage)
    await stage.shown()
    note, answer = used.messages
    assert f"**{name}**" in note.text
    assert note.only_for
    assert answer.text.startswith("Hello there.")
    assert threads(stage) == []


async def test_a_thread_that_discord_refuses_all_the_same_is_done_without(stage: Stage) -> None:
    stage.discord.faults.plan("/threads", 403, method="POST")
    used = ask(stage)
    await stage.shown()
    question, note, answer = used.messages
    assert "blue?" in question.text
    assert "did not let me open a thread" in note.text
    assert answer.text.startswith("Hello there.")


@pytest.mark.parametrize("where", [{"dm": True}, {"channel": "elsewhere", "user_installed": True}])
async def test_where_no_thread_can_be_the_answer_comes_with_a_word_about_it(
    stage: Stage, where: dict[str, Any]
) -> None:
    stage.discord.world.channel("elsewhere", reachable=False)
    used = ask(stage, **where)
    note = await stage.discord.answered(used)
    assert "text channels of servers" in note.text
    await stage.discord.world.pulse.until(lambda: len(used.messages) > 1 and "today" in used.messages[1].text)


async def test_a_thread_whose_opening_is_not_answered_is_opened_once(stage: Stage) -> None:
    stage.discord.faults.lose("/threads", method="POST")
    ask(stage)
    await stage.shown((await opened(stage)).id)
    assert len(threads(stage)) == 1
    stage.discord.findings.clear()  # the thread that was asked for twice
