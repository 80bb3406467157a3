"""Calls owed to Stripe: done for the right subscription, whatever happened since they were owed."""

from __future__ import annotations

from datetime import timedelta

from engine.audit import Actor, Origin
from engine.domain import TierName
from engine.facts import Mode, PaymentStatus, SubscriptionId
from engine.terms import LetterKind
from tests.engine.conftest import ALICE
from tests.fakes.stripe import FaultKind
from tests.money.conftest import Till

SHELL = Actor("console:root", Origin.CONSOLE)


async def read(till: Till) -> None:
    """Let the news arrive and be read, and leave what is owed to Stripe."""
    await till.stripe.courier.settled()
    till.clock.advance(timedelta(seconds=2))
    while await till.subscriptions.work():
        pass


def second(till: Till) -> str:
    """Another subscription of Alice's, made past Checkout."""
    customer = str(till.stripe.world.rows("customer")[0]["id"])
    price = till.stripe.prices["premium_monthly_v1"]
    return str(till.stripe.drive.add_subscription(customer, price)["id"])


def statuses(till: Till, *names: str) -> list[str]:
    """What Stripe says of these subscriptions."""
    found = {row["id"]: str(row["status"]) for row in till.stripe.world.rows("subscription")}
    return [found[name] for name in names]


async def test_a_second_subscription_that_has_become_the_only_one_is_not_ended(till: Till) -> None:
    first = await till.paid()
    other = second(till)
    await read(till)
    till.stripe.courier.hold()
    till.stripe.drive.cancel_subscription(first)
    await till.duties.work()
    till.stripe.courier.release()
    await till.settle()
    assert statuses(till, first, other) == ["canceled", "active"]
    assert till.stripe.world.rows("refund") == []
    assert await till.tier() is TierName.PREMIUM


async def test_of_two_subscriptions_one_stays_although_they_change_places(till: Till) -> None:
    first = await till.paid()
    other = second(till)
    till.stripe.drive.fail_renewal(first)
    await read(till)
    till.stripe.drive.recover(first)
    await read(till)
    await till.settle()
    assert statuses(till, first, other) == ["active", "canceled"]
    assert len(till.stripe.world.rows("refund")) == 1


async def test_what_was_left_alone_is_ended_when_it_has_to_be_after_all(till: Till) -> None:
    first = await till.paid()
    other = second(till)
    await read(till)
    till.stripe.courier.hold()
    till.stripe.drive.cancel_subscription(first)
    await till.duties.work()
    till.stripe.courier.release()
    await till.settle()
    third = second(till)
    till.stripe.drive.fail_renewal(other)
    await till.settle()
    assert statuses(till, other, third) == ["canceled", "active"]


async def test_a_payment_is_given_back_although_giving_it_back_failed_at_first(till: Till) -> None:
    await till.paid()
    other = second(till)
    till.stripe.faults.add(FaultKind.STATUS, "POST /v1/refunds", times=None)
    await till.settle()
    assert statuses(till, other) == ["canceled"]
    till.stripe.faults.clear()
    till.clock.advance(timedelta(minutes=10))
    await till.settle()
    assert len(till.stripe.world.rows("refund")) == 1


async def test_a_subscription_whose_lost_dispute_was_forgiven_is_not_ended_any_more(till: Till) -> None:
    first = await till.paid()
    till.stripe.faults.add(FaultKind.STATUS, "DELETE /v1/subscriptions", times=None, status=403)
    dispute = till.stripe.drive.dispute(till.stripe.drive.charge_of(first)["id"])
    till.stripe.drive.close_dispute(dispute["id"], "lost")
    for _ in range(12):
        await till.settle()
        till.clock.advance(timedelta(minutes=10))
    (letter,) = await till.store.read(lambda tx: tx.dead_letters(Mode.TEST))
    assert letter.kind is LetterKind.DUTY
    await till.subscriptions.forgive(ALICE, SHELL)
    till.stripe.faults.clear()
    now = till.clock.now()
    await till.store.transact(lambda tx: tx.retry_dead(Mode.TEST, now))
    await till.settle()
    assert statuses(till, first) == ["active"]
    assert await till.tier() is TierName.PREMIUM


async def test_what_was_ended_is_read_at_once_and_needs_no_event(till: Till) -> None:
    await till.paid()
    other = second(till)
    await read(till)
    till.stripe.courier.stop()
    await till.settle()
    found = {sub.id: sub.status for sub in await till.facts()}
    assert found[SubscriptionId(other)] is PaymentStatus.CANCELED
