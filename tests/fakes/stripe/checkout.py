"""Checkout sessions: opened, read, expired, and completed once they are paid."""

from __future__ import annotations

from tests.fakes.stripe import discounts, lifecycle
from tests.fakes.stripe.amounts import discounted, price_amount
from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.customers import add_customer, live_customer
from tests.fakes.stripe.payments import add_card
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, new_id

_DAY = 86_400
_SHORTEST, _LONGEST = 30 * 60, _DAY
_PLAIN = ("allow_promotion_codes", "cancel_url", "client_reference_id", "locale", "metadata", "success_url")
_HARMLESS = (
    *("adaptive_pricing", "allowed_payment_method_types", "billing_address_collection"),
    *("customer_update", "tax_id_collection"),
)
_SUBSCRIBED = ("billing_mode", "description", "metadata", "trial_end", "trial_period_days", "trial_settings")


def _create(world: World, call: Call) -> Json:
    params = call.params
    _check(params)
    customer = live_customer(world, params["customer"])["id"] if "customer" in params else None
    sold, picks = (
        _lines(world, params.get("line_items", [])),
        discounts.chosen(world, params.get("discounts", [])),
    )
    data, wanted = params.get("subscription_data", {}), new_id("cs_test")
    amounts = _amounts(world, sold, picks, trying=_is_trial(data))
    values = {
        "id": wanted,
        "automatic_tax": _automatic_tax(params),
        "currency": sold[0][0]["currency"],
        "customer": customer,
        "discounts": [_shown(pick) for pick in picks],
        "expires_at": _expiry(world, params.get("expires_at")),
        "mode": "subscription",
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "ui_mode": "hosted_page",
        "url": f"{world.base_url}/c/pay/{wanted}",
    }
    session = world.make("checkout.session", "cs_test", values | amounts | _plain(params))
    world.plans[wanted] = {"lines": sold, "data": data, "discounts": picks}
    return session


def _check(params: Json) -> None:
    if params.get("mode") != "subscription":
        raise StripeError("The fake sells subscriptions only: mode=subscription", param="mode")
    if params.keys() >= {"allow_promotion_codes", "discounts"}:
        message = "You may only specify one of these parameters: allow_promotion_codes, discounts."
        raise StripeError(message, param="allow_promotion_codes")
    data = params.get("subscription_data", {})
    if data.keys() - set(_SUBSCRIBED):
        raise StripeError(f"The fake does not honour {sorted(data.keys() - set(_SUBSCRIBED))}", status=501)
    if data.keys() >= {"trial_end", "trial_period_days"}:
        message = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise StripeError(message, param="subscription_data[trial_end]")


def _automatic_tax(params: Json) -> Json:
    enabled = params.get("automatic_tax", {}).get("enabled", False)
    return {"enabled": enabled, "status": "complete" if enabled else None}


def _is_trial(data: Json) -> bool:
    return bool(data.get("trial_period_days") or data.get("trial_end"))


def _shown(pick: Json) -> Json:
    by_code = pick.get("promotion_code")
    return {"coupon": None if by_code else pick["coupon"], "promotion_code": by_code}


def _amounts(world: World, sold: list[tuple[Json, int | None]], picks: list[Json], *, trying: bool) -> Json:
    """What is paid today: nothing in a trial."""
    subtotal = 0 if trying else sum(price_amount(price, quantity) for price, quantity in sold if quantity)
    total = subtotal
    for pick in picks:
        total -= discounted(total, world.get("coupon", pick["coupon"], "discounts"))
    details = {"amount_discount": subtotal - total, "amount_shipping": 0, "amount_tax": 0}
    return {"amount_subtotal": subtotal, "amount_total": total, "total_details": details}


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
    return expire(world, session)


def expire(world: World, session: Json) -> Json:
    """Close an open session that nobody paid."""
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


def complete(world: World, session: Json, code: str | None = None, *, card: bool = True) -> Json:
    """What paying an open session does: the subscription is made now, and not before.

    `code` is a promotion code that the customer typed; without a `card` only a session that has nothing to
    pay and does not insist on one (`payment_method_collection=if_required`) can be completed.
    """
    if session["status"] != "open" or session["expires_at"] <= world.now():
        raise StripeError(f"Only an open session can be paid; this is {session['status']}.")
    plan = world.plans[session["id"]]
    if code is not None:
        _take_code(world, session, plan, code)
    if not card and (session["amount_total"] or session["payment_method_collection"] == "always"):
        raise StripeError("This session asks for a card.")
    if session["customer"] is None:
        session["customer"] = add_customer(world, {})["id"]
    subscription = _subscribe(world, session["customer"], plan, card=card)
    paid = {"invoice": subscription["latest_invoice"], "subscription": subscription["id"]}
    status = "paid" if card else "no_payment_required"
    session |= paid | {"payment_status": status, "status": "complete", "url": None}
    world.emit("checkout.session.completed", session)
    return session


def _take_code(world: World, session: Json, plan: Json, code: str) -> None:
    if not session["allow_promotion_codes"]:
        raise StripeError("This session takes no promotion codes.")
    promotion = discounts.promotion_of_code(world, code)
    picks = discounts.chosen(world, [{"promotion_code": promotion["id"]}])
    plan["discounts"] = picks
    session |= _amounts(world, plan["lines"], picks, trying=_is_trial(plan["data"]))
    session["discounts"] = [_shown(pick) for pick in picks]


def _subscribe(world: World, customer: str, plan: Json, *, card: bool) -> Json:
    data = plan["data"]
    fields = {name: data[name] for name in ("description", "trial_settings") if name in data}
    world.declining.discard(customer)
    world.authenticating.discard(customer)
    method = add_card(world, customer)["id"] if card else None
    extra = {
        "card": method,
        "discounts": plan["discounts"],
        "fields": fields,
        "trial_end": data.get("trial_end"),
    }
    days, metadata = data.get("trial_period_days", 0), data.get("metadata") or {}
    return lifecycle.start(world, customer, plan["lines"], metadata, days, extra)


ROUTES: Routes = {
    "POST /v1/checkout/sessions": route(
        _create,
        *(*_PLAIN, *_HARMLESS, "automatic_tax", "customer", "discounts", "expires_at", "line_items", "mode"),
        *("payment_method_collection", "subscription_data"),
    ),
    "GET /v1/checkout/sessions": listing(_list, "customer", "status", "subscription"),
    "GET /v1/checkout/sessions/{session}": route(_named),
    "POST /v1/checkout/sessions/{session}/expire": route(_expire),
}
