"""The meter and the products as they should be, and the prices that Stripe holds under our lookup keys."""

from __future__ import annotations

from collections.abc import Mapping

import stripe

from billing.client import StripeCaller
from billing.rights import READ, Right, rightly
from billing.snapshots import Fields, plain
from billing.steps import Part, Step
from billing.wanted import MARK, METER_EVENT, Wanted, all_keys
from engine.domain import TierName

PAGE = 100
ACTIVE = "active"

Shelf = Mapping[str, Fields]
"""Prices by lookup key, archived ones too, with their products and tiers."""


async def plan_meter(caller: StripeCaller, wanted: Wanted) -> Part:
    """The meter of metered use, if there is any."""
    if not wanted.metered:
        return Part()
    meter = await find_meter(caller)
    if meter is None:
        fault = f"There is no meter for the events {METER_EVENT}."
        return Part((Step(f"create meter {METER_EVENT}", fault, Right.METERS, _create_meter),))
    if meter["status"] == ACTIVE:
        return Part()
    fault = f"The meter {METER_EVENT} is deactivated."
    return Part((Step(f"activate meter {METER_EVENT}", fault, Right.METERS, _reactivate_meter),))


async def find_meter(caller: StripeCaller) -> Fields | None:
    """Our meter, the active one before any that was deactivated."""

    async def every() -> list[Fields]:
        page = await caller.sdk.v1.billing.meters.list_async({"limit": PAGE})
        return [plain(each) async for each in page.auto_paging_iter()]

    listed = await rightly(Right.METERS, READ, caller.call(every))
    ours = [each for each in listed if each["event_name"] == METER_EVENT]
    return min(ours, key=lambda each: each["status"] != ACTIVE, default=None)


async def _create_meter(caller: StripeCaller) -> None:
    # No key of ours: Stripe itself has one active meter for a name.
    await caller.call(
        lambda: caller.sdk.v1.billing.meters.create_async(
            {
                "display_name": "Model use beyond what is included",
                "event_name": METER_EVENT,
                "default_aggregation": {"formula": "sum"},
                "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
                "value_settings": {"event_payload_key": "value"},
            }
        )
    )


async def _reactivate_meter(caller: StripeCaller) -> None:
    meter = await find_meter(caller)
    if meter is not None:
        await caller.call(lambda: caller.sdk.v1.billing.meters.reactivate_async(meter["id"]))


async def read_shelf(caller: StripeCaller) -> Shelf:
    """All prices under our lookup keys."""
    params: stripe.params.PriceListParams = {
        "lookup_keys": list(all_keys()),
        "limit": PAGE,
        "expand": ["data.tiers", "data.product"],
    }
    asked = caller.call(lambda: caller.sdk.v1.prices.list_async(params))
    listed = await rightly(Right.PRICES, READ, asked)
    return {price["lookup_key"]: price for price in map(plain, listed.data)}


async def plan_products(caller: StripeCaller, wanted: Wanted) -> Part:
    """A product for each tier that is sold: that of its prices, else one with an id of ours."""
    shelf = await read_shelf(caller)
    ids = {price.tier: f"bot_{price.tier}" for price in wanted.prices if price.key not in shelf}
    known: dict[str, Fields] = {}
    if ids:
        asked = caller.call(
            lambda: caller.sdk.v1.products.list_async({"ids": list(ids.values()), "limit": PAGE})
        )
        listed = await rightly(Right.PRODUCTS, READ, asked)
        known = {each["id"]: each for each in map(plain, listed.data)}
    steps = [_create_product(tier, made) for tier, made in ids.items() if made not in known]
    homes = {made: tier for tier, made in ids.items()}
    for price in wanted.prices:
        if price.key in shelf:
            product = shelf[price.key]["product"]
            known[product["id"]], homes[product["id"]] = product, price.tier
    updates = (_mend_product(known[each], tier) for each, tier in homes.items() if each in known)
    return Part((*steps, *(step for step in updates if step)))


def _create_product(tier: TierName, wanted: str) -> Step:
    async def act(caller: StripeCaller) -> None:
        # No key of ours: the id is, and a key would repeat yesterday's answer about a deleted product.
        params: stripe.params.ProductCreateParams = {
            "id": wanted,
            "name": tier.title(),
            "metadata": {"tier": tier, **MARK},
        }
        await caller.call(lambda: caller.sdk.v1.products.create_async(params))

    return Step(f"create product {wanted}", f"There is no product {wanted}.", Right.PRODUCTS, act)


def _mend_product(product: Fields, tier: TierName) -> Step | None:
    if product[ACTIVE] and (product.get("metadata") or {}).get("tier") == tier:
        return None

    async def act(caller: StripeCaller) -> None:
        params: stripe.params.ProductUpdateParams = {"active": True, "metadata": {"tier": tier}}
        await caller.call(lambda: caller.sdk.v1.products.update_async(product["id"], params))

    wrong = "has not the metadata" if product[ACTIVE] else "is archived or has not the metadata"
    return Step(
        f"update product {product['id']}: active, metadata tier = {tier}",
        f"The product {product['id']} {wrong} tier = {tier}.",
        Right.PRODUCTS,
        act,
    )
