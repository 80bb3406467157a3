"""A second subscription beside a running one: nothing of ours sells it, and what others start does not last.

How it is ended and given back through failures and changes of mind: tests/money/test_duties.py.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.checkout import AlreadySubscribed
from engine.domain import Interval, TierName
from engine.duties import Duties
from engine.terms import DifferenceKind, Policy, SecondSubscription
from tests.engine.conftest import ALICE
from tests.money.conftest import Till
from tests.money.mortal import Dying, Fuse, MortalBilling, MortalStore
from tests.money.scenarios.book import book_of
from tests.money.scenarios.people import customer, subscription

ALERT = "several subscriptions of one customer may charge"


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Policy:
    """The newer one is ended and given back, unless a test is about leaving it to the operator."""
    left = "operator" in request.node.name
    return Policy(second_subscription=SecondSubscription.ALERT if left else SecondSubscription.REFUND)


async def started(till: Till, price: str = "pro_monthly_v1") -> tuple[str, str]:
    """Alice's own subscription, and one that somebody starts beside it in the dashboard a day later."""
    first = await till.paid()
    await till.pass_time(timedelta(days=1))
    beside = till.stripe.drive.add_subscription(await customer(till, ALICE), till.stripe.prices[price])
    await till.settle()
    return first, str(beside["id"])


def statuses(till: Till, *names: str) -> list[str]:
    """How subscriptions are at Stripe."""
    return [subscription(till, name)["status"] for name in names]


def given_back(till: Till, name: str) -> bool:
    """Whether all that was paid for a subscription is given back."""
    return bool(till.stripe.drive.charge_of(name)["refunded"])


async def test_the_newer_one_is_ended_and_given_back(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    first, second = await started(till)
    assert ALERT in caplog.messages
    assert statuses(till, first, second) == ["active", "canceled"]
    assert (given_back(till, first), given_back(till, second)) == (False, True)
    assert await till.tier() is TierName.PREMIUM
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    await till.pass_time(timedelta(days=1))
    assert len(till.stripe.world.rows("refund")) == 1
    assert await book_of(till.store) == book


async def test_the_one_whose_payment_fails_is_ended_though_it_is_older(till: Till) -> None:
    first = await till.paid()
    till.stripe.drive.fail_renewal(first)
    await till.settle()
    till.stripe.drive.refuse_cards(await customer(till, ALICE), refuse=False)
    till.clock.advance(timedelta(days=1))
    beside = till.stripe.drive.add_subscription(
        await customer(till, ALICE), till.stripe.prices["pro_monthly_v1"]
    )
    await till.settle()
    assert statuses(till, first, beside["id"]) == ["canceled", "active"]
    assert await till.tier() is TierName.PRO


async def test_a_process_that_dies_anywhere_in_ending_it_leaves_the_rest_to_the_next(till: Till) -> None:
    await till.paid()
    name, steps, alive = await customer(till, ALICE), 0, False
    while not alive:
        beside = till.stripe.drive.add_subscription(name, till.stripe.prices["premium_monthly_v1"])
        await till.stripe.courier.settled()
        till.clock.advance(timedelta(seconds=2))
        while await till.subscriptions.work():
            pass
        alive = await survives(till, steps)
        await till.pass_time(timedelta(minutes=2))
        steps += 1
        assert statuses(till, beside["id"]) == ["canceled"], steps
        assert len(till.stripe.world.rows("refund")) == steps
    assert steps > 4


async def survives(till: Till, steps: int) -> bool:
    """Whether a process that lives for so many steps does what is owed to Stripe in them."""
    fuse = Fuse(steps)
    store, billing = MortalStore(till.store, fuse), MortalBilling(till.gateway, fuse)
    duties = Duties(store, till.clock, billing, Policy(), lambda: None)
    try:
        await duties.work()
    except Dying:
        return False
    return True


async def test_a_second_one_that_is_left_to_the_operator_gives_one_tier_and_blocks_the_checkout(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = await started(till)
    assert ALERT in caplog.messages
    assert statuses(till, first, second) == ["active", "active"]
    assert till.stripe.world.rows("refund") == []
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert book.tiers[-1] is TierName.PRO
    kinds = {found.kind for found in (await till.reconcile.compare()).differences}
    assert kinds == {DifferenceKind.SEVERAL_RUNNING}
    sold = len(till.stripe.world.rows("checkout.session"))
    for tier in (TierName.PREMIUM, TierName.TEAM):
        assert isinstance(await till.checkout.upgrade(ALICE, tier, Interval.MONTH), AlreadySubscribed)
    assert len(till.stripe.world.rows("checkout.session")) == sold
    till.stripe.drive.cancel_subscription(second)
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
