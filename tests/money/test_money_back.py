"""Disputes and refunds: told once each, by the newest look, whoever reads them and when."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from engine.audit import Actor, Origin
from engine.domain import TierName
from engine.facts import CustomerId, DisputeStage, Mode
from engine.ledger import Tx
from engine.notices import NoticeKind
from tests.engine.conftest import ALICE
from tests.fakes.stripe import FaultKind
from tests.money.conftest import Till, open_till
from tests.money.test_duties import second

SHELL = Actor("console:root", Origin.CONSOLE)


async def test_a_slow_look_into_a_dispute_does_not_hide_that_it_was_won_since(till: Till) -> None:
    first = await till.paid()
    other = open_till(till.store, till.clock, till.stripe)
    slow = till.stripe.faults.add(FaultKind.DELAY, "GET /v1/charges", times=1)
    slow.gate = asyncio.Event()
    dispute = till.stripe.drive.dispute(till.stripe.drive.charge_of(first)["id"])
    await till.stripe.courier.settled()
    looking = asyncio.create_task(till.duties.work())
    await slow.reached.wait()
    till.clock.advance(timedelta(seconds=1))
    till.stripe.drive.close_dispute(dispute["id"], "won")
    await till.stripe.courier.settled()
    while await other.duties.work():
        pass
    slow.gate.set()
    await looking
    await other.gateway.aclose()
    await till.settle()
    assert await till.tier() is TierName.PREMIUM


async def test_an_inquiry_that_was_there_when_disputes_were_forgiven_may_still_become_one(till: Till) -> None:
    first = await till.paid()
    inquiry = till.stripe.drive.inquiry(till.stripe.drive.charge_of(first)["id"])
    await till.settle()
    assert await till.subscriptions.forgive(ALICE, SHELL) == 0
    till.stripe.drive.change_dispute(inquiry["id"], "needs_response")
    await till.settle()
    assert await till.tier() is TierName.FREE


async def told(till: Till) -> list[NoticeKind]:
    """The kinds of what Alice was told."""
    return [each.kind for each in await till.notices()]


async def test_a_refund_is_told_although_the_end_of_its_subscription_was_told_before(till: Till) -> None:
    first = await till.paid()
    charge = till.stripe.drive.charge_of(first)["id"]
    till.stripe.drive.cancel_subscription(first)
    await till.settle()
    till.stripe.drive.refund(charge)
    await till.settle()
    assert await told(till) == [NoticeKind.ACTIVATED, NoticeKind.ENDED, NoticeKind.REFUNDED]


async def test_the_refund_of_a_second_subscription_is_told(till: Till) -> None:
    await till.paid()
    second(till)
    await till.settle()
    assert await told(till) == [NoticeKind.ACTIVATED, NoticeKind.REFUNDED]
    assert await till.tier() is TierName.PREMIUM


async def test_a_refund_that_fails_is_not_told_as_another_one(till: Till) -> None:
    first = await till.paid()
    refund = till.stripe.drive.refund(till.stripe.drive.charge_of(first)["id"], 400)
    await till.settle()
    till.stripe.drive.fail_refund(refund["id"])
    await till.settle()
    assert await told(till) == [NoticeKind.ACTIVATED, NoticeKind.REFUNDED]


async def test_a_dispute_of_a_customer_that_checkout_found_deleted_still_counts(till: Till) -> None:
    first = await till.paid()
    charge = till.stripe.drive.charge_of(first)["id"]
    customer = CustomerId(till.stripe.world.rows("customer")[0]["id"])
    till.stripe.drive.cancel_subscription(first)
    await till.settle()
    till.stripe.courier.hold()
    till.stripe.drive.delete_customer(customer)
    now = till.clock.now()

    def busy(tx: Tx) -> None:
        tx.mark_dirty(Mode.TEST, customer, now)
        tx.claim_dirty(Mode.TEST, now, now + timedelta(minutes=1), "other", 1, customer)

    await till.store.transact(busy)
    await till.buy()
    till.stripe.courier.release()
    till.stripe.drive.dispute(charge)
    await till.settle()

    def blocked(tx: Tx) -> bool:
        return bool(tx.claims(tx.lock_account(ALICE, now).id, Mode.TEST).has(DisputeStage.OPEN))

    assert await till.store.transact(blocked)
