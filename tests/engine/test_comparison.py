"""A comparison: one question to several models, all of them or none, within every limit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from engine.chat import Chat
from engine.domain import (
    Answered,
    ChatEvent,
    Delta,
    Duplicate,
    Failed,
    FailureReason,
    Micros,
    Refusal,
    RefusalReason,
    Started,
)
from engine.errors import TryAgainError
from engine.models import ModelClass
from engine.preferences import Preferences
from engine.turns import UsageFacts
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.fakes.models import Scripted

BOTH = ("quick", "spare")
Ends = list[ChatEvent]


async def compared(
    hall: Hall, models: Sequence[str] = BOTH, chat: Chat | None = None, key: str | None = None
) -> Ends:
    """How each answer of a comparison ended, in order; a refusal or duplicate alone."""
    ends: dict[int, ChatEvent] = {}
    ask = hall.ask("which?", key=key)
    async with aclosing((chat or hall.chat()).compare(ask, models)) as events:
        async for found in events:
            number, event = found if isinstance(found, tuple) else (0, found)
            ends[number] = event
    return [ends[number] for number in sorted(ends)]


async def facts(hall: Hall) -> UsageFacts:
    """What is counted for Alice."""
    now = hall.clock.now()
    return await hall.store.transact(lambda tx: tx.usage(tx.lock_account(ALICE, now).id, now))


def reason(ends: Ends) -> RefusalReason:
    """Why there was no comparison."""
    (refusal,) = ends
    assert isinstance(refusal, Refusal)
    return refusal.reason


async def test_each_model_answers_in_a_conversation_of_its_own_that_is_counted(hall: Hall) -> None:
    first, second = await compared(hall)
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert (first.model, second.model) == BOTH
    assert [each.standing.conversations_today for each in (first, second)] == [1, 2]
    assert first.turn != second.turn
    counted = await facts(hall)
    assert (counted.conversations_today, len(counted.recent), counted.at_once) == (2, 1, 0)


async def test_all_begin_before_any_word_and_are_one_answer_at_once(hall: Hall) -> None:
    hall.one.pause = hall.two.pause = 0
    chat, seen = hall.chat(), list[object]()
    async with aclosing(chat.compare(hall.ask("which?"), BOTH)) as events:
        for _ in BOTH:
            seen.append(await anext(events))
        assert [type(pair[1]) for pair in seen if isinstance(pair, tuple)] == [Started, Started]
        assert (await facts(hall)).at_once == 1
        refused = await last(chat, hall.ask())
        assert isinstance(refused, Refusal)
        assert refused.reason is RefusalReason.CONCURRENT
    assert (await facts(hall)).at_once == 0


async def test_left_to_us_it_is_ones_own_model_and_one_of_another_vendor(hall: Hall) -> None:
    hall.free(compare=4)
    ends = await compared(hall, ())
    assert [end.model for end in ends if isinstance(end, Answered)] == ["quick", "spare"]


@pytest.mark.parametrize(
    ("models", "found"),
    [
        (("quick", "QUICK"), RefusalReason.TOO_FEW),
        (("quick",), RefusalReason.TOO_FEW),
        (("quick", "gone"), RefusalReason.UNKNOWN_MODEL),
        (("quick", "deep"), RefusalReason.MODEL_LOCKED),
        (("quick", "spare", "deep"), RefusalReason.COMPARE),
    ],
)
async def test_what_cannot_be_compared_is_refused_as_a_whole(
    hall: Hall, models: Sequence[str], found: RefusalReason
) -> None:
    hall.free(compare=2)
    assert reason(await compared(hall, models)) is found
    assert not hall.one.seen
    assert (await facts(hall)).conversations_today == 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"conversations_per_day": 1}, RefusalReason.CONVERSATIONS),
        ({"requests_per_minute": 0}, RefusalReason.RATE),
        ({"cost_ceiling_month": Micros(7_000)}, RefusalReason.COST),
        ({"compare": 1}, RefusalReason.COMPARE),
        ({"compare": 0}, RefusalReason.COMPARE),
        ({"classes": frozenset({ModelClass.FRONTIER})}, RefusalReason.MODEL_LOCKED),
    ],
)
async def test_a_limit_that_one_of_them_would_break_refuses_all(
    hall: Hall, change: dict[str, object], found: RefusalReason
) -> None:
    hall.free(**change)
    assert reason(await compared(hall)) is found
    assert not hall.one.seen
    assert not hall.two.seen


async def test_one_that_fails_is_not_counted_and_hurts_no_other(hall: Hall) -> None:
    hall.two = Scripted(errors=[TryAgainError("busy")] * 3)
    good, bad = await compared(hall)
    assert isinstance(good, Answered)
    assert isinstance(bad, Failed)
    assert (bad.model, bad.counted) == ("spare", False)
    assert (await facts(hall)).conversations_today == 1


async def test_no_fallback_stands_in_for_a_model_that_was_named(hall: Hall) -> None:
    hall.one = Scripted(errors=[TryAgainError("busy")] * 3)
    bad, good = await compared(hall)
    assert isinstance(bad, Failed)
    assert isinstance(good, Answered)
    assert len(hall.two.seen) == 1


async def test_stop_ends_all_and_only_for_the_one_who_asked(hall: Hall) -> None:
    hall.one.pause = hall.two.pause = 1
    chat, ends, started = hall.chat(), dict[int, ChatEvent](), list[Started]()
    async with aclosing(chat.compare(hall.ask("which?"), BOTH)) as events:
        async for found in events:
            assert isinstance(found, tuple)
            number, event = found
            ends[number] = event
            if isinstance(event, Started):
                started.append(event)
            if isinstance(event, Delta) and all(isinstance(each, Delta) for each in ends.values()):
                assert not await chat.stop(started[0].turn, BOB)
                assert await chat.stop(started[0].turn, ALICE)
    assert [end.reason for end in ends.values() if isinstance(end, Failed)] == [FailureReason.STOPPED] * 2
    assert (hall.one.closed, hall.two.closed) == (1, 1)


async def test_a_reader_that_goes_away_leaves_nothing_held(hall: Hall) -> None:
    hall.one.pause = hall.two.pause = 0
    async with aclosing(hall.chat().compare(hall.ask("which?"), BOTH)) as events:
        await anext(events)
    counted = await facts(hall)
    assert (counted.at_once, counted.conversations_today) == (0, 0)


async def test_it_is_taken_once_however_often_it_comes(hall: Hall) -> None:
    await compared(hall, key="local:one")
    (end,) = await compared(hall, key="local:one", chat=hall.chat("process-2"))
    assert isinstance(end, Duplicate)
    assert len(hall.one.seen) == 1


async def test_fifty_at_once_over_two_processes_begin_exactly_what_is_left(hall: Hall) -> None:
    hall.free(conversations_per_day=5, requests_per_minute=None, concurrent=None)
    both = [hall.chat(), hall.chat("process-2")]
    found = await asyncio.gather(*(compared(hall, chat=both[number % 2]) for number in range(50)))
    kinds = Counter(type(end) for ends in found for end in ends)
    assert kinds == {Answered: 4, Refusal: 48}
    assert (await facts(hall)).conversations_today == 4


async def test_fifty_at_once_are_one_a_minute_if_that_is_the_limit(hall: Hall) -> None:
    hall.free(conversations_per_day=None, requests_per_minute=1, concurrent=None)
    found = await asyncio.gather(*(compared(hall) for _ in range(50)))
    assert Counter(type(end) for ends in found for end in ends) == {Answered: 2, Refusal: 49}


async def test_fifty_at_once_never_hold_more_than_the_months_money(hall: Hall) -> None:
    hall.free(
        conversations_per_day=None,
        requests_per_minute=None,
        concurrent=None,
        cost_ceiling_month=Micros(17_000),
    )
    hall.one.pause = hall.two.pause = 0
    asking = [asyncio.create_task(compared(hall)) for _ in range(50)]
    refused = 0
    for done in asyncio.as_completed(asking):
        refused += isinstance((await done)[0], Refusal)
        if refused == 48:
            break
    assert (await facts(hall)).cost_month <= 17_000
    hall.one.go.set()
    hall.two.go.set()
    await asyncio.gather(*asking)


async def test_one_may_be_kept_and_goes_on_with_its_model_where_one_is(hall: Hall) -> None:
    _, second = await compared(hall)
    assert isinstance(second, Answered)
    wishes = Preferences(hall.store, hall.clock)
    assert await wishes.keep(BOB, second.turn, ["dm"]) is None
    kept = await wishes.keep(ALICE, second.turn, ["dm"])
    assert kept
    assert kept.model == "spare"
    end = await last(hall.chat(), hall.ask("and why?", anchors=("dm",), dm=True))
    assert isinstance(end, Answered)
    assert (end.model, end.standing.turn, end.standing.conversations_today) == ("spare", 2, 2)
    assert [message.text for message in hall.two.seen[-1].messages] == ["which?", "Hello there.", "and why?"]
