"""A model that keeps failing is left alone by all processes, and one question finds out that it is back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alerts import AlertKind
from engine.breaker import Breaker
from engine.chat import Chat
from engine.circuit import PROBE_LEASE, Fuse, Tally, opened
from engine.domain import Answered, Failed, FailureReason
from engine.errors import (
    ContentRefusedError,
    ContextTooLongError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.ledger import Tx
from engine.models import ModelSpec
from tests.engine.alarms import told
from tests.engine.conftest import ALICE, QUICK, Hall, collect, last
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.stores import Counted

FUSE = Fuse()
DOWN, BACK = (AlertKind.VENDOR_DOWN, "one/quick-1"), (AlertKind.VENDOR_BACK, "one/quick-1")


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60))
def test_it_opens_at_a_rate_of_failures_within_the_window_and_not_before_there_are_enough(
    ends: list[tuple[int, bool]],
) -> None:
    tally, now = Tally(FUSE), NOON
    seen: list[tuple[datetime, bool]] = []
    for seconds, failed in ends:
        now += timedelta(seconds=seconds)
        tally.note(now, failed=failed)
        seen = [(at, was) for at, was in [*seen, (now, failed)] if now - at < FUSE.window]
        failures = sum(was for _, was in seen)
        assert tally.trips == (len(seen) >= FUSE.fewest and 2 * failures >= len(seen))


def test_each_probe_that_fails_doubles_the_rest_up_to_the_longest_and_never_below_what_was_asked() -> None:
    circuit = opened("one/quick-1", NOON, None, "529", FUSE)
    rests = [circuit.until - NOON]
    for _ in range(30):
        circuit = circuit.again(circuit.until, None, "529", FUSE)
        rests.append(circuit.until - (NOON + sum(rests, timedelta())))
    assert rests[:3] == [FUSE.rest, 2 * FUSE.rest, 4 * FUSE.rest]
    assert rests[-1] == FUSE.longest
    assert opened("m", NOON, 400, "", FUSE).until == NOON + timedelta(seconds=400)
    assert opened("m", NOON, 1e300, "", FUSE).until == NOON + timedelta(days=1)


async def fails(hall: Hall, chat: Chat, error: OutsideError | None = None) -> None:
    """Let the first model fail as often as it takes until it is left alone."""
    hall.one.errors = [error or TryAgainError("529")] * FUSE.fewest
    while hall.one.errors and len(hall.one.seen) < FUSE.fewest:
        end = await last(chat, hall.ask())
        assert isinstance(end, Answered | Failed)


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """A hall in which a member may ask as often as they like."""
    hall.free(requests_per_minute=None, conversations_per_day=None, concurrent=None, cost_ceiling_month=None)
    return hall


async def test_a_model_that_keeps_failing_is_not_asked_and_its_fallback_is_named(hall: Hall) -> None:
    chat = hall.chat()
    await fails(hall, chat)
    asked = len(hall.one.seen)
    end = await last(chat, hall.ask())
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model) == ("spare", "quick")
    assert len(hall.one.seen) == asked == FUSE.fewest


async def test_other_processes_know_within_their_next_look_and_the_operator_is_told_once(hall: Hall) -> None:
    here, there = hall.chat(), hall.chat("process-2")
    await fails(hall, here)
    await there.heed()
    await last(there, hall.ask())
    assert len(hall.one.seen) == FUSE.fewest + 1
    await here.heed()
    await there.heed()
    for _ in range(3):
        end = await last(there, hall.ask())
        assert isinstance(end, Answered)
        assert end.model == "spare"
    assert len(hall.one.seen) == FUSE.fewest + 1
    await fails(hall, hall.chat("process-3"))
    for chat in (here, there):
        await chat.heed()
    assert [(kind, subject) for kind, subject, _ in await told(hall)] == [DOWN]


async def test_one_that_was_opened_twice_stays_one_opening(hall: Hall) -> None:
    here, there = hall.chat(), hall.chat("process-2")
    await fails(hall, here)
    hall.one.seen.clear()
    hall.clock.advance(timedelta(seconds=1))
    await fails(hall, there)
    for chat in (here, there, here):
        await chat.heed()
    assert [(kind, subject) for kind, subject, _ in await told(hall)] == [DOWN]
    hall.clock.advance(FUSE.rest)
    assert isinstance(await last(here, hall.ask()), Answered)
    for chat in (here, there):
        await chat.heed()
    assert [(kind, subject) for kind, subject, _ in await told(hall)] == [BACK]


async def test_exactly_one_question_of_all_processes_is_the_probe(hall: Hall) -> None:
    chats = [hall.chat(f"process-{number}") for number in range(3)]
    await fails(hall, chats[0])
    for chat in chats:
        await chat.heed()
    hall.clock.advance(FUSE.rest)
    hall.one.seen.clear()
    hall.one.pause = 0
    probing = [asyncio.create_task(last(chat, hall.ask())) for chat in chats * 5]
    await hall.one.waiting.wait()
    waiting = set(probing)
    while len(waiting) > 1:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert {getattr(task.result(), "model", "") for task in done} == {"spare"}
    assert len(hall.one.seen) == 1
    hall.one.go.set()
    end = await waiting.pop()
    assert isinstance(end, Answered)
    assert end.model == "quick"
    for chat in chats:
        await chat.heed()
    await asyncio.gather(*(last(chat, hall.ask()) for chat in chats))
    for chat in chats:
        await chat.heed()
        end = await last(chat, hall.ask())
        assert isinstance(end, Answered)
        assert end.model == "quick"
    assert [(kind, subject) for kind, subject, _ in await told(hall)] == [DOWN, BACK]


async def test_a_probe_that_fails_leaves_the_model_alone_for_longer_everywhere(hall: Hall) -> None:
    here, there = hall.chat(), hall.chat("process-2")
    await fails(hall, here)
    await here.heed()
    hall.clock.advance(FUSE.rest)
    await there.heed()
    hall.one.errors = [TryAgainError("529", retry_after=77)]
    end = await last(there, hall.ask())
    assert isinstance(end, Answered)
    assert end.model == "spare"
    asked = len(hall.one.seen)
    await there.heed()
    await here.heed()
    for seconds, probed in ((76, 0), (1, 1)):
        hall.clock.advance(timedelta(seconds=seconds))
        await last(here, hall.ask())
        assert len(hall.one.seen) - asked == probed
    assert [(kind, subject) for kind, subject, _ in await told(hall)] == [DOWN]


async def test_a_probe_whose_process_is_lost_is_sent_by_another_once_its_lease_is_over(hall: Hall) -> None:
    lost, there = hall.chat(), hall.chat("process-2")
    await fails(hall, lost)
    await lost.heed()
    hall.clock.advance(FUSE.rest)
    hall.one.pause = 0
    probing = asyncio.create_task(collect(lost, hall.ask()))
    await hall.one.waiting.wait()
    asked = len(hall.one.seen)
    hall.clock.advance(PROBE_LEASE - timedelta(seconds=1))
    await lost.renew()
    hall.clock.advance(timedelta(seconds=2))
    await there.heed()
    await last(there, hall.ask())
    assert len(hall.one.seen) == asked
    hall.clock.advance(PROBE_LEASE)
    hall.one.pause = None
    await there.heed()
    end = await last(there, hall.ask())
    assert isinstance(end, Answered)
    assert end.model == "quick"
    probing.cancel()
    with suppress(asyncio.CancelledError):
        await probing


async def test_a_probe_that_was_stopped_lets_the_next_question_be_one(hall: Hall) -> None:
    here, there = hall.chat(), hall.chat("process-2")
    await fails(hall, here)
    await here.heed()
    hall.clock.advance(FUSE.rest)
    hall.one.pause = 0
    probing = asyncio.create_task(last(here, hall.ask()))
    await hall.one.waiting.wait()
    assert await here.stop_all(ALICE) == 1
    await probing
    hall.one.pause = None
    await here.heed()
    await there.heed()
    end = await last(there, hall.ask())
    assert isinstance(end, Answered)
    assert end.model == "quick"


async def test_where_all_are_left_alone_the_first_to_be_asked_again_is_asked_once(hall: Hall) -> None:
    hall.catalogue = replace(hall.catalogue, models=(replace(QUICK, fallback=()),))
    chat = hall.chat()
    await fails(hall, chat)
    asked = len(hall.one.seen)
    hall.one.errors = [TryAgainError("529")] * 9
    end = await last(chat, hall.ask())
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.BUSY
    assert len(hall.one.seen) - asked == 1
    hall.one.errors.clear()
    await chat.heed()
    hall.clock.advance(timedelta(seconds=1))
    assert isinstance(await last(chat, hall.ask()), Answered)
    await chat.heed()
    assert [(kind, subject) for kind, subject, _ in await told(hall)] == [DOWN, BACK]


@pytest.mark.parametrize("error", [StreamCutError("cut"), LateError("late")])
async def test_what_broke_off_or_was_late_counts_as_well(hall: Hall, error: OutsideError) -> None:
    chat = hall.chat()
    await fails(hall, chat, error)
    asked = len(hall.one.seen)
    await last(chat, hall.ask())
    assert len(hall.one.seen) == asked


@pytest.mark.parametrize(
    "error", [ContentRefusedError("no"), ContextTooLongError("long"), TellOperatorError("401")]
)
async def test_what_is_no_fault_of_the_vendors_never_counts(hall: Hall, error: OutsideError) -> None:
    chat = hall.chat()
    await fails(hall, chat, error)
    await fails(hall, chat, error)
    asked = len(hall.one.seen)
    await last(chat, hall.ask())
    assert len(hall.one.seen) > asked


async def test_no_question_asks_the_database_about_circuits_but_the_probe(hall: Hall) -> None:
    store = Counted(hall.store)
    chat = hall.chat(store=store)
    await fails(hall, chat)
    await chat.heed()
    store.units.clear()
    await last(chat, hall.ask())
    assert len(store.units) == 2
    hall.clock.advance(FUSE.rest)
    store.units.clear()
    hall.one.errors = [TryAgainError("529")]
    await last(chat, hall.ask())
    assert len(store.units) == 3
    await chat.heed()
    hall.one.pause = 0
    hall.clock.advance(4 * FUSE.rest)
    probing = asyncio.create_task(last(chat, hall.ask()))
    await hall.one.waiting.wait()
    store.units.clear()
    await last(chat, hall.ask())
    assert len(store.units) == 2
    hall.one.go.set()
    await probing


async def test_news_that_could_not_be_written_is_written_later(hall: Hall) -> None:
    store = Counted(hall.store)
    chat = hall.chat(store=store)
    await fails(hall, chat)
    store.away = True
    with pytest.raises(TryAgainError):
        await chat.heed()
    store.away = False
    await chat.heed()
    assert [(kind, subject) for kind, subject, _ in await told(hall)] == [DOWN]


async def test_a_probe_while_the_database_is_away_is_none(hall: Hall) -> None:
    store = Counted(hall.store)
    breaker = Breaker(store, hall.clock, "process-1", Fuse(fewest=1))
    breaker.failed("one/quick-1", TryAgainError("529"), None)
    await breaker.share(nothing)
    hall.clock.advance(FUSE.rest)
    store.away = True
    assert await breaker.enter(QUICK) is None
    store.away = False
    assert await breaker.enter(QUICK)
    assert await breaker.enter(QUICK) is None


def nothing(_: Tx) -> None:
    """Nothing."""


async def test_two_names_of_one_vendors_model_share_a_circuit_and_no_other_model_does(hall: Hall) -> None:
    breaker = Breaker(hall.store, FakeClock(), "process-1", Fuse(fewest=1))
    breaker.failed("one/quick-1", TryAgainError("529"), None)
    again: ModelSpec = replace(QUICK, name="fast")
    assert not breaker.closed(again)
    assert breaker.closed(replace(QUICK, vendor_id="quick-2"))
    assert breaker.closed(replace(QUICK, provider="two"))
