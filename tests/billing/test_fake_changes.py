"""Changes of a subscription on the fake Stripe: prorations to the second, previews, payments that fail."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
import stripe

from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]
DAY = 86_400
NOW: Params = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}


def item_of(sub: Params) -> str:
    return str(sub["items"]["data"][0]["id"])


def halfway(fake: FakeStripe, sub: Params) -> int:
    """Go to the middle of the first item's period, whose length is its seconds."""
    item = sub["items"]["data"][0]
    fake.drive.advance((item["current_period_end"] - item["current_period_start"]) // 2)
    return fake.world.now()


async def change(sdk: stripe.StripeClient, sub: str, **params: object) -> stripe.Subscription:
    return await sdk.v1.subscriptions.update_async(sub, params)  # type: ignore[arg-type]


async def preview(sdk: stripe.StripeClient, sub: str, **details: object) -> stripe.Invoice:
    params: Params = {"subscription": sub, "subscription_details": details}
    return await sdk.v1.invoices.create_preview_async(params)  # type: ignore[arg-type]


async def latest(sdk: stripe.StripeClient, sub: str) -> stripe.Invoice:
    found = await sdk.v1.subscriptions.retrieve_async(sub, {"expand": ["latest_invoice"]})
    assert isinstance(found.latest_invoice, stripe.Invoice)
    return found.latest_invoice


async def test_an_upgrade_credits_unused_time_and_charges_the_rest_and_the_preview_says_so(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    at = halfway(fake, sub)
    items = [{"id": item_of(sub), "price": fake.prices["pro_monthly_v1"], "quantity": 1}]
    shown = await preview(sdk, sub["id"], items=items, proration_behavior="always_invoice", proration_date=at)
    assert [line.amount for line in shown.lines.data] == [-450, 2500]
    assert (shown.amount_due, shown.total) == (2050, 2050)
    changed = await change(sdk, sub["id"], items=items, proration_date=at, **NOW)
    assert changed["items"].data[0].price.id == fake.prices["pro_monthly_v1"]
    made = await latest(sdk, sub["id"])
    assert (made.status, made.amount_paid, made.billing_reason) == ("paid", 2050, "subscription_update")


@pytest.mark.parametrize("coupon", [None, {"percent_off": 15}, {"amount_off": 250}])
@pytest.mark.parametrize(
    ("held", "seats", "wanted", "more"),
    [
        ("premium_monthly", 1, "pro_monthly", 1),
        ("premium_monthly", 1, "team_monthly", 9),
        ("team_monthly", 5, "team_monthly", 8),
        ("team_monthly", 8, "team_yearly", 8),
        ("team_yearly", 6, "pro_yearly", 1),
        ("pro_yearly", 1, "pro_monthly", 1),
    ],
)
async def test_the_preview_of_a_change_is_the_invoice_that_it_makes(
    fake: FakeStripe,
    sdk: stripe.StripeClient,
    customer: str,
    held: str,
    seats: int,
    wanted: str,
    more: int,
    coupon: Params | None,
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices[f"{held}_v1"], quantity=seats)
    if coupon:
        made = fake.drive.coupon("forever", **coupon)["id"]
        await change(sdk, sub["id"], discounts=[{"coupon": made}])
    fake.drive.advance(1_234_567)
    items = [{"id": item_of(sub), "price": fake.prices[f"{wanted}_v1"], "quantity": more}]
    details: Params = {"items": items, "proration_behavior": "always_invoice"}
    details["proration_date"] = fake.world.now()
    shown = await preview(sdk, sub["id"], **details)
    await change(sdk, sub["id"], **details)
    made_now = await latest(sdk, sub["id"])
    assert [line.amount for line in shown.lines.data] == [line.amount for line in made_now.lines.data]
    assert (shown.total, shown.amount_due) == (made_now.total, made_now.amount_paid)


async def test_prorations_wait_for_the_next_invoice_unless_they_are_asked_for(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["team_monthly_v1"], quantity=5)
    halfway(fake, sub)
    await change(sdk, sub["id"], items=[{"id": item_of(sub), "quantity": 7}])
    coming = await preview(sdk, sub["id"])
    amounts = [line.amount for line in coming.lines.data]
    assert amounts == [-1500, 2000, 3999]
    assert coming.period_end == sub["items"]["data"][0]["current_period_end"]
    assert coming.next_payment_attempt == coming.period_end + 3600
    fake.drive.advance(16 * DAY)
    assert (await latest(sdk, sub["id"])).amount_paid == sum(amounts)


async def test_no_prorations_mean_that_the_next_period_alone_shows_the_change(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    items = [{"id": item_of(sub), "price": fake.prices["pro_monthly_v1"]}]
    await change(sdk, sub["id"], items=items, proration_behavior="none")
    assert (await preview(sdk, sub["id"])).amount_due == 4999


async def test_another_interval_begins_a_period_now_and_bills_it_whole(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    at = halfway(fake, sub)
    items = [{"id": item_of(sub), "price": fake.prices["premium_yearly_v1"]}]
    changed = await change(sdk, sub["id"], items=items, **NOW)
    assert changed["items"].data[0].current_period_start == at
    assert (await latest(sdk, sub["id"])).amount_paid == 8900 - 450


async def test_what_a_downgrade_gives_back_pays_later_invoices(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    halfway(fake, sub)
    items = [{"id": item_of(sub), "price": fake.prices["premium_monthly_v1"]}]
    await change(sdk, sub["id"], items=items, **NOW)
    assert (await latest(sdk, sub["id"])).amount_due == 0
    assert (await sdk.v1.customers.retrieve_async(customer)).balance == 450 - 2500
    assert (await preview(sdk, sub["id"])).amount_due == 0


@pytest.mark.parametrize("lever", ["refuse_cards", "authenticate_needed"])
async def test_a_change_that_cannot_be_paid_waits_and_happens_when_its_invoice_is_paid(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str, lever: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    getattr(fake.drive, lever)(customer)
    items = [{"id": item_of(sub), "price": fake.prices["pro_monthly_v1"]}]
    waiting = await change(sdk, sub["id"], items=items, **NOW)
    assert waiting.status == "active"
    assert waiting["items"].data[0].price.id == fake.prices["premium_monthly_v1"]
    assert waiting.pending_update is not None
    assert waiting.pending_update.subscription_items is not None
    assert waiting.pending_update.subscription_items[0].price.id == fake.prices["pro_monthly_v1"]
    invoice = await latest(sdk, sub["id"])
    assert (invoice.status, invoice.hosted_invoice_url) == ("open", f"{fake.base_url}/i/{invoice.id}")
    async with aiohttp.ClientSession() as browser:
        page = await browser.post(str(invoice.hosted_invoice_url))
        assert page.status == 200
    applied = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert applied["items"].data[0].price.id == fake.prices["pro_monthly_v1"]
    assert applied.pending_update is None
    kinds = [event["type"] for event in fake.world.rows("event")]
    assert "customer.subscription.pending_update_applied" in kinds


async def test_a_change_that_is_never_paid_is_dropped_with_its_invoice(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.drive.refuse_cards(customer)
    items = [{"id": item_of(sub), "price": fake.prices["pro_monthly_v1"]}]
    waiting = await change(sdk, sub["id"], items=items, **NOW)
    assert waiting.pending_update is not None
    fake.drive.advance(DAY)
    kept = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert (kept.status, kept.pending_update) == ("active", None)
    assert kept["items"].data[0].price.id == fake.prices["premium_monthly_v1"]
    assert (await latest(sdk, sub["id"])).status == "void"
    (expired,) = [
        event
        for event in fake.world.rows("event")
        if event["type"] == "customer.subscription.pending_update_expired"
    ]
    assert expired["created"] == waiting.pending_update.expires_at


async def test_an_update_that_must_be_paid_answers_402_and_changes_nothing(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.drive.refuse_cards(customer)
    params: Params = {"items": [{"id": item_of(sub), "price": fake.prices["pro_monthly_v1"]}]}
    params |= {"proration_behavior": "always_invoice", "payment_behavior": "error_if_incomplete"}
    with pytest.raises(stripe.CardError) as caught:
        await change(sdk, sub["id"], **params)
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
    assert (
        fake.world.rows("subscription")[0]["items"]["data"][0]["price"]["id"]
        == fake.prices["premium_monthly_v1"]
    )


async def test_a_metered_item_joins_a_yearly_plan_in_a_monthly_rhythm_and_bills_its_usage(
    sdk: stripe.StripeClient, customer: str, fake: FakeStripe
) -> None:
    fake.prices |= fake.drive.stock({}, usage_cents="0.15")
    usage = fake.prices["pro_usage_v1"]
    sub = fake.drive.add_subscription(customer, fake.prices["pro_yearly_v1"])
    fake.drive.advance(10 * DAY)
    with pytest.raises(stripe.InvalidRequestError, match="usage_type is `metered`"):
        await change(sdk, sub["id"], items=[{"price": usage, "quantity": 1}])
    added = await change(sdk, sub["id"], items=[{"price": usage}])
    yearly, metered = added["items"].data
    assert metered.current_period_end < yearly.current_period_end
    assert "quantity" not in metered
    payload = {"stripe_customer_id": customer, "value": "1000"}
    event: Params = {"event_name": "multi_llm_chat_usage", "payload": payload}
    await sdk.v1.billing.meter_events.create_async(event)  # type: ignore[arg-type]
    assert (await preview(sdk, sub["id"])).amount_due == 150
    fake.drive.advance(25 * DAY)
    billed = await latest(sdk, sub["id"])
    assert [(line.amount, line.quantity) for line in billed.lines.data] == [(150, 1000)]
    ending = await change(sdk, sub["id"], cancel_at="max_period_end")
    assert ending.cancel_at == yearly.current_period_end
    earliest = await change(sdk, sub["id"], cancel_at_period_end=True)
    assert earliest.cancel_at == earliest["items"].data[1].current_period_end


async def test_the_end_is_asked_for_in_one_way_and_taken_back(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these parameters"):
        await change(sdk, sub["id"], cancel_at="", cancel_at_period_end=False)
    details = {"feedback": "too_expensive", "comment": "bye"}
    ending = await change(sdk, sub["id"], cancel_at="min_period_end", cancellation_details=details)
    assert ending.cancel_at == sub["items"]["data"][0]["current_period_end"]
    assert ending.cancellation_details is not None
    assert ending.cancellation_details.feedback == "too_expensive"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await preview(sdk, sub["id"])
    assert caught.value.code == "invoice_upcoming_none"
    kept = await change(sdk, sub["id"], cancel_at="")
    assert (kept.cancel_at, kept.canceled_at) == (None, None)


async def test_a_pending_update_takes_supported_parameters_only(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    items = [{"id": item_of(sub), "price": fake.prices["pro_monthly_v1"]}]
    with pytest.raises(stripe.InvalidRequestError, match="not supported: cancel_at_period_end"):
        await change(sdk, sub["id"], items=items, cancel_at_period_end=True, **NOW)


async def test_a_subscription_is_made_through_the_api_and_ends_with_what_was_not_used(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    card = fake.drive.replace_card(customer)["id"]
    params: Params = {"customer": customer, "items": [{"price": fake.prices["pro_monthly_v1"]}]}
    made = await sdk.v1.subscriptions.create_async(params)  # type: ignore[arg-type]
    assert made.status == "active"
    halfway(fake, fake.world.rows("subscription")[0])
    gone = await sdk.v1.subscriptions.cancel_async(
        made.id, {"prorate": True, "invoice_now": True, "cancellation_details": {"comment": "bye"}}
    )
    assert gone.status == "canceled"
    assert gone.cancellation_details is not None
    assert gone.cancellation_details.comment == "bye"
    assert (await latest(sdk, made.id)).total == -2500
    expand = ["data.customer.invoice_settings.default_payment_method", "data.latest_invoice", "data.schedule"]
    listed = await sdk.v1.subscriptions.list_async({"customer": customer, "status": "all", "expand": expand})
    owner = listed.data[0].customer
    assert isinstance(owner, stripe.Customer)
    assert owner.invoice_settings is not None
    held = owner.invoice_settings.default_payment_method
    assert isinstance(held, stripe.PaymentMethod)
    assert (held.id, held.card and held.card.exp_month) == (card, 12)


async def test_a_first_payment_that_fails_leaves_an_incomplete_subscription_that_expires(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    params: Params = {"customer": customer, "items": [{"price": fake.prices["pro_monthly_v1"]}]}
    made = await sdk.v1.subscriptions.create_async(params)  # type: ignore[arg-type]
    assert made.status == "incomplete"
    fake.drive.advance(DAY)
    assert (await sdk.v1.subscriptions.retrieve_async(made.id)).status == "incomplete_expired"
