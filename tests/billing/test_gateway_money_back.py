"""Disputes and refunds: whose they are and what they mean now, and giving a payment back ourselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from billing.gateway import StripeGateway
from billing.money_back import stage_of
from engine.domain import Micros
from engine.errors import TellOperatorError, TryAgainError
from engine.facts import CustomerId, Dispute, DisputeStage, Mode, MoneyBack, Refund
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind

REFUNDS = "POST /v1/refunds"
PAID = Micros(8_990_000)


@pytest.fixture
def sub(fake: FakeStripe, customer: str) -> str:
    """A subscription that was paid for once."""
    wanted: str = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])["id"]
    return wanted


@pytest.fixture
def charge(fake: FakeStripe, sub: str) -> str:
    """The charge that paid for it."""
    wanted: str = fake.drive.charge_of(sub)["id"]
    return wanted


async def status_of(gateway: StripeGateway, sub: str) -> str:
    [fields] = [each async for each in gateway.all_subscriptions() if each.id == sub]
    return fields.status


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("warning_needs_response", DisputeStage.INQUIRY),
        ("warning_under_review", DisputeStage.INQUIRY),
        ("warning_closed", DisputeStage.INQUIRY),
        ("prevented", DisputeStage.INQUIRY),
        ("needs_response", DisputeStage.OPEN),
        ("under_review", DisputeStage.OPEN),
        ("won", DisputeStage.WON),
        ("lost", DisputeStage.LOST),
        ("in_the_mail", DisputeStage.OPEN),
    ],
)
def test_a_disputes_word_says_whether_money_has_moved(word: str, stage: DisputeStage) -> None:
    assert stage_of(word) is stage


async def test_a_dispute_leads_to_its_customer_and_is_as_it_is_now(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str, charge: str
) -> None:
    dispute = fake.drive.inquiry(charge)
    found = await gateway.look_into(dispute["id"])
    assert found == Dispute(
        id=dispute["id"],
        mode=Mode.TEST,
        customer=CustomerId(customer),
        charge=charge,
        stage=DisputeStage.INQUIRY,
        amount=PAID,
        created_at=clock.now(),
    )
    for status, stage in (("needs_response", DisputeStage.OPEN), ("won", DisputeStage.WON)):
        fake.drive.change_dispute(dispute["id"], status)
        later = await gateway.look_into(dispute["id"])
        assert isinstance(later, Dispute)
        assert later.stage is stage


async def test_a_refund_leads_to_its_customer_and_invoice(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str, charge: str
) -> None:
    invoice = fake.world.rows("invoice")[0]["id"]
    part = fake.drive.refund(charge, 300)
    owner, some = CustomerId(customer), Micros(3_000_000)
    expected = Refund(charge, Mode.TEST, owner, invoice, some, full=False, at=clock.now())
    assert await gateway.look_into(part["id"]) == expected
    assert await gateway.look_into(charge) == expected
    clock.advance(timedelta(hours=1))
    rest = fake.drive.refund(charge)
    found = await gateway.look_into(rest["id"])
    assert found == Refund(charge, Mode.TEST, owner, invoice, PAID, full=True, at=clock.now())


async def test_a_refund_that_failed_gave_nothing_back(
    fake: FakeStripe, gateway: StripeGateway, charge: str
) -> None:
    fake.drive.fail_refund(fake.drive.refund(charge)["id"])
    found = await gateway.look_into(charge)
    assert isinstance(found, Refund)
    assert (found.amount, found.full) == (0, False)


async def test_what_is_about_nobody_is_nothing(fake: FakeStripe, gateway: StripeGateway, charge: str) -> None:
    refund, dispute = fake.drive.refund(charge, 100), fake.drive.inquiry(charge)
    warning = fake.drive.warn_of_fraud(charge)
    fake.world.get("charge", charge, "charge")["customer"] = None
    for subject in (charge, refund["id"], dispute["id"], warning["id"], "re_never", "du_never", "pi_1"):
        assert await gateway.look_into(subject) is None


async def test_a_stripe_that_is_down_is_not_taken_for_nobody(
    fake: FakeStripe, gateway: StripeGateway, charge: str
) -> None:
    fake.faults.add(FaultKind.HANG_UP, times=None)
    with pytest.raises(TryAgainError):
        await gateway.look_into(charge)


async def test_the_lists_find_what_no_event_told_of_each_charge_once(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str, charge: str
) -> None:
    fake.drive.refund(charge, 100)
    clock.advance(timedelta(days=2))
    since = clock.now()
    other = fake.drive.charge_of(fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])["id"])
    for amount in (100, 200):
        fake.drive.refund(other["id"], amount)
    dispute = fake.drive.dispute(charge)
    found: list[MoneyBack] = [each async for each in gateway.money_back(since)]
    assert [(type(each), each.charge, each.amount) for each in found] == [
        (Dispute, charge, dispute["amount"] * 10_000),
        (Refund, other["id"], 3_000_000),
    ]
    everything = [each async for each in gateway.money_back(since - timedelta(days=3))]
    assert len(everything) == 3


async def test_ending_a_subscription_now_ends_it_once(
    fake: FakeStripe, gateway: StripeGateway, sub: str
) -> None:
    await gateway.end_subscription(sub, "end-1", refund=False)
    await gateway.end_subscription(sub, "end-1", refund=False)
    await gateway.end_subscription("sub_never_was", "end-2", refund=True)
    assert await status_of(gateway, sub) == "canceled"
    assert fake.world.rows("refund") == []


@pytest.mark.parametrize("kind", [FaultKind.LOSE, FaultKind.HANG_UP])
async def test_its_newest_payment_is_given_back_once_whatever_is_lost(
    fake: FakeStripe, gateway: StripeGateway, sub: str, kind: FaultKind
) -> None:
    fake.drive.advance(32 * 86_400)
    newest = fake.drive.charge_of(sub)
    fake.faults.add(kind, REFUNDS, times=3)
    with pytest.raises(TryAgainError):
        await gateway.end_subscription(sub, "end-1", refund=True)
    await gateway.end_subscription(sub, "end-1", refund=True)
    fake.drive.advance(2 * 86_400)
    await gateway.end_subscription(sub, "end-1", refund=True)
    [refund] = fake.world.rows("refund")
    assert (refund["charge"], refund["amount"]) == (newest["id"], 899)
    assert {seen.idempotency_key for seen in fake.log if seen.route == REFUNDS} == {"end-1-refund"}
    assert await status_of(gateway, sub) == "canceled"


async def test_time_that_was_used_is_not_given_back(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, sub: str
) -> None:
    free = fake.drive.coupon("forever", percent_off=100.0)
    await sdk.v1.subscriptions.update_async(sub, {"discounts": [{"coupon": free["id"]}]})
    fake.drive.advance(32 * 86_400)
    assert fake.world.rows("invoice")[0]["amount_paid"] == 0
    await gateway.end_subscription(sub, "end-1", refund=True)
    assert fake.world.rows("refund") == []


async def test_a_trial_has_nothing_to_give_back(
    fake: FakeStripe, gateway: StripeGateway, customer: str
) -> None:
    trial = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"], trial_days=7)
    await gateway.end_subscription(trial["id"], "end-1", refund=True)
    assert await status_of(gateway, trial["id"]) == "canceled"
    assert fake.count(REFUNDS) == 0


async def test_a_payment_that_is_disputed_is_told_to_the_operator(
    fake: FakeStripe, gateway: StripeGateway, sub: str, charge: str
) -> None:
    fake.drive.dispute(charge)
    with pytest.raises(TellOperatorError, match="charged back"):
        await gateway.end_subscription(sub, "end-1", refund=True)
    assert await status_of(gateway, sub) == "canceled"


async def test_a_subscription_under_a_schedule_ends_too(
    gateway: StripeGateway, sdk: stripe.StripeClient, sub: str
) -> None:
    await sdk.v1.subscription_schedules.create_async({"from_subscription": sub})
    await gateway.end_subscription(sub, "end-1", refund=False)
    assert await status_of(gateway, sub) == "canceled"
