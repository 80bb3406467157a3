"""The fake Stripe refuses what Stripe refuses, and takes what the SDK rightly sends."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]


def checkout(fake: FakeStripe, customer: str) -> Params:
    return {
        "mode": "subscription",
        "customer": customer,
        "client_reference_id": "account-1",
        "line_items": [{"price": fake.prices["premium_monthly_v1"], "quantity": 1}],
        "success_url": "http://127.0.0.1/success?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1/cancel",
        "adaptive_pricing": {"enabled": False},
        "subscription_data": {"metadata": {"account_id": "account-1"}, "trial_period_days": 7},
        "metadata": {"account_id": "account-1"},
    }


async def new_customer(sdk: stripe.StripeClient) -> str:
    return (await sdk.v1.customers.create_async({"metadata": {"account_id": "account-1"}})).id


async def test_a_checkout_session_of_the_right_shape_is_taken(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    customer = await new_customer(sdk)
    session = await sdk.v1.checkout.sessions.create_async(checkout(fake, customer))  # type: ignore[arg-type]
    assert session.status == "open"
    assert session.url == f"{fake.base_url}/c/pay/{session.id}"
    assert session.subscription is None
    assert [seen.version for seen in fake.log] == [stripe.api_version] * 2


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"bogus": "1"}, "bogus"),
        ({"line_items": [{"pirce": "price_1", "quantity": 1}]}, "line_items[0][pirce]"),
        ({"mode": "subscribe"}, "mode"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"adaptive_pricing": {"enabled": "perhaps"}}, "adaptive_pricing[enabled]"),
        ({"automatic_tax": {"liability": {"type": "self"}}}, "automatic_tax[enabled]"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(
    fake: FakeStripe, sdk: stripe.StripeClient, wrong: Params, param: str
) -> None:
    customer = await new_customer(sdk)
    params = checkout(fake, customer) | wrong
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await sdk.v1.checkout.sessions.create_async(params)  # type: ignore[arg-type]
    assert caught.value.param == param
    assert len(fake.rejections) == 1
    fake.rejections.clear()


async def test_an_interval_that_does_not_exist_is_refused(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    product = await sdk.v1.products.create_async({"name": "Premium"})
    with pytest.raises(stripe.InvalidRequestError, match="must be one of day, month, week, year"):
        await sdk.v1.prices.create_async(
            {"currency": "usd", "product": product.id, "unit_amount": 1, "recurring": {"interval": "monthly"}}
        )
    fake.rejections.clear()


async def test_an_unknown_status_in_a_list_is_refused(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid status"):
        await sdk.v1.subscriptions.list_async({"status": "everything"})
    fake.rejections.clear()


async def test_parameters_of_a_deletion_come_in_the_query_and_are_checked(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    customer = await new_customer(sdk)
    sub = fake.drive.add_subscription(customer, fake.prices["pro_yearly_v1"])
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: at_once"):
        await sdk.v1.subscriptions.cancel_async(sub["id"], {"at_once": True})  # type: ignore[arg-type]
    fake.rejections.clear()
    canceled = await sdk.v1.subscriptions.cancel_async(sub["id"], {"prorate": False})
    assert canceled.status == "canceled"


async def test_a_parameter_that_the_fake_does_not_honour_is_said_so_instead_of_ignored(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    with pytest.raises(stripe.APIError, match="does not honour"):
        await sdk.v1.customers.create_async({"tax_exempt": "exempt"})
    fake.rejections.clear()


async def test_expansion_goes_four_levels_deep_and_no_further(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    customer = await new_customer(sdk)
    fake.drive.add_subscription(customer, fake.prices["team_monthly_v1"])
    one = await sdk.v1.subscriptions.list_async({"customer": customer, "expand": ["data.latest_invoice"]})
    invoice = one.data[0].latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        await sdk.v1.subscriptions.list_async({"expand": ["data.items.data.price.product"]})


async def test_a_wrong_key_is_refused(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    fake.api.keys = {"sk_test_other"}
    with pytest.raises(stripe.AuthenticationError):
        await new_customer(sdk)


async def test_one_idempotency_key_makes_one_customer(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    key: Params = {"idempotency_key": "cust-1"}
    first = await sdk.v1.customers.create_async({"name": "A"}, key)  # type: ignore[arg-type]
    again = await sdk.v1.customers.create_async({"name": "A"}, key)  # type: ignore[arg-type]
    assert first.id == again.id
    assert [seen.replayed for seen in fake.log] == [False, True]
    with pytest.raises(stripe.IdempotencyError):
        await sdk.v1.customers.create_async({"name": "B"}, key)  # type: ignore[arg-type]
    assert len(fake.world.rows("customer")) == 1


async def test_a_lookup_key_moves_only_when_it_is_transferred(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    old = fake.prices["premium_monthly_v1"]
    product = fake.world.get("price", old, "price")["product"]
    params: Params = {"currency": "usd", "product": product, "unit_amount": 999}
    params |= {"lookup_key": "premium_monthly_v1", "recurring": {"interval": "month"}}
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        await sdk.v1.prices.create_async(params)  # type: ignore[arg-type]
    new = await sdk.v1.prices.create_async(params | {"transfer_lookup_key": True})  # type: ignore[arg-type]
    found = await sdk.v1.prices.list_async(
        {"lookup_keys": ["premium_monthly_v1"], "expand": ["data.product"]}
    )
    assert [price.id for price in found.data] == [new.id]
    assert (await sdk.v1.prices.retrieve_async(old)).lookup_key is None


async def test_customers_are_found_by_their_metadata_a_minute_after_they_were_made(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    customer = await new_customer(sdk)
    query: stripe.params.CustomerSearchParams = {"query": "metadata['account_id']:'account-1'"}
    assert (await sdk.v1.customers.search_async(query)).data == []
    fake.drive.advance(60)
    found = await sdk.v1.customers.search_async(query)
    assert [one.id for one in found.data] == [customer]
    await sdk.v1.customers.delete_async(customer)
    gone = await sdk.v1.customers.retrieve_async(customer)
    assert gone.deleted
    assert fake.rejections == []


async def test_lists_are_cut_into_pages(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    customer = await new_customer(sdk)
    made = [fake.drive.add_subscription(customer, fake.prices["pro_yearly_v1"])["id"] for _ in range(5)]
    page = await sdk.v1.subscriptions.list_async({"customer": customer, "limit": 2})
    assert page.has_more
    listed = [sub.id async for sub in page.auto_paging_iter()]
    assert listed == made[::-1]
    assert fake.count("GET /v1/subscriptions") == 3
