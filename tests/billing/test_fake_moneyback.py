"""Refunds, disputes and discounts on the fake Stripe."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.billing.test_fake_requests import checkout
from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]
DAY = 86_400


def kinds(fake: FakeStripe, word: str) -> list[str]:
    """The types of the events that hold a word, oldest first."""
    return [event["type"] for event in reversed(fake.world.rows("event")) if word in event["type"]]


@pytest.fixture
def charge(fake: FakeStripe, customer: str) -> str:
    """A paid charge of 8.99."""
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    return str(fake.drive.charge_of(sub["id"])["id"])


async def test_a_charge_is_refunded_in_parts_and_never_more_than_once(
    fake: FakeStripe, sdk: stripe.StripeClient, charge: str
) -> None:
    part = await sdk.v1.refunds.create_async({"charge": charge, "amount": 300})
    found = await sdk.v1.charges.retrieve_async(charge)
    assert (found.amount_refunded, found.refunded) == (300, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        await sdk.v1.refunds.create_async({"charge": charge, "amount": 600})
    rest = fake.drive.refund(charge)
    assert (await sdk.v1.charges.retrieve_async(charge)).refunded
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await sdk.v1.refunds.create_async({"payment_intent": str(found.payment_intent)})
    assert caught.value.code == "charge_already_refunded"
    listed = await sdk.v1.refunds.list_async({"created": {"gte": fake.world.now() - DAY}})
    assert [one.id for one in listed.data] == [rest["id"], part.id]
    assert kinds(fake, "refund") == ["refund.created", "charge.refunded"] * 2
    fake.drive.fail_refund(rest["id"])
    assert not (await sdk.v1.charges.retrieve_async(charge)).refunded


async def test_a_dispute_takes_the_money_and_winning_brings_it_back(
    fake: FakeStripe, sdk: stripe.StripeClient, charge: str
) -> None:
    dispute = fake.drive.dispute(charge)
    assert (await sdk.v1.charges.retrieve_async(charge)).disputed
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await sdk.v1.refunds.create_async({"charge": charge})
    assert caught.value.code == "charge_disputed"
    assert (await sdk.v1.disputes.retrieve_async(dispute["id"])).status == "needs_response"
    fake.drive.change_dispute(dispute["id"], "under_review")
    fake.drive.close_dispute(dispute["id"], "won")
    listed = await sdk.v1.disputes.list_async({"charge": charge, "created": {"lte": fake.world.now()}})
    assert [one.status for one in listed.data] == ["won"]
    wanted = ("created", "funds_withdrawn", "updated", "closed", "funds_reinstated")
    assert kinds(fake, "dispute") == [f"charge.dispute.{word}" for word in wanted]


async def test_an_inquiry_takes_no_money_until_it_becomes_a_dispute(
    fake: FakeStripe, sdk: stripe.StripeClient, charge: str
) -> None:
    inquiry = fake.drive.inquiry(charge)
    assert (inquiry["status"], inquiry["is_charge_refundable"]) == ("warning_needs_response", True)
    assert fake.drive.close_dispute(inquiry["id"])["status"] == "warning_closed"
    assert "charge.dispute.funds_withdrawn" not in kinds(fake, "dispute")
    second = fake.drive.inquiry(charge)
    fake.drive.change_dispute(second["id"], "needs_response")
    assert "charge.dispute.funds_withdrawn" in kinds(fake, "dispute")
    assert (await sdk.v1.disputes.close_async(second["id"])).status == "lost"
    fake.drive.warn_of_fraud(charge)
    assert kinds(fake, "radar") == ["radar.early_fraud_warning.created"]


async def test_a_coupon_for_one_invoice_is_gone_at_the_next(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    card = fake.drive.replace_card(customer)["id"]
    coupon = await sdk.v1.coupons.create_async({"percent_off": 50, "duration": "once"})
    params: Params = {"customer": customer, "items": [{"price": fake.prices["pro_monthly_v1"]}]}
    params |= {"discounts": [{"coupon": coupon.id}], "default_payment_method": card}
    sub = await sdk.v1.subscriptions.create_async(params)  # type: ignore[arg-type]
    assert fake.drive.charge_of(sub.id)["amount"] == 4999 - 2500
    fake.drive.advance(32 * DAY)
    assert fake.drive.charge_of(sub.id)["amount"] == 4999


async def test_a_repeating_discount_is_seen_in_the_list_and_runs_out(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    params: Params = {"amount_off": 999, "currency": "usd", "duration": "repeating", "duration_in_months": 3}
    coupon = await sdk.v1.coupons.create_async(params)  # type: ignore[arg-type]
    await sdk.v1.subscriptions.update_async(sub["id"], {"discounts": [{"coupon": coupon.id}]})
    expand = ["data.discounts.source.coupon"]
    listed = await sdk.v1.subscriptions.list_async({"customer": customer, "expand": expand})
    discount = listed.data[0].discounts[0]
    assert isinstance(discount, stripe.Discount)
    assert isinstance(discount.source.coupon, stripe.Coupon)
    assert discount.source.coupon.amount_off == 999
    fake.drive.advance(32 * DAY)
    assert fake.drive.charge_of(sub["id"])["amount"] == 4000
    fake.drive.advance(64 * DAY)
    assert fake.drive.charge_of(sub["id"])["amount"] == 4999


async def test_an_upgrade_under_a_discount_is_prorated_with_it(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    coupon = fake.drive.coupon("forever", percent_off=50)["id"]
    await sdk.v1.subscriptions.update_async(sub["id"], {"discounts": [{"coupon": coupon}]})
    item = {"id": sub["items"]["data"][0]["id"], "price": fake.prices["pro_monthly_v1"], "quantity": 1}
    params: Params = {"items": [item], "proration_behavior": "always_invoice"}
    await sdk.v1.subscriptions.update_async(sub["id"], params)  # type: ignore[arg-type]
    assert fake.drive.charge_of(sub["id"])["amount"] == (4999 - 2500) - (899 - 450)


async def test_a_promotion_code_is_typed_at_checkout_and_lowers_the_price(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    coupon = await sdk.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    promotion: Params = {"type": "coupon", "coupon": coupon.id}
    await sdk.v1.promotion_codes.create_async(
        {"promotion": promotion, "code": "SPRING", "max_redemptions": 1}  # type: ignore[typeddict-item]
    )
    params = checkout(fake, customer) | {"allow_promotion_codes": True, "automatic_tax": {"enabled": True}}
    params["subscription_data"] = {"metadata": {"account_id": "a"}, "billing_mode": {"type": "flexible"}}
    session = await sdk.v1.checkout.sessions.create_async(params)  # type: ignore[arg-type]
    both = params | {"discounts": [{"coupon": coupon.id}]}
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these parameters"):
        await sdk.v1.checkout.sessions.create_async(both)  # type: ignore[arg-type]
    paid = fake.drive.pay(session.id, "spring")
    assert (paid["amount_total"], paid["total_details"]["amount_discount"]) == (809, 90)
    assert fake.drive.charge_of(paid["subscription"])["amount"] == 809
    (code,) = (await sdk.v1.promotion_codes.list_async({"code": "SPRING"})).data
    assert code.times_redeemed == 1


async def test_a_trial_that_needs_no_card_begins_without_one(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    params = checkout(fake, customer) | {"payment_method_collection": "if_required"}
    params["subscription_data"]["trial_settings"] = {"end_behavior": {"missing_payment_method": "cancel"}}
    session = await sdk.v1.checkout.sessions.create_async(params)  # type: ignore[arg-type]
    done = fake.drive.pay(session.id, card=False)
    assert (done["payment_status"], done["amount_total"]) == ("no_payment_required", 0)
    sub = await sdk.v1.subscriptions.retrieve_async(done["subscription"])
    assert (sub.status, sub.default_payment_method, sub.metadata["account_id"]) == (
        "trialing",
        None,
        "account-1",
    )
    fake.drive.advance(8 * DAY)
    assert (await sdk.v1.subscriptions.retrieve_async(sub.id)).status == "canceled"
