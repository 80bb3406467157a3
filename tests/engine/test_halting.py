"""Whom the operator blocks and what is paused is not answered: from the next question on, by any process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from engine import ports
from engine.audit import Actor, Deed, Entry, Origin
from engine.chat import Chat
from engine.domain import (
    Answered,
    Ask,
    ChatEvent,
    Failed,
    FailureReason,
    Offer,
    Person,
    Platform,
    Redo,
    Refusal,
    RefusalReason,
    Started,
    TierName,
)
from engine.facts import Mode
from engine.halting import LONGEST_WHY, Halting
from engine.members import Members
from engine.summarising import PAUSE_RESTS
from engine.teams import Obstacle, Roster
from storage.store import open_store
from tests.engine.club import TEAM_SUB, Club, somebody
from tests.engine.conftest import ALICE, BOB, CATALOGUE, PREMIUM, QUICK, SPARE, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.engine.test_summarising import long_hall as long_hall  # noqa: PLC0414 - a fixture
from tests.engine.test_summarising import speak, summarising
from tests.fakes.clock import NOON, FakeClock

ACTOR = Actor("console:root", Origin.CONSOLE)
LATER = NOON + timedelta(hours=2)


def halting(hall: Hall, store: ports.Store | None = None) -> Halting:
    """What an operator stops with, over this hall's database or a store of another process."""
    return Halting(store or hall.store, hall.clock, CATALOGUE, Mode.TEST)


async def refused(chat: Chat, ask: Ask) -> Refusal:
    """Why a question is not asked."""
    end = await last(chat, ask)
    assert isinstance(end, Refusal), end
    return end


async def compared(hall: Hall, *models: str) -> list[ChatEvent]:
    """What comes of a comparison."""
    async with aclosing(hall.chat().compare(hall.ask("which?"), models)) as events:
        return [found[1] if isinstance(found, tuple) else found async for found in events]


async def deeds(hall: Hall) -> Sequence[Entry]:
    """The audit log, the newest first."""
    return await hall.store.read(lambda tx: tx.deeds(None, 10))


async def test_nothing_of_a_blocked_members_is_answered_until_they_are_unblocked(hall: Hall) -> None:
    answered = await last(hall.chat(), hall.ask())
    assert isinstance(answered, Answered)
    await halting(hall).block(ACTOR, ALICE, "spam")
    asks = [
        hall.ask(),
        hall.ask(redo=Redo.REGENERATE, about=answered.turn),
        hall.ask(redo=Redo.CONTINUE, about=answered.turn),
    ]
    for ask in asks:
        refusal = await refused(hall.chat(), ask)
        assert (refusal.reason, refusal.offer, refusal.kept) == (RefusalReason.BLOCKED, None, None)
    (outcome,) = await compared(hall)
    assert isinstance(outcome, Refusal)
    assert outcome.reason is RefusalReason.BLOCKED
    assert isinstance(await last(hall.chat(), hall.ask(person=BOB)), Answered)
    assert await halting(hall).unblock(ACTOR, ALICE)
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)
    assert not await halting(hall).unblock(ACTOR, ALICE)


async def test_a_kept_question_of_a_blocked_member_is_not_answered(hall: Hall) -> None:
    hall.keys = ("k" * 32,)
    hall.free(conversations_per_day=0)
    kept = (await refused(hall.chat(), hall.ask())).kept
    assert kept
    hall.free()
    await halting(hall).block(ACTOR, ALICE)
    found = await hall.chat().keeping.find(ALICE, kept.id, "local:press")
    assert not isinstance(found, RefusalReason)
    refusal = await refused(hall.chat(), found.parcel.ask)
    assert (refusal.reason, refusal.kept) == (RefusalReason.BLOCKED, None)


async def test_a_block_stops_what_is_being_answered_in_any_process_and_of_nobody_else(
    hall: Hall, database_url: str, clock: FakeClock
) -> None:
    hall.one.pause = 1
    writes, begun = hall.chat(), asyncio.Queue[Started]()

    async def read(person: Person) -> ChatEvent:
        end: ChatEvent | None = None
        async with aclosing(writes.ask(hall.ask(person=person))) as events:
            async for end in events:
                if isinstance(end, Started):
                    begun.put_nowait(end)
        assert end
        return end

    alice, bob = asyncio.create_task(read(ALICE)), asyncio.create_task(read(BOB))
    await begun.get()
    await begun.get()
    await hall.one.waiting.wait()
    async with await open_store(database_url, clock) as another:
        outcome = await halting(hall, another).block(ACTOR, ALICE)
    assert outcome.stopped == 1
    await writes.heed()
    end = await alice
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.STOPPED
    hall.one.go.set()
    assert isinstance(await bob, Answered)


async def test_whoever_blocks_while_somebody_asks_finds_the_answer_or_has_it_refused(
    hall: Hall, database_url: str, clock: FakeClock
) -> None:
    hall.free(concurrent=None, requests_per_minute=None, conversations_per_day=None)
    async with await open_store(database_url, clock) as another:
        asking = [asyncio.create_task(last(hall.chat(), hall.ask())) for _ in range(8)]
        outcome = await halting(hall, another).block(ACTOR, ALICE)
        ends = await asyncio.gather(*asking)
    refusals = [end for end in ends if isinstance(end, Refusal)]
    assert {end.reason for end in refusals} <= {RefusalReason.BLOCKED}
    assert outcome.stopped <= len(ends) - len(refusals)
    assert (await refused(hall.chat(), hall.ask())).reason is RefusalReason.BLOCKED


async def test_somebody_who_never_wrote_can_be_blocked_and_is_listed(hall: Hall) -> None:
    eve = Person(Platform.DISCORD, "", "666")
    await halting(hall).block(ACTOR, eve, "x" * 999)
    assert (await refused(hall.chat(), hall.ask(person=eve))).reason is RefusalReason.BLOCKED
    hall.clock.advance(timedelta(hours=1))
    await halting(hall).block(ACTOR, ALICE, "first")
    await halting(hall).block(ACTOR, ALICE, "second")
    found = await halting(hall).blocked()
    assert [(each.person, each.since, each.why) for each in found] == [
        (ALICE, NOON + timedelta(hours=1), "second"),
        (eve, NOON, "x" * LONGEST_WHY),
    ]


async def test_blocks_and_pauses_are_in_the_audit_log_without_the_operators_notes(hall: Hall) -> None:
    desk = halting(hall)
    await desk.block(ACTOR, ALICE, "a secret")
    await desk.unblock(ACTOR, ALICE)
    await desk.unblock(ACTOR, ALICE)
    await desk.pause(ACTOR, "Free", LATER, "a secret")
    await desk.resume(ACTOR, "free")
    await desk.resume(ACTOR, "free")
    entries = [(each.actor, each.deed, each.subject, each.detail) for each in await deeds(hall)]
    assert entries == [
        (ACTOR, Deed.RESUME, "free", ""),
        (ACTOR, Deed.PAUSE, "free", "until 2026-11-24 14:00 UTC"),
        (ACTOR, Deed.UNBLOCK, "local:alice", ""),
        (ACTOR, Deed.BLOCK, "local:alice", ""),
    ]


async def test_everything_can_be_paused_for_a_while_and_nothing_is_offered(hall: Hall) -> None:
    hall.keys = ("k" * 32,)
    await halting(hall).pause(ACTOR, "all", LATER)
    refusal = await refused(hall.chat(), hall.ask())
    assert (refusal.reason, refusal.until, refusal.offer) == (RefusalReason.PAUSED, LATER, None)
    assert refusal.kept, "it need not be written again"
    (outcome,) = await compared(hall)
    assert isinstance(outcome, Refusal)
    assert outcome.reason is RefusalReason.PAUSED
    hall.clock.advance(timedelta(hours=2))
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)
    assert await halting(hall).pauses() == []
    assert not await halting(hall).resume(ACTOR, "all")


async def test_a_pause_of_the_free_tier_offers_the_one_that_is_answered(hall: Hall) -> None:
    await halting(hall).pause(ACTOR, "free")
    refusal = await refused(hall.chat(), hall.ask())
    assert (refusal.reason, refusal.until) == (RefusalReason.PAUSED_FREE, None)
    assert refusal.offer == Offer(TierName.PREMIUM, PREMIUM.price_month, PREMIUM.price_year)
    assert await halting(hall).resume(ACTOR, "free")
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)


async def test_a_pause_holds_in_every_process_from_the_next_question_on(
    hall: Hall, database_url: str, clock: FakeClock
) -> None:
    chat = hall.chat()
    assert isinstance(await last(chat, hall.ask()), Answered)
    async with await open_store(database_url, clock) as another:
        await halting(hall, another).pause(ACTOR, "all")
        assert (await refused(chat, hall.ask())).reason is RefusalReason.PAUSED
        await halting(hall, another).resume(ACTOR, "all")
    assert isinstance(await last(chat, hall.ask()), Answered)


async def test_answers_being_written_come_to_their_end_in_a_pause(hall: Hall) -> None:
    hall.one.pause = 1
    chat = hall.chat()
    reading = asyncio.create_task(last(chat, hall.ask()))
    await hall.one.waiting.wait()
    await halting(hall).pause(ACTOR, "all")
    await chat.heed()
    hall.one.go.set()
    assert isinstance(await reading, Answered)


async def test_the_fallbacks_answer_for_a_paused_model_and_it_is_said(hall: Hall) -> None:
    await halting(hall).pause(ACTOR, "QUICK")
    end = await last(hall.chat(), hall.ask(model="quick"))
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model) == ("spare", "quick")
    assert hall.one.seen == []


async def test_a_paused_model_without_a_fallback_is_refused_with_those_that_answer(hall: Hall) -> None:
    await halting(hall).pause(ACTOR, "spare", LATER)
    refusal = await refused(hall.chat(), hall.ask(model="spare"))
    assert (refusal.reason, refusal.model) == (RefusalReason.PAUSED_MODEL, "spare")
    assert (refusal.until, refusal.choices, refusal.offer) == (LATER, ("quick",), None)
    end = await last(hall.chat(), hall.ask(model="quick"))
    assert isinstance(end, Answered)
    assert end.model == "quick"


async def test_whoever_chose_no_model_gets_the_next_one_of_their_tier(hall: Hall) -> None:
    hall.catalogue = replace(CATALOGUE, models=(replace(QUICK, fallback=()), SPARE))
    await halting(hall).pause(ACTOR, "quick")
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model) == ("spare", "spare")
    await halting(hall).pause(ACTOR, "spare")
    refusal = await refused(hall.chat(), hall.ask())
    assert (refusal.reason, refusal.choices) == (RefusalReason.PAUSED_MODEL, ())


async def test_a_paused_model_is_not_stepped_down_to(hall: Hall) -> None:
    hall.free(cost_ceiling_month=1)
    await halting(hall).pause(ACTOR, "spare")
    await refused(hall.chat(), hall.ask(model="quick"))
    assert hall.two.seen == []


async def test_a_paused_model_is_neither_compared_nor_suggested(hall: Hall) -> None:
    hall.free(compare=2)
    await halting(hall).pause(ACTOR, "spare")
    named, suggested = await compared(hall, "quick", "spare"), await compared(hall)
    reasons = [each.reason for each in (*named, *suggested) if isinstance(each, Refusal)]
    assert reasons == [RefusalReason.PAUSED_MODEL, RefusalReason.TOO_FEW]
    assert hall.one.seen == hall.two.seen == []


async def test_members_see_that_a_model_is_paused_and_are_not_offered_it(hall: Hall) -> None:
    members = Members(hall.store, hall.clock, CATALOGUE, Mode.TEST)
    await halting(hall).pause(ACTOR, "spare", LATER)
    rows = {row.spec.name: row.paused and row.paused.until for row in await members.models(ALICE)}
    assert rows == {"quick": None, "spare": LATER, "deep": None}
    assert await members.others(ALICE, "quick") == []


@pytest.mark.parametrize("what", ["nobody", "", "model:quick"])
async def test_what_is_no_model_cannot_be_paused(hall: Hall, what: str) -> None:
    with pytest.raises(ValueError, match="write all, free, or one of quick, spare, deep"):
        await halting(hall).pause(ACTOR, what)
    assert not await deeds(hall)


async def test_a_time_that_is_over_pauses_nothing(hall: Hall) -> None:
    with pytest.raises(ValueError, match="2026-11-24 12:00 UTC is over"):
        await halting(hall).pause(ACTOR, "all", NOON)
    assert await halting(hall).pauses() == []


async def test_the_pause_of_a_model_that_is_gone_can_be_ended(hall: Hall) -> None:
    await halting(hall).pause(ACTOR, "quick")
    fewer = Halting(hall.store, hall.clock, replace(CATALOGUE, models=(SPARE,)), Mode.TEST)
    assert await fewer.resume(ACTOR, "quick")


async def test_paused_again_it_is_as_was_said_last(hall: Hall) -> None:
    await halting(hall).pause(ACTOR, "all", LATER, "one")
    await halting(hall).pause(ACTOR, "all", None, "two")
    (found,) = await halting(hall).pauses()
    assert (found.until, found.why, found.told) == (None, "two", "all answers are paused")


async def test_no_summary_is_made_for_a_blocked_member_until_they_are_unblocked(long_hall: Hall) -> None:
    work = summarising(long_hall).work
    await speak(long_hall, 8)
    await halting(long_hall).block(ACTOR, ALICE)
    assert await work() == 0
    assert long_hall.two.seen == []
    await halting(long_hall).unblock(ACTOR, ALICE)
    assert await work() == 1
    assert len(long_hall.two.seen) == 1


@pytest.mark.parametrize("what", ["all", "spare"])
async def test_no_summary_is_made_by_what_is_paused(long_hall: Hall, what: str) -> None:
    work = summarising(long_hall).work
    await speak(long_hall, 8)
    await halting(long_hall).pause(ACTOR, what)
    await work()
    assert long_hall.two.seen == []
    await halting(long_hall).resume(ACTOR, what)
    long_hall.clock.advance(PAUSE_RESTS)
    await speak(long_hall, 1, first=8)
    await work()
    assert len(long_hall.two.seen) == 1


async def test_whoever_is_blocked_brings_nobody_into_a_team_and_joins_none(hall: Hall) -> None:
    club, desk, (carol, dave) = Club(hall), halting(hall), map(somebody, ("carol", "dave"))
    await club.has(ALICE, TEAM_SUB)
    await club.joins(carol)
    code = await club.code()
    await desk.block(ACTOR, BOB)
    assert await club.teams().join(BOB, code) is Obstacle.BLOCKED
    assert (await desk.block(ACTOR, ALICE)).seats == 1
    assert await club.teams().invite(ALICE) is Obstacle.BLOCKED
    assert await club.teams().join(dave, code) is Obstacle.WRONG_CODE
    assert isinstance(await club.asks(carol), Answered)
    await desk.unblock(ACTOR, ALICE)
    assert isinstance(await club.teams().join(dave, code), Roster)
