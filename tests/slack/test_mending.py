"""Answers whose process was lost, ended in Slack by another one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine.domain import Platform
from engine.mending import Mending
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE
from tests.fakes.slack import ALICE, GENERAL, OUTSIDE, Message
from tests.slack.conftest import Stage

WORDS = ("Hello ", "there ", "again.")
BROKEN_OFF = "I was stopped before this was finished. The button asks again."


@pytest.fixture(autouse=True)
def found_alive(stage: Stage) -> Iterator[None]:
    """In the end the process was not lost at all, and what it still does harms nobody."""
    yield
    stage.model.go.set()


async def written(stage: Stage, database_url: str, channel: str = GENERAL) -> Message:
    """An answer of which something is shown, once it is known where."""

    def found() -> Message | None:
        return next((m for m in stage.slack.transcript(channel) if m.by_app and "Hello" in m.shown), None)

    message = await stage.slack.wait_for(found)
    database = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    place = f"%/{channel}/{message.thread_ts or message.ts}/{message.ts}"
    async with asyncio.timeout(PATIENCE):
        while not database.execute("SELECT 1 FROM turn WHERE place LIKE ?", (place,)).fetchone():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    database.close()
    return message


async def mended(stage: Stage) -> int:
    """Let the process that answers seem lost, and another one mend what it left behind."""
    later = stage.hall.clock.now() + timedelta(hours=1)
    await stage.hall.store.transact(lambda tx: tx.release_expired(later))
    mending = Mending(stage.hall.store, stage.hall.clock)
    mending.menders[Platform.SLACK] = stage.bot.messenger
    count = await mending.work()
    assert await mending.work() == 0
    return count


def labels(message: Message) -> list[str]:
    return [button["text"]["text"] for button in message.buttons]


async def test_a_stream_that_still_runs_is_ended_below_its_text(stage: Stage, database_url: str) -> None:
    stage.model.words, stage.model.pause = WORDS, 2
    said = await stage.slack.mention(ALICE, GENERAL, "Hi")
    answer = await written(stage, database_url)
    assert await mended(stage) == 1
    assert answer.shown.split("\n") == ["Hello ", BROKEN_OFF]
    assert labels(answer) == ["Ask again", "Other model"]
    assert stage.slack.workspace.session(GENERAL, said.ts).status == "active"


async def test_a_stream_that_slack_closed_is_read_and_edited(
    stage: Stage, clock: FakeClock, database_url: str
) -> None:
    stage.model.words, stage.model.pause = WORDS, 2
    await stage.slack.dm(ALICE, "Hi")
    answer = await written(stage, database_url, stage.slack.workspace.dm(ALICE).id)
    clock.advance(timedelta(minutes=6))
    assert await mended(stage) == 1
    assert answer.shown.split("\n") == ["Hello ", BROKEN_OFF]


async def test_an_edited_answer_keeps_question_and_text_and_loses_its_stop_button(
    stage: Stage, database_url: str
) -> None:
    stage.model.words, stage.model.pause = WORDS, 2
    await stage.slack.slash(ALICE, "/ask", "Hi")
    answer = await written(stage, database_url)
    assert labels(answer) == ["Stop"]
    assert await mended(stage) == 1
    asked, text, words = answer.shown.split("\n")
    assert (asked, words) == (f"<@{ALICE}> asked: Hi", BROKEN_OFF)
    assert text.startswith("Hello ")
    assert labels(answer) == ["Ask again", "Other model"]


async def test_what_may_not_be_read_is_left_as_it_is(stage: Stage, database_url: str) -> None:
    stage.model.words, stage.model.pause = WORDS, 2
    await stage.slack.slash(ALICE, "/ask", "Hi", channel=OUTSIDE)
    answer = await written(stage, database_url, OUTSIDE)
    assert await mended(stage) == 1
    assert labels(answer) == ["Stop"]
