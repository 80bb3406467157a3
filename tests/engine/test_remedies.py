"""What is done about each failure of a model, by its remedy."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alerts import AlertKind
from engine.answering import Patience
from engine.chat import Chat
from engine.domain import Answered, ChatEvent, Delta, Failed, FailureReason, Started
from engine.errors import (
    ContentRefusedError,
    ContextTooLongError,
    GiveUpError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.ledger import Tx
from engine.models import NO_USAGE, Effort, Finish, Thinking, Usage
from tests.engine.alarms import told
from tests.engine.conftest import ALICE, QUICK, Hall, collect, last
from tests.fakes.models import Scripted


async def month(hall: Hall) -> int:
    """What Alice has cost this month, in micro-dollars."""

    def work(tx: Tx) -> int:
        account = tx.find_account(ALICE)
        return tx.usage(account.id, hall.clock.now()).cost_month if account else 0

    return await hall.store.read(work)


@given(
    attempt=st.integers(0, 2),
    asked=st.none() | st.floats(0, 20),
    last_one=st.booleans(),
)
def test_waits_grow_are_spread_and_never_shorter_than_asked(
    *, attempt: int, asked: float | None, last_one: bool
) -> None:
    patience = Patience()
    wait = patience.wait(TryAgainError("busy", retry_after=asked), attempt, last=last_one)
    if wait is None:
        assert attempt + 1 >= (3 if last_one else 2) or (asked or 0) * 9 / 8 > patience.longest_wait
        return
    assert (asked or 0) <= wait <= patience.longest_wait
    assert wait >= patience.back_off * 2**attempt / 2
    assert wait <= max(patience.back_off * 2**attempt, (asked or 0) * 9 / 8)


def test_waits_differ_so_that_not_all_come_back_at_once() -> None:
    waits = {Patience().wait(TryAgainError("busy"), 0, last=False) for _ in range(20)}
    assert len(waits) > 10


@pytest.mark.parametrize(
    ("error", "first", "reason"),
    [
        (TryAgainError("529"), 2, FailureReason.BUSY),
        (TryAgainError("429", retry_after=0.001), 2, FailureReason.BUSY),
        (TryAgainError("429", retry_after=9999), 1, FailureReason.BUSY),
        (LateError("late"), 1, FailureReason.TIMEOUT),
        (StreamCutError("cut"), 2, FailureReason.BUSY),
        (TellOperatorError("bad key"), 1, FailureReason.BROKEN),
        (GiveUpError("400"), 1, FailureReason.BROKEN),
    ],
)
async def test_before_a_word_was_seen_a_failing_model_gives_way_to_its_fallback(
    hall: Hall, error: OutsideError, first: int, reason: FailureReason
) -> None:
    hall.one = Scripted(errors=[error] * 9)
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model, end.text) == ("spare", "quick", "Hello there.")
    assert len(hall.one.seen) == first
    hall.two = Scripted(errors=[error] * 9)
    failed = await last(hall.chat(), hall.ask())
    assert isinstance(failed, Failed)
    assert (failed.reason, failed.counted) == (reason, False)


async def test_a_refusal_for_safety_is_final(hall: Hall) -> None:
    hall.one = Scripted(errors=[ContentRefusedError("no")])
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.REFUSED
    assert (len(hall.one.seen), len(hall.two.seen)) == (1, 0)


async def talked(hall: Hall, chat: Chat, turns: int) -> None:
    """A conversation of so many turns."""
    hall.free(requests_per_minute=None, turns_per_conversation=None)
    for number in range(turns):
        await last(chat, hall.ask(f"question {number}", anchors=("dm",)))


async def test_what_is_too_long_is_sent_once_more_without_the_oldest_turns(hall: Hall) -> None:
    hall.free(requests_per_minute=None, turns_per_conversation=None)
    chat = hall.chat()
    await talked(hall, chat, 4)
    hall.one.errors = [ContextTooLongError("400")]
    end = await last(hall.chat(), hall.ask("newest", anchors=("dm",)))
    assert isinstance(end, Answered)
    assert end.model == "quick"
    whole, less = ([message.text for message in sent.messages] for sent in hall.one.seen[-2:])
    assert less == whole[-len(less) :]
    assert 1 < len(less) < len(whole)
    assert less[0].startswith("question")


async def test_what_is_still_too_long_is_said_to_be(hall: Hall) -> None:
    hall.catalogue = replace(hall.catalogue, models=(replace(QUICK, fallback=()),))
    hall.free(requests_per_minute=None, turns_per_conversation=None)
    chat = hall.chat()
    await talked(hall, chat, 4)
    hall.one.errors = [ContextTooLongError("400")] * 5
    asked = len(hall.one.seen)
    end = await last(hall.chat(), hall.ask("newest", anchors=("dm",)))
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.TOO_LONG
    assert len(hall.one.seen) - asked == 2
    await last(hall.chat(), hall.ask("alone"))
    assert len(hall.one.seen) - asked == 3


async def test_what_only_the_operator_can_mend_is_told_once_a_model_and_day(hall: Hall) -> None:
    hall.free(requests_per_minute=None, conversations_per_day=None)
    for error in (TellOperatorError("one 401: bad key"), GiveUpError("one 400"), TellOperatorError("again")):
        hall.one = Scripted(errors=[error])
        assert isinstance(await last(hall.chat(), hall.ask("Something secret")), Answered)
    assert await told(hall) == [(AlertKind.VENDOR_BROKEN, "quick", "one 401: bad key")]
    hall.two = Scripted(errors=[TellOperatorError("two 404: no such model: Something secret")])
    hall.one = Scripted(errors=[TryAgainError("busy")] * 2)
    end = await last(hall.chat(), hall.ask("Something secret"))
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.BROKEN
    assert await told(hall) == [(AlertKind.VENDOR_BROKEN, "spare", "two 404")]


@pytest.mark.parametrize("error", [StreamCutError("cut"), LateError("stalled"), TellOperatorError("401")])
async def test_after_a_word_was_seen_nothing_is_said_twice(hall: Hall, error: OutsideError) -> None:
    hall.one = Scripted(errors=[error], fail_after=1)
    events = await collect(hall.chat(), hall.ask())
    assert [event.text for event in events if isinstance(event, Delta)] == ["Hello "]
    end = events[-1]
    assert isinstance(end, Failed)
    assert (end.text, end.counted) == ("Hello ", True)
    assert (len(hall.one.seen), len(hall.two.seen)) == (1, 0)


async def test_blanks_are_no_words_and_do_not_keep_another_model_from_answering(hall: Hall) -> None:
    hall.one = Scripted(words=("\n", " "), finish=None)
    events = await collect(hall.chat(), hall.ask())
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "Hello there."
    assert isinstance(events[-1], Answered)
    assert events[-1].model == "spare"
    hall.one = Scripted(words=("\n", " ", "Yes."))
    kept = await collect(hall.chat(), hall.ask())
    assert "".join(event.text for event in kept if isinstance(event, Delta)) == "\n Yes."


async def test_an_answer_without_text_counts_nothing_while_its_cost_is_kept(hall: Hall) -> None:
    used = Usage(1000, 0, 0)
    hall.catalogue = replace(hall.catalogue, models=(replace(QUICK, fallback=()),))
    hall.one = Scripted(
        errors=[TryAgainError("busy", usage=used), TryAgainError("busy"), TryAgainError("busy")]
    )
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert not end.counted
    assert await month(hall) == 1000
    hall.one = Scripted(errors=[LateError("not reached", usage=NO_USAGE)] * 2)
    await last(hall.chat(), hall.ask())
    assert await month(hall) == 1000
    hall.one = Scripted(errors=[LateError("late")] * 2)
    await last(hall.chat(), hall.ask())
    assert await month(hall) > 1000


async def test_an_empty_answer_is_charged_to_us_alone(hall: Hall) -> None:
    hall.one = Scripted(words=(), finish=Finish.LENGTH, usage=Usage(100, 0, 1000))
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert (end.reason, end.counted) == (FailureReason.BROKEN, False)
    assert await month(hall) == 4100


async def test_that_a_model_reasons_is_told_once_and_only_before_its_words(hall: Hall) -> None:
    hall.one = Scripted(thoughts=5, pensive=True)
    events = await collect(hall.chat(), hall.ask())
    assert [type(event) for event in events] == [Started, Thinking, Delta, Delta, Answered]


async def test_what_a_model_thought_before_it_was_stopped_is_taken_to_be_charged(hall: Hall) -> None:
    costs = []
    for thoughts in (0, 100):
        before = await month(hall)
        hall.one = Scripted(thoughts=thoughts, pause=0)
        chat = hall.chat()
        reading = asyncio.create_task(last(chat, hall.ask()))
        await hall.one.waiting.wait()
        assert await chat.stop_all(ALICE) == 1
        assert isinstance(await reading, Failed)
        costs.append(await month(hall) - before)
    assert costs[1] - costs[0] == 100 * 4


@pytest.mark.parametrize(
    ("level", "words", "seconds", "thought"),
    [(None, 0, 9, 900), (None, 1, 9, 0), (Effort.OFF, 0, 9, 0), (Effort.HIGH, 0, 50, 1000)],
)
async def test_who_stops_a_model_while_it_thinks_in_silence_does_not_get_that_for_nothing(
    level: Effort | None, words: int, seconds: int, thought: int, hall: Hall
) -> None:
    """Else the ceiling of a month could be passed by asking and stopping, again and again."""
    hall.catalogue = replace(hall.catalogue, models=(replace(QUICK, reasoning=level, fallback=()),))
    hall.free(requests_per_minute=None, conversations_per_day=None)
    costs = []
    for each in (0, seconds):
        before = await month(hall)
        hall.one = Scripted(pause=words)
        chat = hall.chat()
        reading = asyncio.create_task(last(chat, hall.ask()))
        await hall.one.waiting.wait()
        hall.clock.advance(timedelta(seconds=each))
        assert await chat.stop_all(ALICE) == 1
        assert isinstance(await reading, Failed)
        costs.append(await month(hall) - before)
    assert costs[1] - costs[0] == thought * 4


async def test_the_time_of_a_whole_answer_is_bounded_whatever_is_tried(hall: Hall) -> None:
    hall.one = Scripted(pause=0)
    chat = hall.chat(patience=Patience(total=0.01))
    end: ChatEvent = await last(chat, hall.ask())
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.TIMEOUT
    assert hall.one.closed == 1
