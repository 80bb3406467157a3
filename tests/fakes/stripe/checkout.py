"""Checkout sessions: opened, read, expired, and completed once they are paid."""

from __future__ import annotations

from tests.fakes.stripe import lifecycle
from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.customers import live_customer
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, new_id

_DAY = 86_400
_SHORTEST, _LONGEST = 30 * 60, _DAY
_PLAIN = ("allow_promotion_codes", "cancel_url", "client_reference_id", "locale", "metadata", "success_url")
_HARMLESS = (
    *("adaptive_pricing", "allowed_payment_method_types", "automatic_tax", "billing_address_collection"),
    *("customer_update", "payment_method_collection", "tax_id_collection"),
)


def _create(world: World, call: Call) -> Json:
    params = call.params
    if params.get("mode") != "subscription":
        raise StripeError("The fake sells subscriptions only: mode=subscription", param="mode")
    customer = live_customer(world, params["customer"])["id"] if "customer" in params else None
    lines = _lines(world, params.get("line_items", []))
    wanted = new_id("cs_test")
    total = sum((price["unit_amount"] or 0) * (quantity or 0) for price, quantity in lines)
    values = {
        "id": wanted,
        "amount_subtotal": total,
        "amount_total": total,
        "currency": lines[0][0]["currency"],
        "customer": customer,
        "expires_at": _expiry(world, params.get("expires_at")),
        "mode": "subscription",
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "ui_mode": "hosted_page",
        "url": f"{world.base_url}/c/pay/{wanted}",
    }
    session = world.make("checkout.session", "cs_test", values | _plain(params))
    world.plans[wanted] = {"lines": lines, "data": params.get("subscription_data", {})}
    return session


def _plain(params: Json) -> Json:
    if "success_url" not in params:
        name = "success_url"
        raise StripeError(f"Missing required param: {name}.", param=name, code="parameter_missing")
    return {"metadata": {}} | {name: params[name] for name in _PLAIN if name in params}


def _lines(world: World, line_items: list[Json]) -> list[tuple[Json, int | None]]:
    lines = []
    for index, line in enumerate(line_items):
        where = f"line_items[{index}][price]"
        price = world.get("price", line.get("price", ""), where, status=400)
        if not price["active"]:
            raise StripeError(f"The price specified is inactive: {price['id']}", param=where)
        if price["recurring"] is None:
            raise StripeError("You must provide at least one recurring price.", param=where)
        metered = price["recurring"]["usage_type"] == "metered"
        if metered == ("quantity" in line):
            raise StripeError("Licensed lines need a quantity, metered ones have none.", param=where)
        lines.append((price, line.get("quantity")))
    if not lines:
        raise StripeError("Missing required param: line_items.", param="line_items", code="parameter_missing")
    if len({(price["recurring"]["interval"], price["currency"]) for price, _ in lines}) > 1:
        raise StripeError("All prices of a session need one interval and currency.", param="line_items")
    return lines


def _expiry(world: World, wanted: int | None) -> int:
    expires_at = world.now() + _DAY if wanted is None else wanted
    if not _SHORTEST <= expires_at - world.now() <= _LONGEST:
        message = "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from now."
        raise StripeError(message, param="expires_at")
    return expires_at


def _named(world: World, call: Call) -> Json:
    return world.get("checkout.session", call.path["session"], "session")


def _expire(world: World, call: Call) -> Json:
    session = _named(world, call)
    if session["status"] != "open":
        raise StripeError(f"Only open Checkout Sessions can be expired; this is {session['status']}.")
    session |= {"status": "expired", "url": None}
    world.emit("checkout.session.expired", session)
    return session


def _list(world: World, call: Call) -> Json:
    params = call.params
    rows = [
        row
        for row in world.rows("checkout.session")
        if all(row[name] == params.get(name, row[name]) for name in ("customer", "status", "subscription"))
    ]
    return page(rows, params, "/v1/checkout/sessions")


def complete(world: World, session: Json) -> Json:
    """What paying an open session does: the subscription is made now, and not before."""
    if session["status"] != "open" or session["expires_at"] <= world.now():
        raise StripeError(f"Only an open session can be paid; this is {session['status']}.")
    plan = world.plans[session["id"]]
    if session["customer"] is None:
        session["customer"] = world.make("customer", "cus", {"metadata": {}})["id"]
    data = plan["data"]
    trial, metadata = data.get("trial_period_days", 0), data.get("metadata") or {}
    subscription = lifecycle.start(world, session["customer"], plan["lines"], metadata, trial)
    paid = {"invoice": subscription["latest_invoice"], "subscription": subscription["id"]}
    session |= paid | {"payment_status": "paid", "status": "complete", "url": None}
    world.emit("checkout.session.completed", session)
    return session


ROUTES: Routes = {
    "POST /v1/checkout/sessions": route(
        _create, *_PLAIN, *_HARMLESS, "customer", "expires_at", "line_items", "mode", "subscription_data"
    ),
    "GET /v1/checkout/sessions": listing(_list, "customer", "status", "subscription"),
    "GET /v1/checkout/sessions/{session}": route(_named),
    "POST /v1/checkout/sessions/{session}/expire": route(_expire),
}
