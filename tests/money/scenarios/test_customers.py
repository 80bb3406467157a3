"""Customers that are missing, deleted, or of another mode, and prices that are not there.

Shown elsewhere: a customer deleted before it bought anything is replaced (tests/money/test_payment.py), and
what the gateway makes of deleted customers and absent prices (tests/billing/test_gateway*.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from billing.simulated import SimulatedBilling
from engine.checkout import Blocked, CheckoutLink, NothingToManage
from engine.domain import Interval, TierName
from engine.errors import TellOperatorError
from engine.facts import CustomerId, CustomerRecord, Mode, PaymentStatus
from engine.figures import MovementKind
from engine.notices import NoticeKind
from tests.billing.conftest import gateway_on
from tests.billing.simulated_till import PRICED
from tests.engine.conftest import ALICE
from tests.money.conftest import Till, open_till
from tests.money.scenarios.people import (
    account,
    buys,
    customer,
    movements,
    night_falls,
    notices,
    record,
)


@pytest.mark.parametrize("named", ["", "price_never", "archived"])
async def test_no_customer_is_made_for_a_price_that_is_missing(till: Till, named: str) -> None:
    for row in till.stripe.world.rows("price"):
        row["active"] = False
    price = till.stripe.prices["premium_monthly_v1"] if named == "archived" else named
    wanted: dict[tuple[TierName, Interval], str] = (
        {(TierName.PREMIUM, Interval.MONTH): price} if named else {}
    )
    gateway = gateway_on(till.stripe, till.clock, wanted)
    shop = open_till(till.store, till.clock, till.stripe, gateway=gateway)
    with pytest.raises(TellOperatorError):
        await shop.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    await gateway.aclose()
    assert {seen.method for seen in till.stripe.log} == {"GET"}
    known = await record(till, ALICE)
    assert known is None or known.customer is None


async def test_a_simulated_price_that_is_missing_is_found_before_anything_is_made(till: Till) -> None:
    simulated = SimulatedBilling(till.store, till.clock, "http://127.0.0.1", PRICED)
    await simulated.check_price(TierName.PRO, Interval.YEAR)
    with pytest.raises(TellOperatorError):
        await simulated.check_price(TierName.FREE, Interval.MONTH)


async def test_deleting_a_customer_ends_what_it_paid_for_and_it_can_buy_again(till: Till) -> None:
    await buys(till, ALICE)
    first = await customer(till, ALICE)
    till.stripe.drive.delete_customer(first)
    await till.settle()
    assert await till.tier() is TierName.FREE
    known = await record(till, ALICE)
    assert known
    assert known.customer is None
    assert [each.kind for each in await notices(till, ALICE)] == [NoticeKind.ACTIVATED, NoticeKind.ENDED]
    await buys(till, ALICE, TierName.PRO)
    assert await till.tier() is TierName.PRO
    assert await customer(till, ALICE) != first
    moved = [each.kind for each in await movements(till, ALICE)]
    assert moved == [MovementKind.NEW, MovementKind.CHURN, MovementKind.REACTIVATION]


async def test_a_customer_whose_deletion_nobody_told_is_found_at_night(till: Till) -> None:
    await buys(till, ALICE)
    till.stripe.courier.stop()
    till.stripe.drive.delete_customer(await customer(till, ALICE))
    till.stripe.world.tables["event"].clear()
    await night_falls(till)
    assert await till.tier() is TierName.FREE
    assert (await till.reconcile.compare()).differences == ()


async def test_what_stripe_has_lost_altogether_is_over_and_not_forgotten(till: Till) -> None:
    await buys(till, ALICE)
    for kind in ("customer", "subscription", "event"):
        till.stripe.world.tables[kind].clear()
    await night_falls(till)
    assert await till.tier() is TierName.FREE
    assert [each.status for each in await till.facts()] == [PaymentStatus.CANCELED]
    assert (await notices(till, ALICE))[-1].kind is NoticeKind.ENDED
    assert (await till.reconcile.compare()).differences == ()


async def test_late_news_of_a_deleted_customer_do_not_touch_what_was_bought_since(till: Till) -> None:
    old = await buys(till, ALICE)
    till.stripe.courier.hold()
    till.stripe.drive.delete_customer(await customer(till, ALICE))
    await buys(till, ALICE, TierName.PRO)
    till.stripe.courier.release(shuffle=True, copies=2)
    await till.settle()
    assert await till.tier() is TierName.PRO
    assert [each.id for each in await till.facts() if each.id == old] == []


async def test_a_dispute_over_what_a_deleted_customer_paid_still_stands_against_its_member(
    till: Till,
) -> None:
    charge = till.stripe.drive.charge_of(await buys(till, ALICE))
    till.stripe.drive.delete_customer(await customer(till, ALICE))
    await till.settle()
    till.stripe.drive.dispute(charge["id"])
    await till.settle()
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PRO, Interval.MONTH), Blocked)


@pytest.fixture
async def live(till: Till) -> AsyncIterator[Till]:
    """The same database once a live key is in the place of the test key under which Alice bought."""
    await buys(till, ALICE)
    till.stripe.drive.go_live()
    till.stripe.prices |= till.stripe.drive.stock()
    gateway = gateway_on(till.stripe, till.clock, key="sk_live_fake")
    yield open_till(till.store, till.clock, till.stripe, gateway=gateway)
    await gateway.aclose()


async def test_what_was_bought_in_test_mode_counts_for_nothing_under_a_live_key(live: Till) -> None:
    assert await live.tier() is TierName.FREE
    assert isinstance(await live.checkout.portal(ALICE), NothingToManage)
    await live.reconcile.run()
    await live.settle()
    tried = await customer(live, ALICE)
    assert isinstance(await live.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), CheckoutLink)
    assert await customer(live, ALICE, Mode.LIVE) != tried
    assert await customer(live, ALICE) == tried


async def test_a_test_customer_that_was_taken_into_live_mode_is_replaced(live: Till) -> None:
    name = await account(live, ALICE)
    stray = CustomerRecord(name, Mode.LIVE, CustomerId(await customer(live, ALICE)), 0)
    await live.store.transact(lambda tx: tx.save_customer(stray))
    assert isinstance(await live.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), CheckoutLink)
    (made,) = live.stripe.world.rows("customer")
    assert await customer(live, ALICE, Mode.LIVE) == made["id"]
    live.stripe.drive.pay(live.session())
    await live.settle()
    assert await live.subscriptions.sync(made["id"])
    assert await live.tier() is TierName.PREMIUM
