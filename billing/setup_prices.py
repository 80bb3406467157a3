"""Prices as they should be: what is missing or asks something else is made anew, the old one archived."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import stripe

from billing.client import StripeCaller
from billing.remedies import PriceMissingError
from billing.rights import Right
from billing.setup_products import ACTIVE, find_meter, read_shelf
from billing.snapshots import Fields
from billing.steps import Part, Step, key_for, once
from billing.wanted import MARK, METER_EVENT, Wanted, WantedPrice, fault_of

REPLACES = "replaces"


async def plan_prices(caller: StripeCaller, wanted: Wanted) -> Part:
    """Every price with the amount of config.toml; a changed one is made anew and takes the lookup key over.

    What it replaces is archived, which keeps the subscriptions running that use it.
    """
    shelf = await read_shelf(caller)
    meter = await find_meter(caller) if wanted.metered else None
    steps: list[Step] = []
    for price in wanted.prices:
        steps.extend(await _of_price(caller, price, shelf.get(price.key), meter))
    spare = [shelf[key] for key in wanted.spare_keys if key in shelf and shelf[key][ACTIVE]]
    for each in spare:
        key = each["lookup_key"]
        steps.append(_archive(each["id"], key, f"The price {key} is on sale in Stripe only."))
    return Part(tuple(steps))


async def _of_price(
    caller: StripeCaller, price: WantedPrice, found: Fields | None, meter: Fields | None
) -> list[Step]:
    if found is None:
        return [_create(price, f"There is no price with the lookup key {price.key}.", None)]
    left = await _left_over(caller, found)
    steps = [_archive(left, price.key, "")] if left else []
    fault = fault_of(found, price.terms) or _meter_fault(price, found, meter)
    if fault:
        words = f"The price {found['id']} ({price.key}) {fault}."
        old = [_archive(found["id"], price.key, "")] if found[ACTIVE] else []
        return [*steps, _create(price, words, found), *old]
    return steps if found[ACTIVE] else [*steps, _activate(found["id"], price.key)]


async def _left_over(caller: StripeCaller, found: Fields) -> str | None:
    """The price that this one replaced, if it was not archived any more."""
    old = (found.get("metadata") or {}).get(REPLACES)
    if not old:
        return None
    try:
        price = await caller.call(lambda: caller.sdk.v1.prices.retrieve_async(old))
    except PriceMissingError:
        return None
    return old if price.active else None


def _meter_fault(price: WantedPrice, found: Fields, meter: Fields | None) -> str | None:
    if not price.terms.metered or meter is None or found["recurring"].get("meter") == meter["id"]:
        return None
    return f"does not count by the meter {METER_EVENT}"


def _create(price: WantedPrice, fault: str, old: Fields | None) -> Step:
    async def act(caller: StripeCaller) -> None:
        meter = await find_meter(caller) if price.terms.metered else None
        params = price_params(price, old, meter)

        async def make(key: str) -> stripe.Price:
            return await caller.call(
                lambda: caller.sdk.v1.prices.create_async(params, {"idempotency_key": key})
            )

        async def exists(made: stripe.Price) -> bool:
            now = (await read_shelf(caller)).get(price.key)
            return now is not None and now["id"] == made.id

        await once(key_for("price", params), make, exists)

    return Step(f"create price {price.key}: {price.terms}", fault, Right.PRICES, act)


def price_params(
    price: WantedPrice, old: Fields | None, meter: Fields | None
) -> stripe.params.PriceCreateParams:
    """What makes a price; it stays with the product of the one that it replaces."""
    asked = price.terms
    params: stripe.params.PriceCreateParams = {
        "currency": asked.currency,
        "product": old["product"]["id"] if old else f"bot_{price.tier}",
        "lookup_key": price.key,
        "transfer_lookup_key": True,
        "recurring": {"interval": asked.period},
        "metadata": {**MARK, **({REPLACES: old["id"]} if old else {})},
    }
    amount = asked.amount if asked.amount is not None else Decimal(0)
    if asked.extra is not None:
        params["billing_scheme"], params["tiers_mode"] = "tiered", "graduated"
        params["tiers"] = cast(
            "list[stripe.params.PriceCreateParamsTier]",
            [
                {"up_to": asked.seats, "flat_amount_decimal": amount},
                {"up_to": "inf", "unit_amount_decimal": asked.extra},
            ],
        )
        return params
    params["unit_amount_decimal"] = amount
    if meter is not None:
        params["recurring"] |= {"usage_type": "metered", "meter": meter["id"]}
    return params


def _archive(price: str, key: str, fault: str) -> Step:
    async def act(caller: StripeCaller) -> None:
        await caller.call(lambda: caller.sdk.v1.prices.update_async(price, {"active": False}))

    sentence = f"archive price {price} ({key}); subscriptions that use it run on"
    return Step(sentence, fault, Right.PRICES, act)


def _activate(price: str, key: str) -> Step:
    async def act(caller: StripeCaller) -> None:
        await caller.call(lambda: caller.sdk.v1.prices.update_async(price, {"active": True}))

    return Step(f"activate price {key}", f"The price {price} ({key}) is archived.", Right.PRICES, act)
