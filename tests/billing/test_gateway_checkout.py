"""What a Checkout session offers: quantities, trials, promotion codes and tax."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.gateway import StripeGateway
from engine.domain import AccountId, Interval, TierName
from engine.errors import TellOperatorError
from engine.facts import CheckoutRequest, CustomerId, PaymentStatus, Subscription
from tests.billing.conftest import gateway_on
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe

SESSIONS = "POST /v1/checkout/sessions"


@pytest.fixture
def request_for_team(clock: FakeClock, customer: str) -> CheckoutRequest:
    return CheckoutRequest(
        attempt="attempt-1",
        account=AccountId("account-1"),
        customer=CustomerId(customer),
        tier=TierName.TEAM,
        interval=Interval.MONTH,
        quantity=7,
        expires_at=clock.now() + timedelta(hours=1),
        success_url="http://127.0.0.1/billing/success",
        cancel_url="http://127.0.0.1/billing/cancel",
    )


async def bought(fake: FakeStripe, gateway: StripeGateway, request: CheckoutRequest) -> Subscription:
    """Open the session, pay it, and look at the subscription."""
    session = await gateway.create_checkout_session(request)
    fake.drive.pay(session.id)
    facts = await gateway.get_stripe_subscription_status(request.customer)
    return facts.subscriptions[0]


async def test_a_tiered_price_is_sold_by_the_seat(
    fake: FakeStripe, gateway: StripeGateway, request_for_team: CheckoutRequest
) -> None:
    found = await bought(fake, gateway, request_for_team)
    assert (found.tier, found.quantity, int(found.mrr)) == (TierName.TEAM, 7, 39_990_000)
    [form] = [seen.form for seen in fake.log if seen.route == SESSIONS]
    assert isinstance(form["subscription_data"], dict)
    assert form["subscription_data"]["billing_mode"] == {"type": "flexible"}


async def test_a_flat_price_that_was_named_is_sold_once(
    fake: FakeStripe, clock: FakeClock, request_for_team: CheckoutRequest
) -> None:
    flat = fake.drive.flatten(fake.prices["team_monthly_v1"])["id"]
    gateway = gateway_on(fake, clock, {(TierName.TEAM, Interval.MONTH): flat})
    found = await bought(fake, gateway, request_for_team)
    await gateway.aclose()
    assert (found.tier, found.quantity, int(found.mrr)) == (TierName.TEAM, 1, 29_990_000)


async def test_a_trial_takes_a_card_and_ends_without_one(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, request_for_team: CheckoutRequest
) -> None:
    found = await bought(fake, gateway, replace(request_for_team, trial_days=14))
    assert (found.status, found.trialed) == (PaymentStatus.TRIALING, True)
    assert found.trial_end == clock.now() + timedelta(days=14)
    [form] = [seen.form for seen in fake.log if seen.route == SESSIONS]
    assert form["payment_method_collection"] == "always"
    [row] = fake.world.rows("subscription")
    assert row["trial_settings"]["end_behavior"]["missing_payment_method"] == "cancel"


async def test_what_is_not_switched_on_is_not_asked_for(
    fake: FakeStripe, gateway: StripeGateway, request_for_team: CheckoutRequest
) -> None:
    await gateway.create_checkout_session(request_for_team)
    everything = replace(
        request_for_team, attempt="attempt-2", promotion_codes=True, automatic_tax=True, trial_days=3
    )
    await gateway.create_checkout_session(everything)
    plain, full = (seen.form for seen in fake.log if seen.route == SESSIONS)
    switches = {
        "allow_promotion_codes": "true",
        "automatic_tax": {"enabled": "true"},
        "customer_update": {"address": "auto"},
        "payment_method_collection": "always",
    }
    assert {name: full[name] for name in full.keys() - plain.keys()} == switches


async def test_a_promotion_code_is_taken_off(
    fake: FakeStripe, gateway: StripeGateway, request_for_team: CheckoutRequest
) -> None:
    coupon = fake.drive.coupon("forever", percent_off=10.0)
    fake.drive.promotion_code(coupon["id"], "WELCOME")
    session = await gateway.create_checkout_session(replace(request_for_team, promotion_codes=True))
    fake.drive.pay(session.id, "welcome")
    facts = await gateway.get_stripe_subscription_status(request_for_team.customer)
    assert facts.subscriptions[0].mrr == 35_991_000


@pytest.mark.parametrize("named", [False, True])
async def test_a_price_that_is_missing_is_found_before_anything_is_made(
    clock: FakeClock, *, named: bool
) -> None:
    async with FakeStripe(stocked=False) as bare:
        gateway = gateway_on(bare, clock, {(TierName.PRO, Interval.YEAR): "price_never"} if named else {})
        with pytest.raises(TellOperatorError):
            await gateway.check_price(TierName.PRO, Interval.YEAR)
        await gateway.aclose()
        assert all(seen.method == "GET" for seen in bare.log)


async def test_a_price_that_is_there_is_no_trouble(gateway: StripeGateway) -> None:
    await gateway.check_price(TierName.PRO, Interval.YEAR)
