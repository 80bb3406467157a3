"""Products and prices of the fake Stripe: ids, tiers, metered amounts and lookup keys."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.billing.inbox import Inbox
from tests.fakes.stripe import FakeStripe

Params = dict[str, Any]
TEAM: Params = {
    "currency": "usd",
    "product": "bot_team",
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [
        {"up_to": 5, "flat_amount": 2999, "unit_amount": 0},
        {"up_to": "inf", "unit_amount_decimal": "500"},
    ],
    "recurring": {"interval": "month"},
}


async def test_a_product_has_the_id_it_was_given_once(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    made = await sdk.v1.products.create_async({"id": "bot_extra", "name": "Extra", "metadata": {"tier": "x"}})
    assert made.id == "bot_extra"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await sdk.v1.products.create_async({"id": "bot_extra", "name": "Extra"})
    assert caught.value.code == "resource_already_exists"
    await sdk.v1.products.update_async("bot_extra", {"active": False, "metadata": {"tier": "y"}})
    listed = await sdk.v1.products.list_async({"ids": ["bot_extra", "bot_team"]})
    assert {row.id: row.active for row in listed.data} == {"bot_extra": False, "bot_team": True}
    assert [row.id for row in (await sdk.v1.products.list_async({"active": False})).data] == ["bot_extra"]
    assert (await sdk.v1.products.retrieve_async("bot_extra")).metadata["tier"] == "y"
    assert len(fake.world.rows("product")) == 4


async def test_tiers_are_seen_only_by_who_asks_for_them(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    made = await sdk.v1.prices.create_async(TEAM)  # type: ignore[arg-type]
    assert (made.unit_amount, made.tiers_mode, "tiers" in made) == (None, "graduated", False)
    shown = await sdk.v1.prices.retrieve_async(made.id, {"expand": ["tiers", "product"]})
    assert shown.tiers is not None
    assert [(tier.up_to, tier.flat_amount, tier.unit_amount) for tier in shown.tiers] == [
        (5, 2999, 0),
        (None, None, 500),
    ]
    assert isinstance(shown.product, stripe.Product)
    listed = await sdk.v1.prices.list_async({"active": True, "expand": ["data.tiers"]})
    assert {bool("tiers" in price) for price in listed.data if price.billing_scheme == "tiered"} == {True}
    assert not any("tiers" in price for price in listed.data if price.billing_scheme == "per_unit")
    assert len(fake.world.rows("price")) == 7


async def test_the_tiers_of_a_price_stay_out_of_events_and_subscriptions(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str, inbox: Inbox
) -> None:
    fake.deliver_to(inbox.url)
    sub = fake.drive.add_subscription(customer, fake.prices["team_monthly_v1"], quantity=7)
    await fake.courier.settled()
    assert not any(b'"tiers":' in body for body, _ in inbox.taken)
    plain = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert "tiers" not in plain["items"].data[0].price
    asked = await sdk.v1.subscriptions.retrieve_async(sub["id"], {"expand": ["items.data.price.tiers"]})
    assert len(asked["items"].data[0].price.tiers) == 2


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"unit_amount": 1}, "unit_amount"),
        ({"tiers": [{"up_to": 5, "flat_amount": 1}]}, "tiers"),
        ({"billing_scheme": "per_unit"}, "tiers"),
        ({"recurring": {"interval": "month", "usage_type": "metered"}}, "recurring[meter]"),
        ({"product": "bot_none"}, "product"),
    ],
)
async def test_a_price_that_makes_no_sense_is_refused(
    sdk: stripe.StripeClient, wrong: Params, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await sdk.v1.prices.create_async(TEAM | wrong)  # type: ignore[arg-type]
    assert caught.value.param == param


async def test_a_metered_price_may_cost_parts_of_a_cent(sdk: stripe.StripeClient) -> None:
    meter = await sdk.v1.billing.meters.create_async(
        {"display_name": "Use", "event_name": "use", "default_aggregation": {"formula": "sum"}}
    )
    recurring: Params = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    params: Params = {"currency": "usd", "product": "bot_pro", "unit_amount_decimal": "0.1250"}
    made = await sdk.v1.prices.create_async(params | {"recurring": recurring})  # type: ignore[arg-type]
    assert (made.unit_amount, str(made.unit_amount_decimal)) == (None, "0.125")
    assert made.recurring is not None
    assert made.recurring.meter == meter.id
    found = await sdk.v1.prices.list_async({"recurring": {"meter": meter.id}})
    assert [price.id for price in found.data] == [made.id]


async def test_an_amount_never_changes_but_a_key_can_move(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    old, other = fake.prices["pro_monthly_v1"], fake.prices["pro_yearly_v1"]
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: unit_amount"):
        await sdk.v1.prices.update_async(old, {"unit_amount": 1})  # type: ignore[arg-type]
    fake.rejections.clear()
    moved = await sdk.v1.prices.update_async(
        other, {"lookup_key": "pro_monthly_v1", "transfer_lookup_key": True, "nickname": "Pro"}
    )
    assert (moved.lookup_key, moved.nickname) == ("pro_monthly_v1", "Pro")
    archived = await sdk.v1.prices.update_async(old, {"active": False})
    assert (archived.active, archived.lookup_key) == (False, None)


async def test_the_stock_is_the_catalogue_of_the_product() -> None:
    async with FakeStripe(usage_cents="0.125") as shop:
        products = {row["id"]: row["metadata"]["tier"] for row in shop.world.rows("product")}
        assert products == {"bot_premium": "premium", "bot_team": "team", "bot_pro": "pro"}
        usage = shop.world.get("price", shop.prices["pro_usage_v1"], "price")
        assert (usage["product"], usage["unit_amount_decimal"]) == ("bot_pro", "0.125")
        assert shop.world.rows("billing.meter")[0]["event_name"] == "multi_llm_chat_usage"
        team = shop.world.get("price", shop.prices["team_yearly_v1"], "price")
        assert [tier["up_to"] for tier in team["tiers"]] == [5, None]
        assert shop.drive.flatten(team["id"])["unit_amount"] == 29900
        again = shop.drive.stock({"pro": (5999, 59900)}, "v2")
        assert sorted(again) == ["pro_monthly_v2", "pro_yearly_v2"]
