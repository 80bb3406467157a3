"""Stripe's events and the queue of customers to read."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from engine.facts import BillingEvent, CustomerId, DirtyCustomer, EventId, Mode
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE, rows

CUSTOMER = CustomerId("cus_1")
LATER = NOON + MINUTE


def event(name: str = "evt_1", customer: CustomerId | None = CUSTOMER) -> BillingEvent:
    """A verified event."""
    return BillingEvent(
        id=EventId(name),
        type="customer.updated",
        created_at=NOON,
        mode=Mode.TEST,
        customer=customer,
        relevant=True,
        payload=b"\x00\xff",
    )


def take(tx: Tx, now: datetime, token: str = "token", limit: int = 10) -> list[DirtyCustomer]:
    """Claim what is due for a minute."""
    return list(tx.claim_dirty(Mode.TEST, now, now + MINUTE, token, limit))


def take_one(tx: Tx, now: datetime, token: str = "token") -> list[DirtyCustomer]:
    """Claim the one customer for a minute."""
    return list(tx.claim_dirty(Mode.TEST, now, now + MINUTE, token, 1, CUSTOMER))


async def test_an_event_is_stored_once_whoever_brings_it(store: Store) -> None:
    stored = await asyncio.gather(
        *(store.transact(lambda tx: tx.store_event(event(), NOON, matters=True)) for _ in range(20))
    )
    assert sum(stored) == 1


async def test_events_of_a_customer_are_settled_as_far_as_they_were_received(
    store: Store, database_url: str
) -> None:
    def work(tx: Tx) -> None:
        tx.store_event(event("evt_1"), NOON, matters=True)
        tx.store_event(event("evt_2", None), NOON, matters=False)
        tx.store_event(event("evt_3", CustomerId("cus_2")), NOON, matters=True)
        tx.store_event(event("evt_4"), LATER, matters=True)
        tx.settle_events(Mode.TEST, CUSTOMER, NOON, LATER)

    await store.transact(work)
    stored = rows(database_url, "SELECT id, status, applied_at IS NULL FROM stripe_event ORDER BY id")
    statuses = ["applied", "ignored", "pending", "pending"]
    assert stored == [(f"evt_{number}", each, each != "applied") for number, each in enumerate(statuses, 1)]


async def test_old_payloads_are_forgotten_and_what_they_were_about_is_not(
    store: Store, database_url: str
) -> None:
    def work(tx: Tx) -> tuple[int, int]:
        tx.store_event(event("evt_1"), NOON, matters=True)
        tx.store_event(event("evt_2"), LATER, matters=True)
        return tx.forget_payloads(LATER, 9), tx.forget_payloads(LATER, 9)

    assert await store.transact(work) == (1, 0)
    kept = rows(database_url, "SELECT id, length(payload) > 0 FROM stripe_event ORDER BY id")
    assert [(name, bool(full)) for name, full in kept] == [("evt_1", False), ("evt_2", True)]


async def test_events_are_stale_whose_customer_does_not_wait_to_be_read(store: Store) -> None:
    def stale(tx: Tx) -> list[CustomerId]:
        assert list(tx.customers_with_stale_events(Mode.LIVE, LATER)) == []
        assert list(tx.customers_with_stale_events(Mode.TEST, NOON)) == []
        return list(tx.customers_with_stale_events(Mode.TEST, LATER))

    def work(tx: Tx) -> list[list[CustomerId]]:
        for name in ("evt_1", "evt_2"):
            tx.store_event(event(name), NOON, matters=True)
        tx.store_event(event("evt_3", CustomerId("cus_0")), NOON, matters=False)
        tx.store_event(event("evt_4", None), NOON, matters=True)
        seen = [stale(tx)]
        tx.mark_dirty(Mode.TEST, CUSTOMER, LATER)
        seen.append(stale(tx))
        (dirty,) = take_one(tx, NOON)
        tx.finish_sync(dirty)
        seen.append(stale(tx))
        (clean,) = take_one(tx, NOON)
        tx.give_up_sync(clean, "no such key")
        seen.append(stale(tx))
        tx.retry_dead(Mode.TEST, NOON)
        (dirty,) = take(tx, NOON)
        tx.finish_sync(dirty)
        tx.settle_events(Mode.TEST, CUSTOMER, NOON, NOON)
        return [*seen, stale(tx)]

    assert await store.transact(work) == [[CUSTOMER], [], [CUSTOMER], [], []]


async def test_customers_of_another_mode_are_never_taken(store: Store) -> None:
    def work(tx: Tx) -> list[DirtyCustomer]:
        tx.mark_dirty(Mode.LIVE, CUSTOMER, NOON)
        return take(tx, LATER) + take_one(tx, LATER)

    assert await store.transact(work) == []


async def test_a_dirty_customer_is_taken_when_it_is_due_and_not_before(store: Store) -> None:
    def work(tx: Tx) -> list[list[DirtyCustomer]]:
        tx.mark_dirty(Mode.TEST, CUSTOMER, LATER)
        return [take(tx, NOON), take(tx, LATER)]

    taken = DirtyCustomer(Mode.TEST, CUSTOMER, 1, "token", 0)
    assert await store.transact(work) == [[], [taken]]


@pytest.mark.parametrize(("first", "second"), [(NOON, LATER), (LATER, NOON)])
async def test_hints_raise_the_generation_and_the_earlier_time_stays(
    store: Store, first: datetime, second: datetime
) -> None:
    def work(tx: Tx) -> list[int]:
        tx.mark_dirty(Mode.TEST, CUSTOMER, first)
        tx.mark_dirty(Mode.TEST, CUSTOMER, second)
        return [dirty.gen for dirty in take(tx, NOON)]

    assert await store.transact(work) == [2]


async def test_a_hint_after_a_finished_reading_is_due_at_its_own_time(store: Store) -> None:
    def work(tx: Tx) -> tuple[bool, list[DirtyCustomer], int]:
        tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
        (dirty,) = take(tx, NOON)
        finished = tx.finish_sync(dirty)
        clean = take(tx, LATER)
        tx.mark_dirty(Mode.TEST, CUSTOMER, LATER)
        return finished, clean + take(tx, NOON), len(take(tx, LATER))

    assert await store.transact(work) == (True, [], 1)


async def test_a_hint_during_a_reading_leaves_the_customer_due(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
        (dirty,) = take(tx, NOON)
        tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
        tx.finish_sync(dirty)
        return [again.gen for again in take(tx, NOON)]

    assert await store.transact(work) == [2]


async def test_a_leased_customer_is_taken_again_only_when_the_lease_ran_out_and_then_fenced(
    store: Store,
) -> None:
    def work(tx: Tx) -> tuple[list[DirtyCustomer], bool, bool]:
        tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
        (slow,) = take(tx, NOON, "slow")
        early = take(tx, NOON, "quick") + take_one(tx, NOON, "quick")
        (quick,) = take(tx, LATER, "quick")
        return early, tx.finish_sync(slow), tx.finish_sync(quick)

    assert await store.transact(work) == ([], False, True)


async def test_one_customer_can_be_taken_though_it_is_clean_or_not_due(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        unknown = len(take_one(tx, NOON))
        tx.mark_dirty(Mode.TEST, CUSTOMER, LATER)
        (not_due,) = take_one(tx, NOON)
        tx.finish_sync(not_due)
        return [unknown, not_due.gen, len(take_one(tx, NOON))]

    assert await store.transact(work) == [0, 1, 1]


async def test_a_failed_reading_is_due_again_later_and_counted(store: Store) -> None:
    def work(tx: Tx) -> list[list[int]]:
        tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
        (dirty,) = take(tx, NOON)
        tx.fail_sync(dirty, LATER, "Stripe is away")
        tx.fail_sync(dirty, NOON, "by one who has lost the lease")
        return [[again.fails for again in take(tx, now)] for now in (NOON, LATER)]

    assert await store.transact(work) == [[], [1]]


async def test_customers_are_taken_oldest_first_up_to_the_limit_and_only_in_their_mode(store: Store) -> None:
    def work(tx: Tx) -> tuple[list[CustomerId], list[CustomerId]]:
        for number in (2, 0, 1):
            tx.mark_dirty(Mode.TEST, CustomerId(f"cus_{number}"), NOON + number * timedelta(seconds=1))
        first = sorted(dirty.customer for dirty in take(tx, LATER, limit=2))
        return first, [dirty.customer for dirty in take(tx, LATER)]

    assert await store.transact(work) == ([CustomerId("cus_0"), CustomerId("cus_1")], [CustomerId("cus_2")])


async def test_many_who_claim_at_once_take_each_customer_once(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for number in range(20):
            tx.mark_dirty(Mode.TEST, CustomerId(f"cus_{number}"), NOON)

    await store.transact(fill)
    taken = await asyncio.gather(*(store.transact(lambda tx: take(tx, NOON, limit=4)) for _ in range(12)))
    customers = [dirty.customer for each in taken for dirty in each]
    assert len(customers) == len(set(customers))
    customers += [dirty.customer for dirty in await store.transact(lambda tx: take(tx, NOON, limit=20))]
    assert len(customers) == len(set(customers)) == 20


async def test_the_depth_of_the_queue_is_what_waits_and_since_when(store: Store) -> None:
    def work(tx: Tx) -> list[tuple[int, datetime | None]]:
        depths = [tx.queue_depth(NOON)]
        for number in range(3):
            tx.mark_dirty(Mode.TEST, CustomerId(f"cus_{number}"), LATER + number * MINUTE)
        depths += [tx.queue_depth(NOON), tx.queue_depth(LATER + MINUTE)]
        for dirty in take(tx, LATER):
            tx.finish_sync(dirty)
        return [*depths, tx.queue_depth(LATER)]

    assert await store.transact(work) == [(0, None), (3, None), (3, LATER), (2, None)]
