"""Calls owed to Stripe."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from engine.facts import Mode
from engine.ledger import Tx
from engine.terms import Duty, DutyId
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE, duty

LATER = NOON + MINUTE


def take(tx: Tx, now: datetime, limit: int = 10) -> list[Duty]:
    """Claim due ones for a minute."""
    return list(tx.claim_duties(Mode.TEST, now, now + MINUTE, limit))


async def test_a_duty_is_owed_once_by_its_id_whatever_became_of_it(store: Store) -> None:
    owed = await asyncio.gather(*(store.transact(lambda tx: tx.owe_duty(duty(), NOON)) for _ in range(20)))
    assert sum(owed) == 1
    await store.transact(lambda tx: tx.duty_done(duty().id, NOON))
    assert not await store.transact(lambda tx: tx.owe_duty(duty(), NOON))


async def test_a_duty_is_claimed_by_one_until_its_lease_runs_out_and_counts_its_claims(store: Store) -> None:
    def work(tx: Tx) -> list[list[Duty]]:
        tx.owe_duty(duty(), NOON)
        return [take(tx, now) for now in (NOON - MINUTE, NOON, NOON, LATER)]

    assert await store.transact(work) == [[], [duty()], [], [replace(duty(), attempts=1)]]


async def test_duties_are_claimed_longest_due_first_and_only_in_their_mode(store: Store) -> None:
    def work(tx: Tx) -> list[list[DutyId]]:
        tx.owe_duty(duty("late"), LATER)
        tx.owe_duty(duty("early"), NOON)
        tx.owe_duty(replace(duty("live"), mode=Mode.LIVE), NOON)
        return [[each.id for each in take(tx, LATER, 1)] for _ in range(3)]

    assert await store.transact(work) == [["early"], ["late"], []]


async def test_a_duty_can_be_put_off_until_it_is_done_or_given_up(store: Store) -> None:
    def work(tx: Tx) -> list[list[DutyId]]:
        for name in ("done", "dead", "later"):
            tx.owe_duty(duty(name), NOON)
        take(tx, NOON)
        tx.duty_done(DutyId("done"), NOON)
        tx.duty_dead(DutyId("dead"), "no use")
        for name in ("done", "dead", "later"):
            tx.duty_later(DutyId(name), NOON + 5 * MINUTE, "away")
        tx.duty_dead(DutyId("done"), "too late")
        return [[each.id for each in take(tx, NOON + minutes * MINUTE)] for minutes in (4, 5)]

    assert await store.transact(work) == [[], ["later"]]


async def test_a_dropped_duty_may_be_owed_again_and_one_that_was_done_stays_done(store: Store) -> None:
    def work(tx: Tx) -> list[bool]:
        for name in ("dropped", "done"):
            tx.owe_duty(duty(name), NOON)
        tx.duty_done(DutyId("done"), NOON)
        for name in ("dropped", "done"):
            tx.drop_duty(DutyId(name))
        return [tx.owe_duty(duty(name), NOON) for name in ("dropped", "done")]

    assert await store.transact(work) == [True, False]


async def test_many_who_claim_at_once_take_each_duty_once(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for number in range(20):
            tx.owe_duty(duty(f"{number}"), NOON)

    await store.transact(fill)
    taken = await asyncio.gather(*(store.transact(lambda tx: take(tx, NOON, 4)) for _ in range(12)))
    names = [each.id for some in taken for each in some]
    assert len(names) == len(set(names))
    names += [each.id for each in await store.transact(lambda tx: take(tx, NOON, 20))]
    assert len(names) == len(set(names)) == 20
