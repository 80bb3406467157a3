"""Our configuration of the customer portal as it should be, found again by its metadata."""

from __future__ import annotations

from typing import cast

import stripe

from billing.client import StripeCaller
from billing.rights import READ, Right, rightly
from billing.setup_named import read_named, sold
from billing.setup_products import Shelf, read_shelf
from billing.snapshots import Fields, plain
from billing.steps import Part, Step, key_for, once
from billing.wanted import MARK, Wanted
from engine.domain import TierName

CONTENT = "content"
PAGE = 100

Features = dict[str, object]


async def find_portal(caller: StripeCaller) -> Fields | None:
    """Our configuration, None if there is none yet."""

    async def every() -> list[Fields]:
        page = await caller.sdk.v1.billing_portal.configurations.list_async({"limit": PAGE})
        return [plain(each) async for each in page.auto_paging_iter()]

    listed = await rightly(Right.PORTAL, READ, caller.call(every))
    ours = [each for each in listed if MARK.items() <= (each.get("metadata") or {}).items()]
    return min(ours, key=lambda each: not each["active"], default=None)


async def plan_portal(caller: StripeCaller, wanted: Wanted) -> Part:
    """Cancel at period end, change the card, see invoices, and switch between what is sold."""
    portal = await find_portal(caller)
    if portal is None:
        words = "The customer portal has no configuration of ours."
        return Part((_step(wanted, "create the portal configuration", words),))
    products = await _products(caller, wanted)
    complete = sum(len(cast("list[str]", each["prices"])) for each in products) == _number_of_prices(wanted)
    features = features_of(products, wanted)
    if complete and portal["active"] and is_so(portal, features):
        return Part()
    words = f"The portal configuration {portal['id']} is not as it should be."
    return Part((_step(wanted, f"update the portal configuration {portal['id']}", words),))


def _number_of_prices(wanted: Wanted) -> int:
    return len(wanted.named) + sum(not price.terms.metered for price in wanted.prices)


def _step(wanted: Wanted, what: str, fault: str) -> Step:
    async def act(caller: StripeCaller) -> None:
        features = features_of(await _products(caller, wanted), wanted)
        metadata = {**MARK, CONTENT: key_for("portal", features)}
        portal = await find_portal(caller)
        if portal is not None:
            await _update(caller, portal["id"], features, metadata)
            return
        made = await _create(caller, features, metadata)
        if not made.active:
            await _update(caller, made.id, features, metadata)

    sentence = f"{what}: cancel at period end, cards, invoices, switch between what is sold"
    return Step(sentence, fault, Right.PORTAL, act)


async def _create(
    caller: StripeCaller, features: Features, metadata: dict[str, str]
) -> stripe.billing_portal.Configuration:
    params = cast(
        "stripe.params.billing_portal.ConfigurationCreateParams",
        {"name": "multi-llm-chat", "features": features, "metadata": metadata},
    )

    async def make(key: str) -> stripe.billing_portal.Configuration:
        return await caller.call(
            lambda: caller.sdk.v1.billing_portal.configurations.create_async(params, {"idempotency_key": key})
        )

    async def exists(made: stripe.billing_portal.Configuration) -> bool:
        found = await find_portal(caller)
        return found is not None and found["id"] == made.id

    return await once(key_for("portal", params), make, exists)


async def _update(caller: StripeCaller, portal: str, features: Features, metadata: dict[str, str]) -> None:
    params = cast(
        "stripe.params.billing_portal.ConfigurationUpdateParams",
        {"active": True, "features": features, "metadata": metadata},
    )
    await caller.call(lambda: caller.sdk.v1.billing_portal.configurations.update_async(portal, params))


async def _products(caller: StripeCaller, wanted: Wanted) -> list[Features]:
    """What members may switch between, as the portal takes it."""
    shelf: Shelf = await read_shelf(caller)
    prices: dict[str, list[str]] = {}
    tiers: dict[str, TierName] = {}
    for tier, price in sold(wanted, shelf, await read_named(caller, wanted)):
        prices.setdefault(price["product"]["id"], []).append(price["id"])
        tiers[price["product"]["id"]] = tier
    return [
        {"product": each, "prices": prices[each], **_seats(wanted.seats.get(tiers[each]))} for each in prices
    ]


def _seats(included: int | None) -> Features:
    """Seats are added to what includes some; two of anything else would be paid for and give nothing."""
    adjustable = {"enabled": False} if included is None else {"enabled": True, "minimum": included}
    return {"adjustable_quantity": adjustable}


def features_of(products: list[Features], wanted: Wanted) -> Features:
    """What members may do in the portal; what costs less begins with the next period, and a trial goes on.

    Stripe would end a trial with any change, and charge for it (`trial_update_behavior`).
    """
    updates = ["price", "quantity", *(["promotion_code"] if wanted.promotion_codes else [])]
    return {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": updates,
            "products": products,
            "proration_behavior": "always_invoice",
            "schedule_at_period_end": {
                "conditions": [{"type": "decreasing_item_amount"}, {"type": "shortening_interval"}]
            },
            "trial_update_behavior": "continue_trial",
        },
    }


def is_so(portal: Fields, features: Features) -> bool:
    """Whether a configuration holds these features.

    Stripe does not give the products back, so what we sent is remembered by its digest in the metadata.
    """
    sent = (portal.get("metadata") or {}).get(CONTENT) == key_for("portal", features)
    update = dict(cast("Features", features["subscription_update"]))
    del update["products"]
    return sent and _within({**features, "subscription_update": update}, portal["features"])


def _within(asked: object, has: object) -> bool:
    """Whether everything asked is there; the order of lists does not matter."""
    if isinstance(asked, dict):
        return isinstance(has, dict) and all(_within(value, has.get(name)) for name, value in asked.items())
    if isinstance(asked, list):
        return isinstance(has, list) and len(asked) == len(has) and all(each in has for each in asked)
    return asked == has
