"""Who was erased is gone, whatever was going on for them, and has nothing anew that they had used up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.audit import Actor, Deed, Origin
from engine.domain import (
    Answered,
    Failed,
    FailureReason,
    Person,
    Platform,
    Refusal,
    RefusalReason,
    TierName,
)
from engine.erasing import Erasing, NotErased, erase
from engine.erasure import Erased
from engine.facts import CustomerRecord, Mode
from engine.moderating import Moderating
from engine.notices import NoticeKind
from engine.screening import Screen, Screening
from engine.spending import BOT
from storage.carrying import hashed
from storage.store import Store
from tests.engine.club import TEAM_SUB, Club
from tests.engine.conftest import ALICE, BOB, Hall, collect, last
from tests.engine.test_catalogue import PREMIUM_SUB
from tests.fakes.clock import FakeClock

ADA = Actor("console:ada", Origin.CONSOLE)


async def nobody(_: Person) -> int:
    """Stops nothing: the answers are another process's, which does not hear."""
    return 0


def erasing(hall: Hall) -> Erasing:
    return Erasing(hall.store, hall.clock, Mode.TEST)


async def erased(hall: Hall, person: Person = ALICE) -> Erased:
    done = await erasing(hall).erase(ADA, person, nobody)
    assert isinstance(done, Erased)
    assert (await erasing(hall).search(done, person))[1] == []
    return done


async def used(store: Store, person: Person, clock: FakeClock) -> tuple[int, int]:
    """Conversations of today and micro-dollars of the month."""
    now = clock.now()
    facts = await store.transact(lambda tx: tx.usage(tx.lock_account(person, now).id, now))
    return facts.conversations_today, facts.cost_month


async def test_a_day_that_was_used_up_stays_so(hall: Hall) -> None:
    chat = hall.chat()
    for _ in range(3):
        assert isinstance(await last(chat, hall.ask()), Answered)
    hall.clock.advance(timedelta(minutes=2))
    before = await used(hall.store, ALICE, hall.clock)
    await erased(hall)
    refusal = await last(chat, hall.ask())
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.CONVERSATIONS
    assert await used(hall.store, ALICE, hall.clock) == before
    await erased(hall)  # and a second time
    assert await used(hall.store, ALICE, hall.clock) == before
    hall.clock.advance(timedelta(days=1))
    assert (await used(hall.store, ALICE, hall.clock)) == (0, before[1])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(st.sampled_from(["ask", "follow", "erase", "later"]), max_size=8),
    start=st.integers(0, 10**6),
)
async def test_erasure_never_raises_what_may_be_used(hall: Hall, steps: list[str], start: int) -> None:
    chat, ann = hall.chat(), replace(ALICE, user=f"ann{start}-{hall.asked}")
    for step in steps:
        before = await used(hall.store, ann, hall.clock)
        if step == "erase":
            await erased(hall, ann)
            assert await used(hall.store, ann, hall.clock) >= before
        elif step == "later":
            hall.clock.advance(timedelta(seconds=61))
        else:
            await last(chat, hall.ask(person=ann, anchors=("here",) if step == "follow" else ()))


@pytest.mark.parametrize("ending", ["other process", "this process"])
async def test_an_answer_in_flight_writes_nothing_back_and_is_paid_for(hall: Hall, ending: str) -> None:
    hall.one.pause = 1
    hall.moderating = Moderating(hall.clock, Screening(Screen.WORDS, words=("evil plan",)))
    chat = hall.chat("process-2")
    answering = asyncio.create_task(collect(chat, hall.ask("my secret")))
    await hall.one.waiting.wait()
    stop = nobody if ending == "other process" else chat.stop_all
    held = await hall.store.read(lambda tx: tx.purse(BOT, hall.clock.now()))
    done = await erasing(hall).erase(ADA, ALICE, stop)
    assert isinstance(done, Erased)
    hall.one.go.set()
    event = (await answering)[-1]
    if ending == "this process":
        assert isinstance(event, Failed)
        assert event.reason is FailureReason.STOPPED
    assert await hall.store.read(lambda tx: tx.find_account(ALICE)) is None
    now = hall.clock.now()
    entries = await hall.store.read(lambda tx: tx.entries(now - timedelta(days=1), now + timedelta(days=1)))
    assert [(each.account, each.turn) for each in entries] == [(None, None)]
    purse = await hall.store.read(lambda tx: tx.purse(BOT, now))
    assert purse.spent == sum(each.charge.cost or 0 for each in entries)
    assert purse.spent > 0
    assert purse.held <= held.held


async def test_a_place_in_the_chat_leads_nowhere_afterwards(hall: Hall) -> None:
    chat = hall.chat()
    answered = await last(chat, hall.ask(anchors=("here",)))
    assert isinstance(answered, Answered)
    (account,) = [await hall.store.read(lambda tx: tx.find_account(ALICE))]
    assert account
    found = await hall.store.read(lambda tx: tx.find_branch(account.id, ["here"]))
    assert found
    await erased(hall)
    await chat.bind(ALICE, found.conversation.id, ["late"], answered.turn)  # the last paint of an answer
    await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()))
    await chat.bind(ALICE, found.conversation.id, ["late"], answered.turn)
    assert not await chat.follows(ALICE, ["here", "late"])


async def test_nobody_else_loses_anything(hall: Hall) -> None:
    chat = hall.chat()
    await last(chat, hall.ask(anchors=("here",)))
    await last(chat, hall.ask(person=BOB, anchors=("here",)))
    await erased(hall)
    assert await chat.follows(BOB, ["here"])
    assert await used(hall.store, BOB, hall.clock) != (0, 0)


async def test_a_message_that_is_delivered_again_is_not_answered_anew(hall: Hall) -> None:
    chat, ask = hall.chat(), hall.ask("my secret")
    await last(chat, ask)
    await erased(hall)
    await collect(chat, ask)
    assert len(hall.one.seen) == 1


async def test_a_used_trial_and_a_block_come_back_with_their_person(hall: Hall) -> None:
    now = hall.clock.now()

    def had(tx: object) -> None:
        account = tx.lock_account(ALICE, now).id  # type: ignore[attr-defined]
        tx.save_customer(CustomerRecord(account, Mode.TEST, None, 1, now))  # type: ignore[attr-defined]
        tx.block(account, now, "rude")  # type: ignore[attr-defined]

    await hall.store.transact(had)
    await erased(hall)
    hall.clock.advance(timedelta(days=60))
    await erasing(hall).sweep()
    again = await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()).id)
    record = await hall.store.read(lambda tx: tx.customer(again, Mode.TEST))
    assert record
    assert (record.trial_used_at, record.customer) == (now, None)
    refusal = await last(hall.chat(), hall.ask())
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.BLOCKED


async def test_what_they_used_is_forgotten_with_the_month(hall: Hall) -> None:
    await last(hall.chat(), hall.ask())
    await erased(hall)
    hall.clock.advance(timedelta(days=32))
    assert await erasing(hall).sweep() == 1
    assert await erasing(hall).sweep() == 0


async def test_the_audit_log_names_them_no_more(hall: Hall) -> None:
    await last(hall.chat(), hall.ask())
    by = Actor.in_chat(ALICE)
    done = await erasing(hall).erase(by, ALICE, nobody)
    assert isinstance(done, Erased)
    (entry,) = await hall.store.read(lambda tx: tx.deeds(None, 5))
    assert (entry.deed, entry.actor.name, entry.subject) == (Deed.ERASE, done.name, done.name)


async def test_a_stranger_is_not_erased(hall: Hall) -> None:
    assert await erasing(hall).erase(ADA, replace(ALICE, user="zoe"), nobody) is NotErased.UNKNOWN
    assert not await hall.store.read(lambda tx: tx.deeds(None, 5))


async def test_the_pool_of_a_place_goes_on_counting_what_was_begun_in_it(hall: Hall) -> None:
    from engine.domain import Place  # noqa: PLC0415 - for this one

    place = Place(Platform.DISCORD, "1")
    await last(hall.chat(), hall.ask(place=place))
    day = hall.clock.now().date()
    before = await hall.store.read(lambda tx: tx.pooled(place, day))
    await erased(hall)
    assert before == 1
    assert await hall.store.read(lambda tx: tx.pooled(place, day)) == before


async def test_a_seat_whose_owner_is_erased_gets_its_answer_and_is_told(hall: Hall) -> None:
    club = Club(hall)
    ending = replace(TEAM_SUB, cancel_at=hall.clock.now() + timedelta(days=9))
    await club.has(ALICE, ending)
    await club.joins(BOB)
    hall.one.pause = 1
    asking = asyncio.create_task(last(club.chat(), hall.ask(person=BOB)))
    await hall.one.waiting.wait()
    await erased(hall)
    hall.one.go.set()
    assert isinstance(await asking, Answered)
    now, account = hall.clock.now(), await club.account(BOB)
    assert [each.kind for each in await hall.store.read(lambda tx: tx.notices(account))] == [
        NoticeKind.SEAT_TAKEN
    ]
    entries = await hall.store.read(lambda tx: tx.entries(now - timedelta(days=1), now + timedelta(days=1)))
    purse = await hall.store.read(lambda tx: tx.purse(BOT, now))
    assert (purse.held, purse.spent) == (0, sum(each.charge.cost or 0 for each in entries))
    assert (await club.access(BOB)).tier is TierName.FREE


async def test_who_was_unblocked_after_an_erasure_does_not_come_back_blocked(hall: Hall) -> None:
    now = hall.clock.now()
    await hall.store.transact(lambda tx: tx.block(tx.lock_account(ALICE, now).id, now, "rude"))
    await erased(hall)
    refusal = await last(hall.chat(), hall.ask())  # by the unit that makes the account
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.BLOCKED
    again = await hall.store.transact(lambda tx: tx.lock_account(ALICE, now))
    await hall.store.transact(lambda tx: tx.unblock(again.id))
    await erased(hall)
    assert (await hall.store.transact(lambda tx: tx.lock_account(ALICE, now))).blocked_at is None


async def test_what_may_charge_is_seen_under_the_lock_too(hall: Hall) -> None:
    """It may have come between the first look and the erasure."""
    await Club(hall).has(ALICE, PREMIUM_SUB)
    now = hall.clock.now()
    done = await hall.store.transact(lambda tx: erase(tx, ADA, ALICE, "erased:1", Mode.TEST, now))
    assert done is NotErased.RUNNING
    assert await hall.store.read(lambda tx: tx.find_account(ALICE))


async def test_what_is_remembered_of_them_needs_the_key(hall: Hall) -> None:
    await last(hall.chat(), hall.ask())
    await erased(hall)
    assert hashed("00", ALICE) != hashed("01", ALICE) != sha256(str(ALICE).encode()).hexdigest()
