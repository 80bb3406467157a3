"""The fake customer portal: what a configuration offers, and flows that lead to one page."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]


def features(fake: FakeStripe, **update: object) -> Params:
    products = [
        {
            "product": f"bot_{tier}",
            "prices": [fake.prices[f"{tier}_{span}ly_v1"] for span in ("month", "year")],
        }
        for tier in ("premium", "team")
    ]
    conditions = [{"type": "decreasing_item_amount"}, {"type": "shortening_interval"}]
    switching: Params = {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "products": products,
        "schedule_at_period_end": {"conditions": conditions},
    }
    return {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": switching | update,
    }


async def configure(sdk: stripe.StripeClient, offered: Params) -> stripe.billing_portal.Configuration:
    params: Params = {"features": offered, "metadata": {"made_by": "chat"}}
    return await sdk.v1.billing_portal.configurations.create_async(params)  # type: ignore[arg-type]


def confirm(subscription: Params, price: str, **more: object) -> Params:
    item = {"id": subscription["items"]["data"][0]["id"], "price": price, **more}
    update = {"subscription": subscription["id"], "items": [item]}
    return {"type": "subscription_update_confirm", "subscription_update_confirm": update}


async def enter(
    sdk: stripe.StripeClient, customer: str, configuration: str, flow: Params
) -> stripe.billing_portal.Session:
    params: Params = {"customer": customer, "configuration": configuration, "flow_data": flow}
    return await sdk.v1.billing_portal.sessions.create_async(params)  # type: ignore[arg-type]


async def test_a_configuration_keeps_what_it_offers(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    made = await configure(sdk, features(fake))
    update = made.features.subscription_update
    assert [row.type for row in update.schedule_at_period_end.conditions] == [
        "decreasing_item_amount",
        "shortening_interval",
    ]
    assert [row.product for row in update.products or []] == ["bot_premium", "bot_team"]
    changed = await sdk.v1.billing_portal.configurations.update_async(
        made.id, {"features": {"subscription_update": {"enabled": False}}}
    )
    assert not changed.features.subscription_update.enabled
    assert changed.features.invoice_history.enabled
    listed = await sdk.v1.billing_portal.configurations.list_async({"is_default": False})
    (row,) = listed.data
    assert row.metadata is not None
    assert (row.id, row.metadata["made_by"]) == (made.id, "chat")


async def test_a_configuration_offers_only_prices_of_its_products(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    products = [{"product": "bot_team", "prices": [fake.prices["pro_yearly_v1"]]}]
    with pytest.raises(stripe.InvalidRequestError, match="active one of the product bot_team"):
        await configure(sdk, features(fake, products=products))


async def test_a_flow_leads_to_a_change_that_the_configuration_allows(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    portal = (await configure(sdk, features(fake))).id
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    made = await enter(sdk, customer, portal, confirm(sub, fake.prices["team_monthly_v1"]))
    assert made.flow is not None
    assert made.flow.subscription_update_confirm is not None
    assert made.flow.subscription_update_confirm.items[0].price == fake.prices["team_monthly_v1"]
    for wrong, words in (
        (confirm(sub, fake.prices["pro_monthly_v1"]), "not among those"),
        (confirm(sub, fake.prices["premium_monthly_v1"]), "nothing to update"),
        (confirm(sub, fake.prices["team_monthly_v1"], quantity=6), "quantity to change"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            await enter(sdk, customer, portal, wrong)


async def test_a_subscription_of_two_items_cannot_be_changed_in_the_portal(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    portal = (await configure(sdk, features(fake))).id
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    await sdk.v1.subscriptions.update_async(sub["id"], {"items": [{"price": fake.prices["pro_monthly_v1"]}]})
    with pytest.raises(stripe.InvalidRequestError, match="multiple items are not updatable"):
        await enter(sdk, customer, portal, confirm(sub, fake.prices["team_monthly_v1"]))


async def test_a_flow_needs_its_feature_and_the_customers_own_subscription(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    portal = (await configure(sdk, features(fake, enabled=False))).id
    card = await enter(sdk, customer, portal, {"type": "payment_method_update"})
    assert card.flow is not None
    assert card.flow.after_completion.type == "portal_homepage"
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    with pytest.raises(stripe.InvalidRequestError, match="is disabled"):
        await enter(sdk, customer, portal, confirm(sub, fake.prices["team_monthly_v1"]))
    other = (await sdk.v1.customers.create_async({})).id
    leave = {"type": "subscription_cancel", "subscription_cancel": {"subscription": sub["id"]}}
    assert (await enter(sdk, customer, portal, leave)).flow is not None
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        await enter(sdk, other, portal, leave)
