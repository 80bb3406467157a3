"""Simulated subscriptions as time passes and cards fail, each event delivered to a webhook receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from engine.domain import AccountId, Interval, TierName
from engine.errors import GiveUpError, GoneError
from engine.facts import Dispute, DisputeStage, Mode, PaymentStatus, Refund
from engine.ports import Billing, BillingRecords, Store
from engine.simulated import SimulatedDeed
from engine.terms import UsageReport
from tests.billing.inbox import Inbox
from tests.billing.simulated_till import ANNA, SimulatedTill, opened_till
from tests.fakes.clock import NOON, FakeClock

UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"
FAILED = "invoice.payment_failed"
PAID = "invoice.paid"


@pytest.fixture
async def till(store: Store, clock: FakeClock, inbox: Inbox) -> AsyncIterator[SimulatedTill]:
    async with opened_till(store, clock, inbox) as opened:
        yield opened


async def test_it_is_billing_with_its_long_lists(till: SimulatedTill) -> None:
    ports: tuple[Billing, BillingRecords] = (till.billing, till.billing)
    assert ports[0].mode is Mode.SIMULATED


async def test_a_subscription_brings_in_its_price_by_the_month_with_its_seats(till: SimulatedTill) -> None:
    sub = await till.buy(TierName.TEAM, interval=Interval.YEAR, quantity=7)
    assert (sub.mrr, sub.currency) == (Fraction(400_000_000, 12), "usd")
    assert (sub.quantity, sub.item.startswith("sim_si_")) == (7, True)
    assert sub.card_expires == datetime(2030, 12, 1, tzinfo=UTC)
    assert sub.latest_invoice
    assert (sub.open_invoice, sub.past_due_since, sub.pay_url, sub.trialed) == (None, None, None, False)


async def test_a_trial_is_told_three_days_before_its_end_and_then_paid(till: SimulatedTill) -> None:
    sub = await till.buy(trial_days=7)
    end = NOON + timedelta(days=7)
    assert (sub.status, sub.trial_end, sub.period_end) == (PaymentStatus.TRIALING, end, end)
    assert sub.trialed
    await till.passes(days=4)
    await till.hears("customer.subscription.trial_will_end")
    await till.passes(days=3)
    await till.hears(UPDATED, PAID)
    sub = await till.sub()
    assert (sub.status, sub.period_end) == (PaymentStatus.ACTIVE, datetime(2027, 1, 1, 12, tzinfo=UTC))
    assert (sub.trialed, sub.trial_end) == (True, end)


async def test_a_failed_renewal_is_tried_again_on_days_3_5_and_7_and_ends_after_21(
    till: SimulatedTill,
) -> None:
    await till.buy()
    said = await till.simulation.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
    assert said.startswith("SIMULATED: ")
    await till.hears(UPDATED, FAILED, UPDATED)
    sub = await till.sub()
    assert (sub.status, sub.past_due_since) == (PaymentStatus.PAST_DUE, NOON)
    assert sub.open_invoice == sub.latest_invoice
    assert sub.pay_url == f"http://127.0.0.1:8080/simulated/invoice/{sub.open_invoice}"
    for days in (3, 2, 2):
        await till.passes(days=days)
        await till.hears(FAILED, UPDATED)
    assert (await till.sub()).past_due_since == NOON
    await till.passes(days=13, hours=23)
    assert (await till.sub()).status is PaymentStatus.PAST_DUE
    await till.passes(hours=1)
    await till.hears(DELETED, "invoice.voided")
    sub = await till.sub()
    assert (sub.status, sub.end_reason) == (PaymentStatus.CANCELED, "payment_failed")
    assert sub.ended_at == NOON + timedelta(days=21)


async def test_a_leap_over_everything_ends_where_small_steps_do(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
    await till.passes(days=40)
    await till.hears(UPDATED, FAILED, UPDATED, *(FAILED, UPDATED) * 3, DELETED, "invoice.voided")
    sub = await till.sub()
    assert (sub.ended_at, sub.end_reason) == (NOON + timedelta(days=21), "payment_failed")


async def test_a_new_card_pays_what_is_open_and_the_next_renewal(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
    await till.hears(UPDATED, FAILED, UPDATED)
    await till.simulation.do(ANNA, SimulatedDeed.RECOVER)
    await till.hears("customer.updated", PAID, UPDATED)
    sub = await till.sub()
    assert (sub.status, sub.open_invoice) == (PaymentStatus.ACTIVE, None)
    await till.passes(days=31)
    await till.hears(UPDATED, PAID)
    assert (await till.sub()).status is PaymentStatus.ACTIVE


async def test_the_page_of_an_open_invoice_pays_it_with_a_new_card(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
    await till.hears(UPDATED, FAILED, UPDATED)
    name = (await till.sub()).open_invoice or ""
    shown = await till.billing.invoice(name)
    assert (shown.amount, shown.tier, shown.open, shown.paid) == (9_000_000, TierName.PREMIUM, True, False)
    for _ in range(2):
        await till.billing.pay_invoice(name)
    await till.hears(PAID, UPDATED)
    assert (await till.billing.invoice(name)).paid
    assert (await till.sub()).status is PaymentStatus.ACTIVE
    for nothing in ("sim_in_none_1", name + "0", "nonsense", ""):
        with pytest.raises(GoneError):
            await till.billing.invoice(nothing)


async def test_a_card_that_has_expired_pays_no_renewal(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.EXPIRE_CARD)
    await till.hears("customer.updated")
    assert (await till.sub()).card_expires == datetime(2026, 12, 1, tzinfo=UTC)
    await till.passes(days=30)
    await till.hears(UPDATED, FAILED, UPDATED)
    assert (await till.sub()).status is PaymentStatus.PAST_DUE


async def test_a_deleted_customer_is_gone_and_its_subscription_over(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.DELETE_CUSTOMER)
    await till.hears(DELETED, "customer.deleted")
    facts = await till.billing.get_stripe_subscription_status(till.customer)
    assert (facts.gone, facts.subscriptions) == (True, ())
    with pytest.raises(GoneError):
        await till.portal()
    assert [each async for each in till.billing.customers()] == []
    assert "deleted" in await till.simulation.do(ANNA, SimulatedDeed.REFUND)
    assert "deleted" in await till.simulation.status(ANNA)


async def test_a_dispute_goes_through_its_stages_and_is_looked_into(till: SimulatedTill) -> None:
    await till.buy()
    for stage, kinds in (
        (DisputeStage.INQUIRY, ["created"]),
        (DisputeStage.OPEN, ["funds_withdrawn", "updated"]),
        (DisputeStage.WON, ["funds_reinstated", "closed"]),
    ):
        await till.simulation.dispute(ANNA, stage)
        before = till.heard
        await till.hears(*(f"charge.dispute.{kind}" for kind in kinds))
        event = till.billing.parse_webhook_event(*till.inbox.taken[before])
        assert event.customer is None
        assert event.subject
        found = await till.billing.look_into(event.subject)
        assert isinstance(found, Dispute)
        assert (found.stage, found.customer, found.amount) == (stage, till.customer, 9_000_000)
    assert "no payment" in await till.simulation.dispute(ANNA, DisputeStage.LOST)
    assert [each.stage async for each in till.billing.money_back(NOON) if isinstance(each, Dispute)] == [
        DisputeStage.WON
    ]


async def test_a_refund_is_whole_and_looked_into_by_charge(till: SimulatedTill) -> None:
    sub = await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.REFUND)
    await till.hears("charge.refunded", "refund.created")
    subjects = {till.billing.parse_webhook_event(*taken).subject or "" for taken in till.inbox.taken[-2:]}
    [charge] = subjects
    found = await till.billing.look_into(charge)
    assert isinstance(found, Refund)
    assert (found.amount, found.full, found.invoice) == (9_000_000, True, sub.latest_invoice)
    assert await till.billing.look_into(charge.replace("sim_ch_", "sim_re_")) == found
    assert [each async for each in till.billing.money_back(NOON)] == [found]
    assert [each async for each in till.billing.money_back(NOON + timedelta(days=1))] == []
    assert "no payment" in await till.simulation.do(ANNA, SimulatedDeed.REFUND)
    assert await till.billing.look_into("sim_ch_none") is None


async def test_ending_gives_the_newest_payment_back_if_asked_and_once(till: SimulatedTill) -> None:
    sub = await till.buy()
    for _ in range(2):
        await till.billing.end_subscription(sub.id, "duty-1", refund=True)
    await till.hears(DELETED, "charge.refunded", "refund.created")
    assert (await till.sub()).status is PaymentStatus.CANCELED
    with pytest.raises(GoneError):
        await till.billing.end_subscription("sim_sub_none", "duty-2", refund=False)


async def test_usage_is_taken_once_for_each_identifier_and_billed_with_the_next_renewal(
    till: SimulatedTill,
) -> None:
    sub = await till.buy(TierName.PRO)
    hour = NOON.replace(minute=0)

    async def report(identifier: str, units: int) -> None:
        account = AccountId("account-1")
        await till.billing.report_usage(
            UsageReport(identifier, account, Mode.SIMULATED, till.customer, hour, units, sealed_at=NOON)
        )

    await report("sim:item:1:0", 400)
    await report("sim:item:1:0", 999)
    await report("sim:item:2:0", 1_200)
    told = till.billing.reported_usage
    assert await told(till.customer, hour, hour + timedelta(hours=1)) == 1_600
    assert await told(till.customer, hour + timedelta(hours=1), hour + timedelta(hours=2)) == 0
    await till.passes(days=30)
    await till.hears(UPDATED, PAID)
    renewal = await till.billing.invoice((await till.sub()).latest_invoice or "")
    assert renewal.amount == 50_000_000 + 2_000_000
    await till.passes(days=20)
    with pytest.raises(GiveUpError):
        await report("sim:item:3:0", 1)
    assert sub.id == (await till.sub()).id


async def test_the_long_lists_have_everything(till: SimulatedTill) -> None:
    sub = await till.buy()
    assert [each.id async for each in till.billing.all_subscriptions()] == [sub.id]
    [(customer, _account)] = [each async for each in till.billing.customers()]
    assert customer == till.customer
