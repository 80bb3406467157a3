"""What Stripe tells of somebody who was erased counts, and is not kept."""

from __future__ import annotations

import asyncio
import threading

import pytest

from engine.audit import Actor, Origin
from engine.erasing import Erasing, NotErased, erase
from engine.erasure import Erased
from engine.facts import BillingEvent, CustomerId, EventId, Mode
from engine.ledger import Tx
from tests.conftest import DATABASES
from tests.engine.conftest import ALICE, BOB
from tests.engine.test_erasing import nobody
from tests.fakes.pulse import PATIENCE, Pulse
from tests.money.conftest import Till
from tests.storage.makers import rows

ADA = Actor("console:ada", Origin.CONSOLE)
WITH_PAYLOAD = "SELECT COUNT(*) FROM stripe_event WHERE LENGTH(payload) > 0"


async def erased(till: Till) -> Erased:
    """Erase Alice."""
    done = await Erasing(till.store, till.clock, Mode.TEST).erase(ADA, ALICE, nobody)
    assert isinstance(done, Erased)
    return done


async def ending(till: Till) -> str:
    """Let Alice have a subscription that ends by itself, so that she may be erased."""
    sub = await till.paid()
    till.stripe.drive.cancel_subscription(sub, at_period_end=True)
    await till.settle()
    return sub


async def test_events_that_wait_to_be_read_lose_what_they_say_and_are_still_applied(
    till: Till, database_url: str
) -> None:
    sub = await ending(till)
    till.stripe.drive.cancel_subscription(sub)
    await till.stripe.courier.settled()
    waiting = "SELECT COUNT(*) FROM stripe_event WHERE status = 'pending'"
    waited = rows(database_url, waiting)
    assert waited != [(0,)]
    await erased(till)
    assert (rows(database_url, waiting), rows(database_url, WITH_PAYLOAD)) == (waited, [(0,)])
    await till.settle()
    assert rows(database_url, waiting) == [(0,)]
    assert rows(database_url, "SELECT DISTINCT payment_status FROM subscription") == [("canceled",)]


async def test_events_of_a_customer_they_had_before_lose_what_they_say_too(
    till: Till, database_url: str
) -> None:
    await till.paid()
    till.stripe.drive.delete_customer(till.stripe.world.rows("customer")[0]["id"])
    await till.settle()
    assert rows(database_url, "SELECT COUNT(*) FROM former_customer") == [(1,)]
    assert rows(database_url, WITH_PAYLOAD) != [(0,)]
    await erased(till)
    assert rows(database_url, WITH_PAYLOAD) == [(0,)]


async def test_what_comes_later_counts_once_and_is_applied_and_says_nothing(
    till: Till, database_url: str
) -> None:
    sub = await ending(till)
    await erased(till)
    before = till.stripe.courier.deliveries.copy()
    till.stripe.drive.cancel_subscription(sub)
    await till.settle()
    late = {each.event for each in till.stripe.courier.deliveries[len(before) :]}
    assert late
    for event in late | {before[-1].event}:
        till.stripe.courier.redeliver(event)
    await till.settle()
    known = [name for (name,) in rows(database_url, "SELECT id FROM stripe_event")]
    assert late <= set(known)
    assert rows(database_url, WITH_PAYLOAD) == [(0,)]
    assert rows(database_url, "SELECT DISTINCT payment_status FROM subscription") == [("canceled",)]
    assert set(rows(database_url, "SELECT status FROM stripe_event")) == {("applied",), ("ignored",)}


@pytest.mark.parametrize("database_url", DATABASES[1:], indirect=True)
async def test_what_comes_while_they_are_being_erased_is_applied_and_not_kept_either(
    till: Till, database_url: str
) -> None:
    """On SQLite there is one unit of work at a time."""
    sub = await ending(till)
    done, go = threading.Event(), threading.Event()
    now, pulse = till.clock.now(), Pulse()

    def work(tx: Tx) -> Erased | NotErased:
        found = erase(tx, ADA, ALICE, "erased:1", Mode.TEST, now)
        done.set()
        go.wait(PATIENCE)
        return found

    at_it = asyncio.create_task(till.store.transact(work))
    await pulse.until(done.is_set)
    known = len(till.stripe.courier.deliveries)
    till.stripe.drive.cancel_subscription(sub)
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    try:
        await pulse.until(lambda: rows(database_url, waits) or till.stripe.courier.deliveries[known:])
    finally:
        go.set()
    assert isinstance(await at_it, Erased)
    await till.settle()
    assert till.stripe.courier.deliveries[known:]
    assert rows(database_url, WITH_PAYLOAD) == [(0,)]
    assert rows(database_url, "SELECT DISTINCT payment_status FROM subscription") == [("canceled",)]


async def test_what_others_events_say_stays(till: Till, database_url: str) -> None:
    await till.buy(person=BOB)
    await till.settle()
    theirs = rows(database_url, WITH_PAYLOAD)
    assert theirs != [(0,)]
    await ending(till)
    await erased(till)
    assert rows(database_url, WITH_PAYLOAD) == theirs


@pytest.mark.parametrize("before", [False, True])
async def test_the_proof_finds_what_an_event_says_of_who_was_erased(till: Till, *, before: bool) -> None:
    """Of the customer that they were, and of one that they had been `before`."""
    sub = await till.paid()
    customer = CustomerId(till.stripe.world.rows("customer")[0]["id"])
    if before:
        till.stripe.drive.delete_customer(customer)
    else:
        till.stripe.drive.cancel_subscription(sub)
    await till.settle()
    done, now = await erased(till), till.clock.now()
    erasing = Erasing(till.store, till.clock, Mode.TEST)
    searched, found = await erasing.search(done, ALICE)
    assert found == []
    late = BillingEvent(EventId("evt_late"), "x", now, Mode.TEST, customer, relevant=False, payload=b"{}")
    await till.store.transact(lambda tx: tx.store_event(late, now, matters=False))
    assert await erasing.search(done, ALICE) == (searched, ["stripe_event.payload"])
