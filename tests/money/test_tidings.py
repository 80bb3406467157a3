"""What the operator is told of money: each thing once, with the deed, by tier, amount and id."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from engine.alerts import Alert, AlertKind
from engine.domain import TierName
from engine.facts import Mode
from engine.subscriptions import FAILING, TRIES
from engine.tidings import amount, stripe_page
from tests.fakes.stripe import FaultKind
from tests.money.conftest import Till, open_till


async def alerts(till: Till) -> list[Alert]:
    """What was raised since this was asked before."""
    now = till.clock.now()
    return list(await till.store.transact(lambda tx: tx.address_alerts([], [], now, 1000)))


async def told(till: Till) -> list[tuple[AlertKind, str]]:
    """Kinds and details of it."""
    return [(each.kind, each.detail) for each in await alerts(till)]


async def test_a_payment_is_told_once_with_tier_amount_and_id_and_leads_to_stripe(till: Till) -> None:
    await till.paid()
    (customer,) = till.stripe.world.rows("customer")
    await till.subscriptions.sync(customer["id"])
    (alert,) = await alerts(till)
    assert (alert.kind, alert.subject) == (AlertKind.PAYMENT, "local:alice")
    assert alert.detail == "TEST MODE: premium, 8.99 USD a month, begins to pay"
    assert alert.link == f"https://dashboard.stripe.com/test/customers/{customer['id']}"


async def test_an_upgrade_is_told_a_renewal_and_a_downgrade_are_not(till: Till) -> None:
    sub = await till.paid()
    await alerts(till)
    prices = {row["lookup_key"]: row["id"] for row in till.stripe.world.rows("price")}
    pro = next(name for key, name in prices.items() if key and "pro" in key and "month" in key)
    premium = next(name for key, name in prices.items() if key and "premium" in key and "month" in key)
    till.stripe.drive.change_price(sub, pro)
    await till.settle()
    assert await told(till) == [(AlertKind.PAYMENT, "TEST MODE: pro, 49.99 USD a month, pays more")]
    await till.pass_time(timedelta(days=32))
    till.stripe.drive.change_price(sub, premium)
    await till.settle()
    assert await told(till) == []


async def test_an_end_and_a_return_are_told(till: Till) -> None:
    sub = await till.paid()
    await alerts(till)
    till.stripe.drive.cancel_subscription(sub, at_period_end=True)
    await till.settle()
    ((kind, detail),) = await told(till)
    assert kind is AlertKind.CANCEL_SCHEDULED
    assert re.fullmatch(r"TEST MODE: premium, 8\.99 USD a month, until \d{4}-\d\d-\d\d", detail)
    till.stripe.drive.cancel_subscription(sub)
    await till.settle()
    ended = (AlertKind.SUBSCRIPTION_ENDED, "TEST MODE: premium, 8.99 USD a month, by choice")
    assert await told(till) == [ended]
    await till.paid(TierName.PRO)
    assert await told(till) == [(AlertKind.PAYMENT, "TEST MODE: pro, 49.99 USD a month, pays again")]


async def test_a_cancellation_that_is_taken_back_and_made_again_is_told_again(till: Till) -> None:
    sub = await till.paid()
    await alerts(till)
    for _ in range(2):
        till.stripe.drive.cancel_subscription(sub, at_period_end=True)
        await till.settle()
        till.stripe.drive.resume_subscription(sub)
        await till.settle()
    assert [kind for kind, _ in await told(till)] == [AlertKind.CANCEL_SCHEDULED] * 2


async def test_a_failed_payment_is_told_when_it_begins_to_fail_and_not_at_each_retry(till: Till) -> None:
    sub = await till.paid()
    await alerts(till)
    till.stripe.drive.fail_renewal(sub)
    await till.settle()
    assert await told(till) == [(AlertKind.PAYMENT_FAILED, "TEST MODE: premium, 8.99 USD a month")]
    for _ in range(3):
        till.stripe.drive.retry_fails(sub)
        await till.pass_time(timedelta(days=1))
    assert await told(till) == []
    till.stripe.drive.recover(sub)
    await till.settle()
    till.stripe.drive.fail_renewal(sub)
    await till.settle()
    assert [kind for kind, _ in await told(till)] == [AlertKind.PAYMENT_FAILED]


async def test_a_dispute_is_told_when_it_is_opened_and_when_it_is_over(till: Till) -> None:
    sub = await till.paid()
    await alerts(till)
    dispute = till.stripe.drive.dispute(till.stripe.drive.charge_of(sub)["id"])
    await till.settle()
    opened = [each for each in await alerts(till) if each.kind is AlertKind.DISPUTE_OPENED]
    assert [(each.subject, each.detail) for each in opened] == [("local:alice", "TEST MODE: 8.99 USD, open")]
    assert opened[0].link == f"https://dashboard.stripe.com/test/disputes/{dispute['id']}"
    till.stripe.drive.close_dispute(dispute["id"], "won")
    await till.settle()
    closed = [each for each in await told(till) if each[0] is AlertKind.DISPUTE_CLOSED]
    assert closed == [(AlertKind.DISPUTE_CLOSED, "TEST MODE: 8.99 USD, won")]


async def test_each_part_of_a_refund_is_told_once_with_what_came_back(till: Till) -> None:
    sub = await till.paid()
    await alerts(till)
    charge = till.stripe.drive.charge_of(sub)["id"]
    till.stripe.drive.refund(charge, 300)
    await till.settle()
    assert await told(till) == [(AlertKind.REFUNDED, "TEST MODE: 3.00 USD, a part")]
    till.stripe.drive.refund(charge)
    await till.settle()
    refunds = [detail for kind, detail in await told(till) if kind is AlertKind.REFUNDED]
    assert refunds == ["TEST MODE: 5.99 USD, all of it"]


async def test_processes_that_read_together_tell_each_thing_once(till: Till) -> None:
    await till.buy()
    till.stripe.drive.pay(till.session())
    await till.stripe.courier.settled()
    other = open_till(till.store, till.clock, till.stripe)
    till.clock.advance(timedelta(seconds=2))
    while await till.work() + await other.work():
        till.clock.advance(timedelta(seconds=2))
    await other.gateway.aclose()
    assert [kind for kind, _ in await told(till)] == [AlertKind.PAYMENT]


async def test_a_customer_that_cannot_be_read_for_long_is_told_once_and_goes_on_being_tried(
    till: Till,
) -> None:
    await till.paid()
    await alerts(till)
    (customer,) = till.stripe.world.rows("customer")
    till.stripe.faults.add(FaultKind.STATUS, "GET /v1/subscriptions", times=None, status=503)
    await till.store.transact(lambda tx: tx.mark_dirty(Mode.TEST, customer["id"], till.clock.now()))
    for _ in range(FAILING + 5):
        await till.subscriptions.work()
        till.clock.advance(timedelta(minutes=11))
    (alert,) = await alerts(till)
    assert (alert.kind, alert.subject) == (AlertKind.SYNC_FAILING, customer["id"])


async def test_what_was_given_up_is_told_and_that_stripe_refuses_us(till: Till) -> None:
    await till.paid()
    await alerts(till)
    (customer,) = till.stripe.world.rows("customer")
    till.stripe.faults.add(FaultKind.STATUS, "GET /v1/subscriptions", times=None, status=401)
    await till.store.transact(lambda tx: tx.mark_dirty(Mode.TEST, customer["id"], till.clock.now()))
    for _ in range(TRIES):
        await till.subscriptions.work()
        till.clock.advance(timedelta(minutes=11))
    found = await alerts(till)
    dead = [each for each in found if each.kind is AlertKind.DEAD_LETTER]
    assert [each.subject for each in dead] == [f"customer {customer['id']}"]
    refused = [each for each in found if each.kind is AlertKind.NEEDS_OPERATOR]
    hours = {f"{each.at:%Y-%m-%dT%H}" for each in refused}
    assert len(refused) == len(hours) < TRIES


async def test_drift_is_told_with_what_differed_and_nothing_is_where_all_agree(till: Till) -> None:
    await till.paid()
    await till.reconcile.run()
    assert AlertKind.DRIFT not in [kind for kind, _ in await told(till)]
    sub = till.stripe.world.rows("subscription")[0]
    sub["status"] = "unpaid"
    await till.reconcile.run()
    drift = [each for each in await alerts(till) if each.kind is AlertKind.DRIFT]
    assert [each.subject for each in drift] == ["1 of 1"]
    assert "status: active here, unpaid at Stripe" in drift[0].detail


@pytest.mark.parametrize(
    ("mode", "page"),
    [
        (Mode.LIVE, "https://dashboard.stripe.com/customers/cus_1"),
        (Mode.TEST, "https://dashboard.stripe.com/test/customers/cus_1"),
        (Mode.SIMULATED, "/admin"),
    ],
)
def test_a_link_leads_into_the_right_mode(mode: Mode, page: str) -> None:
    assert stripe_page(mode, "customers", "cus_1") == page


@pytest.mark.parametrize(
    ("micros", "words"),
    [(8_990_000, "8.99 USD"), (-5_000, "-0.01 USD"), (0, "0.00 USD"), (4_999, "0.00 USD")],
)
def test_an_amount_has_two_places(micros: int, words: str) -> None:
    assert amount(micros) == words
