"""Our configurations of the customer portal as they should be, found again by their metadata."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import cast

import stripe

from billing.client import StripeCaller
from billing.rights import READ, Right, rightly
from billing.setup_named import read_named, sold
from billing.setup_products import Shelf, read_shelf
from billing.snapshots import Fields, plain
from billing.steps import Part, Step, key_for, once
from billing.wanted import APP, MARK, Wanted
from engine.domain import TierName

CONTENT, FOR = "content", "for"
PAGE = 100

Features = dict[str, object]
STAYING: Features = {
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
}
"""What everybody may do in the portal."""
BARRED: Features = {**STAYING, "subscription_update": {"enabled": False}}
"""What whoever is blocked may do."""


class Portal(StrEnum):
    """Our configurations, by what one is called in a sentence."""

    USUAL = "the portal configuration"
    BARRED = "the portal configuration for blocked members"

    @property
    def label(self) -> str:
        """What it is called at Stripe."""
        return APP if self is Portal.USUAL else f"{APP}, blocked members"

    @property
    def missing(self) -> str:
        """What is wrong if it is not there."""
        whose = "of ours" if self is Portal.USUAL else "for blocked members"
        return f"The customer portal has no configuration {whose}."

    @property
    def mark(self) -> dict[str, str]:
        """The metadata by which it is found; the usual one has been there longer, and has no `for`."""
        return MARK if self is Portal.USUAL else {**MARK, FOR: "blocked"}


async def find_portal(caller: StripeCaller, which: Portal = Portal.USUAL) -> Fields | None:
    """One of our configurations, None if there is none yet."""

    async def every() -> list[Fields]:
        page = await caller.sdk.v1.billing_portal.configurations.list_async({"limit": PAGE})
        return [plain(each) async for each in page.auto_paging_iter()]

    listed = await rightly(Right.PORTAL, READ, caller.call(every))
    ours = [each for each in listed if which.mark == marks_of(each)]
    return min(ours, key=lambda each: not each["active"], default=None)


def marks_of(portal: Fields) -> dict[str, str]:
    """What tells whose a configuration is, and for whom."""
    metadata = portal.get("metadata") or {}
    return {name: metadata[name] for name in (*MARK, FOR) if name in metadata}


async def plan_portal(caller: StripeCaller, wanted: Wanted) -> Part:
    """Cancel at period end, change the card, see invoices, and switch between what is sold."""

    async def offered(caller: StripeCaller) -> Features:
        return features_of(await _products(caller, wanted), wanted)

    portal = await find_portal(caller)
    if portal is None:
        return Part((_step(Portal.USUAL, None, offered),))
    products = await _products(caller, wanted)
    complete = sum(len(cast("list[str]", each["prices"])) for each in products) == _number_of_prices(wanted)
    right = complete and portal["active"] and is_so(portal, features_of(products, wanted))
    return Part() if right else Part((_step(Portal.USUAL, portal["id"], offered),))


def _number_of_prices(wanted: Wanted) -> int:
    return len(wanted.named) + sum(not price.terms.metered for price in wanted.prices)


async def plan_barred_portal(caller: StripeCaller, _: Wanted) -> Part:
    """The same for whoever is blocked, without switching."""

    async def offered(_: StripeCaller) -> Features:
        return BARRED

    portal = await find_portal(caller, Portal.BARRED)
    there = portal["id"] if portal else None
    return Part() if is_barred(portal) else Part((_step(Portal.BARRED, there, offered),))


def is_barred(portal: Fields | None) -> bool:
    """Whether it is there, can be used, and is as whoever is blocked should find it."""
    return portal is not None and portal["active"] and is_so(portal, BARRED)


async def barred(caller: StripeCaller) -> str:
    """The id of the configuration for blocked members, which is made or mended first if need be.

    Without it, as in an account that was set up before there was one, or once it was changed at Stripe, they
    could buy; so it is looked at each time.
    """
    portal = await find_portal(caller, Portal.BARRED)
    if portal is not None and is_barred(portal):
        return str(portal["id"])
    return await _put(caller, Portal.BARRED, BARRED)


def _step(which: Portal, there: str | None, offered: Callable[[StripeCaller], Awaitable[Features]]) -> Step:
    """Make a configuration, or mend the one that is `there`."""

    async def act(caller: StripeCaller) -> None:
        await _put(caller, which, await offered(caller))

    what = f"update {which} {there}" if there else f"create {which}"
    fault = f"{which.capitalize()} {there} is not as it should be." if there else which.missing
    switch = ", switch between what is sold" if which is Portal.USUAL else ""
    return Step(f"{what}: cancel at period end, cards, invoices{switch}", fault, Right.PORTAL, act)


async def _put(caller: StripeCaller, which: Portal, features: Features) -> str:
    """Make a configuration, or make it anew; its id."""
    metadata = {**which.mark, CONTENT: key_for("portal", features)}
    portal = await find_portal(caller, which)
    if portal is not None:
        await _update(caller, portal["id"], features, metadata)
        return str(portal["id"])
    made = await _create(caller, which, features, metadata)
    if not made.active:
        await _update(caller, made.id, features, metadata)
    return made.id


async def _create(
    caller: StripeCaller, which: Portal, features: Features, metadata: dict[str, str]
) -> stripe.billing_portal.Configuration:
    params = cast(
        "stripe.params.billing_portal.ConfigurationCreateParams",
        {"name": which.label, "features": features, "metadata": metadata},
    )

    async def make(key: str) -> stripe.billing_portal.Configuration:
        return await caller.call(
            lambda: caller.sdk.v1.billing_portal.configurations.create_async(params, {"idempotency_key": key})
        )

    async def exists(made: stripe.billing_portal.Configuration) -> bool:
        found = await find_portal(caller, which)
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
        **STAYING,
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
    update.pop("products", None)
    return sent and _within({**features, "subscription_update": update}, portal["features"])


def _within(asked: object, has: object) -> bool:
    """Whether everything asked is there; the order of lists does not matter."""
    if isinstance(asked, dict):
        return isinstance(has, dict) and all(_within(value, has.get(name)) for name, value in asked.items())
    if isinstance(asked, list):
        return isinstance(has, list) and len(asked) == len(has) and all(each in has for each in asked)
    return asked == has
