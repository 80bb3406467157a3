"""Answers and replies come once and are as private as they should be, also when Discord stumbles."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.discord.conftest import Stage, counter_of, serving
from tests.discord.test_handover import asked_elsewhere, brief
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord, Interaction

TOO_MANY = 429
"""Without a word for how long: discord.py does not wait that out."""


@contextmanager
def database_away(url: str) -> Iterator[None]:
    """Nothing can be written meanwhile."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as busy:
        busy.execute("BEGIN IMMEDIATE")
        yield
        busy.rollback()


async def deferred(stage: Stage, url: str, name: str, options: dict[str, object]) -> Interaction:
    """A command whose answer takes so long that it is acknowledged without."""
    with database_away(url):
        used = stage.discord.slash("alice", name, options)
        await stage.discord.acknowledged(used)
        assert used.messages[0].loading
    return used


async def test_a_refusal_that_took_long_is_private_all_the_same(stage: Stage, database_url: str) -> None:
    for number in range(3):
        stage.discord.slash("alice", "ask", {"prompt": "Hi"})
        await stage.shown(count=number + 1)
    used = await deferred(stage, database_url, "ask", {"prompt": "one more"})
    await stage.discord.world.pulse.until(lambda: any("3 conversations" in text for text in used.texts()))
    left = [one for one in used.messages if one.id in stage.discord.world.messages]
    assert [one.only_for for one in left] == [stage.discord.world.user("alice").id]


async def test_a_late_answer_whose_receipt_is_lost_comes_once(stage: Stage, database_url: str) -> None:
    stage.discord.faults.lose("/webhooks/")
    used = await deferred(stage, database_url, "new", {})
    await stage.discord.world.pulse.until(
        lambda: len([call for call in stage.discord.calls if "webhooks" in call.template]) == 2
    )
    shown = await stage.discord.answered(used)
    assert used.messages == [shown]


async def test_an_answer_to_a_question_that_came_too_late_is_below_it(hall: Hall, fake: FakeDiscord) -> None:
    async with brief(fake, hall) as stage:
        fake.slash("alice", "ask", {"prompt": "Hi"})
        fake.world.clock.advance(4)
        (shown,) = await stage.shown()
        assert shown.text.startswith("Hello there.\n")
    assert [finding for finding in fake.findings if "was acknowledged after" not in finding] == []


async def test_a_message_in_a_dm_that_could_not_be_finished_is_not_written_again(stage: Stage) -> None:
    stage.discord.faults.plan("/messages/", TOO_MANY, method="PATCH", retry_after=None)
    stage.discord.dm("alice", "Hi")
    await stage.told("alice", words=" today")
    assert len([one for one in stage.discord.dms("alice") if one.author.bot]) == 1


async def test_a_long_answer_in_a_dm_needs_no_button(stage: Stage) -> None:
    stage.model.words = tuple(f"{number} " + "word " * 700 for number in range(8))
    stage.discord.slash("alice", "ask", {"prompt": "Hi"}, dm=True)
    await stage.told("alice", words=" today")
    shown = [one for one in stage.discord.dms("alice") if "word" in one.text]
    assert sum(one.text.count("word") for one in shown) == 8 * 700
    assert not any(one.boxed() for one in shown)


async def test_a_rest_that_could_not_be_said_to_wait_is_shown_all_the_same(
    hall: Hall, fake: FakeDiscord
) -> None:
    hall.one.pause = 1
    async with brief(fake, hall) as stage:
        fake.faults.plan("@original", TOO_MANY, method="PATCH", retry_after=None)
        used = asked_elsewhere(fake)
        await stage.model.waiting.wait()
        await fake.world.pulse.until(lambda: fake.faults.limited)
        hall.one.go.set()
        await fake.world.pulse.until(lambda: used.texts() and "Hello there." in used.texts()[0])


async def test_a_rest_that_could_not_be_shown_is_still_behind_its_button(stage: Stage) -> None:
    stage.model.words = tuple(f"{number} " + "word " * 700 for number in range(8))
    used = asked_elsewhere(stage.discord)
    await stage.discord.world.pulse.until(lambda: len(used.messages) == 6 and used.messages[5].boxed())
    rest = used.messages[5].button("rest")["custom_id"]
    stage.discord.faults.plan("/callback", TOO_MANY, retry_after=None)
    failed = stage.discord.press("alice", used.messages[5], rest)
    assert "went wrong" in (await stage.discord.answered(failed)).text
    pressed = stage.discord.press("alice", used.messages[5], rest)
    await stage.discord.world.pulse.until(lambda: any(" today" in text for text in pressed.texts()))


async def test_a_welcome_for_which_there_is_no_room_comes_with_the_next_command(
    hall: Hall, fake: FakeDiscord
) -> None:
    hall.one.words = tuple(f"{number} " + "word " * 700 for number in range(8))
    front = counter_of(hall).front(hall, welcomes=True)
    async with serving(fake, front):
        used = asked_elsewhere(fake)
        await fake.world.pulse.until(lambda: len(used.messages) == 6 and used.messages[5].boxed())
        following = fake.slash("alice", "help", channel="elsewhere", user_installed=True)
        await fake.world.pulse.until(lambda: len(following.texts()) == 2)
        assert "free" in following.texts()[1].casefold()
    assert fake.findings == []


@pytest.mark.parametrize("name", ["ask", "compare"])
async def test_a_private_answer_goes_on_privately_after_its_interaction(
    hall: Hall, fake: FakeDiscord, name: str
) -> None:
    hall.one.pause = hall.two.pause = 1
    models = {"first": "quick", "second": "spare"} if name == "compare" else {}
    async with brief(fake, hall):
        used = fake.slash("alice", name, {"prompt": "Hi", "private": "on", **models})
        waiting = await fake.answered(used)
        await fake.world.pulse.until(lambda: "Discord takes no more here" in waiting.boxed())
        hall.one.go.set()
        hall.two.go.set()
        while "conversation 1 of 3 today" not in waiting.text:
            await fake.world.pulse.until(lambda: waiting.boxed() or " today" in waiting.text)  # noqa: B023
            if waiting.boxed():
                pressed = fake.press("alice", waiting, waiting.button("rest")["custom_id"])
                waiting = await fake.answered(pressed)
        assert "Hello there." in waiting.text
        assert all(one.only_for for one in fake.world.messages.values() if one.author.bot)
    assert fake.findings == []


async def test_a_comparison_goes_on_in_its_message_after_its_interaction(
    hall: Hall, fake: FakeDiscord
) -> None:
    async with brief(fake, hall):
        used = fake.slash("alice", "compare", {"prompt": "Hi", "first": "quick", "second": "spare"})
        board = await fake.answered(used)
        await fake.world.pulse.until(lambda: board.text.count(" today") == 2)
        assert not board.boxed()
    assert {call.template.split("/")[1] for call in fake.calls if call.method == "PATCH"} == {"channels"}
    assert fake.findings == []
