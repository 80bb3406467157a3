"""Ends that time alone brings, worlds that must not touch each other, and readers that stop half-way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

import pytest

from billing.gateway import StripeGateway
from billing.simulated import SimulatedBilling
from engine.applying import reconsider
from engine.domain import TierName
from engine.errors import OutsideError
from engine.facts import CustomerId, Mode
from engine.ledger import Tx
from engine.notices import NoticeKind
from engine.subscriptions import Subscriptions
from engine.terms import DifferenceKind, Policy
from storage.store import Store
from tests.engine.conftest import ALICE
from tests.fakes.stripe import FaultKind
from tests.money.conftest import Till, open_till
from tests.money.mortal import Dying, Fuse, MortalBilling, MortalStore


async def test_the_end_of_a_cancelled_period_is_told_although_time_ended_the_tier_before(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.cancel_subscription(subscription, at_period_end=True)
    await till.settle()
    until = (await till.notices())[-1].until
    assert until is not None
    till.clock.set(until + timedelta(seconds=5))
    till.stripe.drive.cancel_subscription(subscription)
    await till.settle()
    assert (await till.notices())[-1].kind is NoticeKind.ENDED
    assert [change.after for change in await till.changes()] == [TierName.PREMIUM, TierName.FREE]


async def test_stripe_giving_up_after_the_grace_is_told(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.fail_renewal(subscription)
    await till.settle()
    till.clock.advance(timedelta(days=15))
    till.stripe.drive.give_up(subscription)
    await till.settle()
    assert (await till.notices())[-1].kind is NoticeKind.ENDED


async def test_an_end_that_no_subscription_explains_is_told_in_the_mode_it_happened_in(till: Till) -> None:
    await till.paid()
    now = till.clock.advance(timedelta(seconds=1))

    def vanish(tx: Tx) -> None:
        account = tx.lock_account(ALICE, now)
        tx.replace_subscriptions(account.id, Mode.TEST, (), now)
        reconsider(tx, account, Mode.TEST, now, Policy())

    await till.store.transact(vanish)
    told = (await till.notices())[-1]
    assert (told.kind, told.tier, told.mode) == (NoticeKind.ENDED, TierName.PREMIUM, Mode.TEST)


async def test_a_process_without_stripe_leaves_stripes_customers_alone(till: Till) -> None:
    await till.paid()
    customer = CustomerId(till.stripe.world.rows("customer")[0]["id"])
    now = till.clock.now()
    await till.store.transact(lambda tx: tx.mark_dirty(Mode.TEST, customer, now))
    simulated = SimulatedBilling(till.store, till.clock, "http://127.0.0.1")
    assert await Subscriptions(till.store, till.clock, simulated).work() == 0
    assert await till.tier() is TierName.PREMIUM


async def test_a_session_that_could_not_be_closed_is_closed_before_another_is_sold(till: Till) -> None:
    await till.buy()
    till.stripe.faults.add(FaultKind.STATUS, "POST /v1/checkout/sessions/", times=None)
    with pytest.raises(OutsideError):
        await till.buy(TierName.PRO)
    till.stripe.faults.clear()
    await till.buy(TierName.PRO)
    assert [row["status"] for row in till.stripe.world.rows("checkout.session")] == ["open", "expired"]


async def test_a_worker_that_stops_keeps_no_customer_from_the_next_one(till: Till) -> None:
    customers = [CustomerId("cus_one"), CustomerId("cus_two")]
    now = till.clock.now()
    for customer in customers:
        await till.store.transact(lambda tx, each=customer: tx.mark_dirty(Mode.TEST, each, now))  # type: ignore[misc]
    slow = till.stripe.faults.add(FaultKind.DELAY, "GET /v1/subscriptions", times=1)
    slow.gate = asyncio.Event()
    working = asyncio.create_task(till.subscriptions.work())
    await slow.reached.wait()
    working.cancel()
    await asyncio.wait({working})
    slow.gate.set()
    while await till.subscriptions.work():
        pass
    assert await till.store.read(lambda tx: tx.queue_depth(now)) == (0, None)


async def test_a_customer_made_by_a_crashed_purchase_is_found_days_later(till: Till) -> None:
    fuse = Fuse(3)  # dies once Stripe has made the customer
    gateway = cast("StripeGateway", MortalBilling(till.gateway, fuse))
    store = cast("Store", MortalStore(till.store, fuse))
    with pytest.raises(Dying):
        await open_till(store, till.clock, till.stripe, gateway=gateway).buy()
    [made] = till.stripe.world.rows("customer")
    till.clock.advance(timedelta(days=3))
    await till.buy()
    assert [row["id"] for row in till.stripe.world.rows("customer")] == [made["id"]]


async def test_a_lost_customer_beside_another_is_remembered_and_told_once(till: Till) -> None:
    await till.paid()
    account = till.stripe.world.rows("customer")[0]["metadata"]["account_id"]
    await till.gateway.create_customer(account, 7)
    first, second = await till.reconcile.run(), await till.reconcile.compare()
    assert [each.kind for each in first.differences] == [DifferenceKind.UNKNOWN_CUSTOMER]
    assert second.differences == ()


async def test_customers_of_other_installations_are_none_of_ours(till: Till) -> None:
    await till.gateway.create_customer("account-of-another-bot", 0)
    assert (await till.reconcile.compare()).differences == ()
