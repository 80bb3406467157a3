"""What Slack does to an answer while it is written: no text is lost, doubled or left as it was on its way."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from engine.domain import Person, Platform
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE
from tests.fakes.slack import ALICE, BOT_USER, GENERAL, PRIVATE, TEAM, FakeSlack, Message
from tests.fakes.slack.faults import Faults
from tests.slack.conftest import Stage, front_of, serving, workspace
from tests.slack.test_conversations import answered

WORDS = tuple(f"w{number} " for number in range(12))
WHOLE = [f"w{number}" for number in range(12)]
STREAM = ("chat.startStream", "chat.appendStream", "chat.stopStream")
WITHOUT_THREAD = frozenset(
    f"{method}: thread_not_found"
    for method in ("agents.sessions.setStatus", "chat.postMessage", "chat.startStream")
)
TRANSIENT = ("500", "502", "503", "limited", "limited-silently", "lost", "limited-long")


@pytest_asyncio.fixture
async def stage(hall: Hall, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Over Socket Mode alone: how questions come in does not matter. The model writes a word at a time."""
    monkeypatch.setattr("bot.delivery.LAST_TRIES", (0.01, 0.01, 0.01))
    hall.one.words, hall.one.every = WORDS, 0.02
    async with workspace(clock, http=False) as slack:
        front = front_of(hall)
        async with serving(slack, front, clock, http=False) as bot:
            yield (stage := Stage(slack, hall, front, bot))
            assert [each for each in slack.findings if each not in stage.foretold] == []


def put(faults: Faults, method: str, fault: str) -> None:
    """Let the next call of a method meet a fault that passes."""
    match fault:
        case "lost":
            faults.lose_answer(method)
        case "limited":
            faults.rate_limit(method, retry_after=0)
        case "limited-silently":
            faults.rate_limit(method, retry_after=None)
        case "limited-long":
            faults.rate_limit(method, retry_after=2)
        case status:
            faults.fail(method, "internal_error", status=int(status))


def words(messages: list[Message]) -> list[str]:
    """The words of an answer as a reader meets them."""
    return re.findall(r"w\d+", "\n".join(message.shown for message in messages))


async def settled(stage: Stage, told: Callable[[], object] = lambda: True) -> None:
    """Wait until nothing is being answered any more by the books, which tell nobody, and this is true."""
    person = Person(Platform.SLACK, TEAM, ALICE)
    async with asyncio.timeout(PATIENCE):
        while not told() or (await stage.front.members.overview(person)).usage.at_once:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert stage.model.closed == len(stage.model.seen) == 1


@pytest.mark.parametrize("fault", TRANSIENT)
@pytest.mark.parametrize("method", STREAM)
async def test_a_fault_while_streaming_loses_and_doubles_nothing(
    stage: Stage, method: str, fault: str
) -> None:
    slack = stage.slack
    put(slack.faults, method, fault)
    said = await slack.mention(ALICE, GENERAL, "count")
    await answered(slack, GENERAL)
    shown = [m for m in slack.thread(GENERAL, said.ts) if m.by_app]
    assert words(shown)[-12:] == WHOLE
    if (method, fault) != (STREAM[0], "lost"):
        assert words(shown) == WHOLE
        assert len(shown) == 1
    if fault == "limited-long" and method != STREAM[2]:
        assert len(slack.log.of(method)) == 1


@pytest.mark.parametrize("fault", TRANSIENT)
async def test_a_fault_while_editing_loses_and_doubles_nothing(stage: Stage, fault: str) -> None:
    slack = stage.slack
    put(slack.faults, "chat.update", fault)
    put(slack.faults, "chat.update", "503")
    await slack.slash(ALICE, "/ask", "count")
    answer = (await answered(slack, GENERAL))[0]
    assert words([answer]) == WHOLE
    assert len(slack.transcript()) == 1
    if fault in {"limited-long", "limited-silently"}:  # then only the last text, and once more as that fails
        assert [call.status for call in slack.log.of("chat.update")] == [429, 503, 200]


async def begun(stage: Stage, channel: str = GENERAL) -> Message:
    """An answer in a thread, half of it written."""
    stage.model.pause = 6
    said = await stage.slack.mention(ALICE, channel, "count")
    return await stage.slack.wait_for(
        lambda: next((m for m in stage.slack.thread(channel, said.ts) if "w4" in m.shown), None)
    )


def end_of_place(slack: FakeSlack, end: str) -> None:
    """Let the place of an answer in the private channel be closed to the bot."""
    channel = slack.workspace.channels[PRIVATE]
    match end:
        case "archived":
            channel.archived = True
        case "removed":
            channel.members.discard(BOT_USER)
        case code:
            slack.faults.fail("*", code, times=None)


@pytest.mark.parametrize(
    "end", ["archived", "removed", "token_revoked", "account_inactive", "restricted_action"]
)
@pytest.mark.parametrize("way", ["streamed", "edited"])
async def test_an_answer_whose_place_is_closed_ends_quietly_and_is_settled(
    stage: Stage, caplog: pytest.LogCaptureFixture, end: str, way: str
) -> None:
    slack = stage.slack
    slack.workspace.channels[PRIVATE].members.add(BOT_USER)
    if way == "edited":
        slack.faults.fail(STREAM[0], "channel_type_not_supported", times=None)
    caplog.set_level(logging.INFO, "bot")
    answer = await begun(stage, PRIVATE)
    end_of_place(slack, end)
    stage.model.go.set()
    await settled(stage, lambda: {r.message for r in caplog.records} & {"the place is gone", "not shown"})
    assert words([answer]) == WHOLE[: len(words([answer]))]
    assert [m for m in slack.transcript(PRIVATE) if m.by_app] == [answer]
    assert not [r for r in caplog.records if r.exc_info]


@pytest.mark.parametrize("way", ["streamed", "edited"])
async def test_a_message_that_is_deleted_is_written_anew_once(stage: Stage, way: str) -> None:
    slack = stage.slack
    if way == "edited":
        slack.faults.fail(STREAM[0], "channel_type_not_supported", times=None)
    answer = await begun(stage)
    del slack.workspace.channels[GENERAL].messages[answer.ts]
    stage.model.go.set()
    again = (await answered(slack, GENERAL))[0]
    assert (words([again]), again.thread_ts) == (WHOLE, answer.thread_ts)
    assert len([m for m in slack.transcript() if m.by_app]) == 1


async def test_a_message_that_is_deleted_again_is_not_wanted(stage: Stage) -> None:
    slack = stage.slack
    stage.model.words = tuple(f"w{number} " for number in range(2000))
    messages = slack.workspace.channels[GENERAL].messages
    del messages[(await begun(stage)).ts]
    stage.model.go.set()
    again = await slack.wait_for(lambda: next((m for m in messages.values() if m.by_app), None))
    del messages[again.ts]
    await settled(stage)
    assert not [m for m in slack.transcript() if m.by_app]
    assert stage.model.closed == 1


@pytest.mark.parametrize("when", ["before", "while"])
async def test_where_the_question_is_deleted_nothing_is_said_anywhere_else(stage: Stage, when: str) -> None:
    slack, messages = stage.slack, stage.slack.workspace.channels[GENERAL].messages
    if when == "while":
        answer = await begun(stage)
        del messages[str(answer.thread_ts)]
        stage.model.go.set()
        assert words(await answered(slack, GENERAL)) == WHOLE
        return
    stage.model.pause = 0
    stage.foretold = WITHOUT_THREAD
    said = await slack.mention(ALICE, GENERAL, "count")
    await stage.model.waiting.wait()
    del messages[said.ts]
    stage.model.go.set()
    await settled(stage)
    assert not [m for m in slack.transcript() if m.by_app]


async def test_an_answer_to_a_command_whose_place_is_closed_is_shown_to_the_asker(stage: Stage) -> None:
    slack = stage.slack
    slack.workspace.channels[PRIVATE].members.add(BOT_USER)
    stage.model.pause = 6
    await slack.slash(ALICE, "/ask", "count", channel=PRIVATE)
    await slack.wait_for(lambda: [m for m in slack.transcript(PRIVATE) if "w4" in m.shown])
    end_of_place(slack, "removed")
    stage.model.go.set()
    whole = await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if " today" in m.shown])
    assert words(whole) == WHOLE
    await settled(stage)
