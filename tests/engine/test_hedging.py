"""A model that is slow to speak has its fallback asked beside it: one answers, both are paid for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from engine.domain import Answered, Delta, Failed, FailureReason
from engine.errors import ContentRefusedError, LateError, OutsideError, TellOperatorError, TryAgainError
from engine.ledger import Tx
from engine.models import Finish
from tests.engine.conftest import ALICE, QUICK, SPARE, Hall, collect, last
from tests.fakes.models import Scripted

HEDGED = replace(QUICK, hedge_after=0.005)
COST = 100 + 50 * 4
"""Of an answer as scripted, in micro-dollars."""


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """A hall whose first model is hedged."""
    hall.free(requests_per_minute=None, conversations_per_day=None)
    hall.catalogue = replace(hall.catalogue, models=(HEDGED, SPARE))
    return hall


async def month(hall: Hall) -> int:
    """What Alice has cost this month, in micro-dollars."""

    def work(tx: Tx) -> int:
        account = tx.find_account(ALICE)
        return tx.usage(account.id, hall.clock.now()).cost_month if account else 0

    return await hall.store.read(work)


def said(events: list[object]) -> str:
    """What the member saw."""
    return "".join(event.text for event in events if isinstance(event, Delta))


async def test_who_speaks_first_answers_and_the_others_request_is_ended_and_paid_for(hall: Hall) -> None:
    hall.one = Scripted(words=("Late.",), pause=0)
    before = asyncio.all_tasks()
    events = await collect(hall.chat(), hall.ask())
    end = events[-1]
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model, end.text) == ("spare", "quick", "Hello there.")
    assert said([*events]) == "Hello there."
    assert (hall.one.closed, hall.two.closed) == (1, 1)
    assert asyncio.all_tasks() == before
    assert COST < await month(hall) < COST + 100
    assert end.usage.estimated


async def test_a_model_that_speaks_in_time_is_asked_alone(hall: Hall) -> None:
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert end.model == "quick"
    assert not hall.two.seen
    assert await month(hall) == COST


async def test_the_first_may_still_answer_once_the_second_is_asked(hall: Hall) -> None:
    hall.one, hall.two = Scripted(pause=0), Scripted(pause=0)
    reading = asyncio.create_task(last(hall.chat(), hall.ask()))
    await hall.two.waiting.wait()
    hall.one.go.set()
    end = await reading
    assert isinstance(end, Answered)
    assert end.model == "quick"
    assert (hall.one.closed, hall.two.closed) == (1, 1)


async def test_both_speaking_at_once_is_one_answer(hall: Hall) -> None:
    hall.one, hall.two = Scripted(words=("One ", "one."), pause=0), Scripted(words=("Two ", "two."), pause=0)
    reading = asyncio.create_task(collect(hall.chat(), hall.ask()))
    await hall.two.waiting.wait()
    hall.one.go.set()
    hall.two.go.set()
    events = await reading
    end = events[-1]
    assert isinstance(end, Answered)
    assert said([*events]) == end.text == {"quick": "One one.", "spare": "Two two."}[end.model]


@pytest.mark.parametrize("error", [TellOperatorError("401"), TryAgainError("529", retry_after=60)])
async def test_the_first_failing_leaves_the_second_to_answer(hall: Hall, error: OutsideError) -> None:
    hall.one = Scripted(words=("\n", "One."), pause=0, errors=[error] * 9, fail_after=1)
    hall.two = Scripted(pause=0)
    reading = asyncio.create_task(last(hall.chat(), hall.ask()))
    await hall.two.waiting.wait()
    hall.one.go.set()
    await hall.one.ended.wait()
    hall.two.go.set()
    end = await reading
    assert isinstance(end, Answered)
    assert (end.model, end.text) == ("spare", "Hello there.")
    assert len(hall.one.seen) == len(hall.two.seen) == 1


async def test_both_failing_before_a_word_is_a_failure_that_is_not_counted(hall: Hall) -> None:
    hall.one = Scripted(words=("\n", "One."), pause=0, errors=[TryAgainError("529")] * 9, fail_after=1)
    hall.two = Scripted(errors=[TryAgainError("529")] * 9)
    reading = asyncio.create_task(last(hall.chat(), hall.ask()))
    await hall.two.ended.wait()
    hall.one.go.set()
    end = await reading
    assert isinstance(end, Failed)
    assert (end.reason, end.counted) == (FailureReason.BUSY, False)


async def test_a_third_model_is_asked_where_both_fail(hall: Hall) -> None:
    third = replace(SPARE, name="third", vendor_id="spare-2")
    first = replace(HEDGED, fallback=("spare", "third"))
    hall.catalogue = replace(hall.catalogue, models=(first, SPARE, third))
    hall.one = Scripted(words=("\n", "One."), pause=0, errors=[LateError("late")], fail_after=1)
    hall.two = Scripted(errors=[TellOperatorError("401")])
    reading = asyncio.create_task(last(hall.chat(), hall.ask()))
    await hall.two.ended.wait()
    hall.one.go.set()
    end = await reading
    assert isinstance(end, Answered)
    assert end.model == "third"


async def test_a_refusal_for_safety_ends_the_other_too(hall: Hall) -> None:
    hall.one, hall.two = Scripted(pause=0), Scripted(errors=[ContentRefusedError("no")])
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.REFUSED
    assert hall.one.closed == 1


@pytest.mark.parametrize("stop", [True, False])
async def test_stopping_or_going_away_ends_both_and_both_are_paid_for(hall: Hall, *, stop: bool) -> None:
    hall.one, hall.two = Scripted(pause=0), Scripted(pause=0)
    before, chat = asyncio.all_tasks(), hall.chat()
    reading = asyncio.create_task(last(chat, hall.ask("x" * 600)))
    await hall.two.waiting.wait()
    if stop:
        assert await chat.stop_all(ALICE) == 1
        end = await reading
        assert isinstance(end, Failed)
        assert end.reason is FailureReason.STOPPED
    else:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    assert (hall.one.closed, hall.two.closed) == (1, 1)
    assert asyncio.all_tasks() == before
    assert 2 * 200 < await month(hall) < 2 * 230


async def test_an_empty_answer_of_one_leaves_the_other_to_speak(hall: Hall) -> None:
    hall.one, hall.two = Scripted(pause=0), Scripted(words=(), finish=Finish.LENGTH)
    reading = asyncio.create_task(last(hall.chat(), hall.ask()))
    await hall.two.ended.wait()
    hall.one.go.set()
    end = await reading
    assert isinstance(end, Answered)
    assert end.model == "quick"


async def test_a_comparison_is_never_hedged(hall: Hall) -> None:
    hall.one = Scripted(pause=0)
    ends = []
    async for found in hall.chat().compare(hall.ask(), ["quick", "spare"]):
        assert isinstance(found, tuple)
        ends.append(found[1])
        if isinstance(found[1], Answered):
            hall.one.go.set()
    assert [end.model for end in ends if isinstance(end, Answered)] == ["spare", "quick"]
    assert len(hall.two.seen) == 1
