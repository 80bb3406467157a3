"""Subscriptions through the API: listed, read, made, changed, paused, resumed and canceled."""

from __future__ import annotations

from tests.fakes.stripe import bills, changes, discounts, lifecycle, lines, payments
from tests.fakes.stripe.amounts import is_metered
from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.customers import live_customer
from tests.fakes.stripe.periods import period_end
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, merge_metadata

_ENDS = ("cancel_at", "cancel_at_period_end")
_PRICED = ("items", "proration_behavior", "proration_date", "trial_end", "payment_behavior")
_PLAIN = ("cancellation_details", "default_payment_method", "description", "trial_settings")
_UPDATES = (*_ENDS, *_PRICED, *_PLAIN, "discounts", "metadata", "off_session", "pause_collection")
_CREATES = (
    *("automatic_tax", "billing_mode", "customer", "items", "trial_period_days", "off_session"),
    *(*_PLAIN, *_ENDS, "discounts", "metadata", "payment_behavior", "trial_end"),
)
_PENDING = frozenset({*_PRICED, "expand", "metadata", "off_session"})
"""What may go with `payment_behavior=pending_if_incomplete` (docs: pending updates reference)."""
_ENDED_MAY = frozenset({"cancellation_details", "metadata", "expand"})


def _list(world: World, call: Call) -> Json:
    params = call.params
    if "customer" in params:
        world.get("customer", params["customer"], "customer", status=400)
    rows = [
        row
        for row in world.rows("subscription")
        if row["customer"] == params.get("customer", row["customer"])
        and _has_status(row["status"], params.get("status"))
        and _has_price(row, params.get("price"))
        and in_range(row["created"], params.get("created"))
    ]
    return page(rows, params, "/v1/subscriptions")


def _has_status(status: str, wanted: str | None) -> bool:
    if wanted == "all":
        return True
    if wanted == "ended":
        return status in lifecycle.ENDED
    return status == wanted if wanted else status != "canceled"


def _has_price(subscription: Json, wanted: str | None) -> bool:
    return wanted is None or any(item["price"]["id"] == wanted for item in subscription["items"]["data"])


def _named(world: World, call: Call) -> Json:
    return world.get("subscription", call.path["subscription_exposed_id"], "id")


def _create(world: World, call: Call) -> Json:
    params = call.params
    customer = live_customer(world, params.get("customer", ""))
    sold = [_sold(world, item, f"items[{index}]") for index, item in enumerate(params.get("items", []))]
    if not sold:
        raise StripeError("Missing required param: items.", param="items", code="parameter_missing")
    if params.get("payment_behavior") in {"default_incomplete", "pending_if_incomplete"}:
        raise StripeError("The fake tries to collect at once.", param="payment_behavior", status=501)
    outcome = payments.verdict(world, customer["id"], _card(params, customer))
    trying = "trial_period_days" in params or "trial_end" in params
    if outcome != "paid" and not trying and params.get("payment_behavior") == "error_if_incomplete":
        raise payments.refusal(outcome)
    picks = discounts.chosen(world, params.get("discounts") or [])
    fields = {name: params[name] for name in ("description", "trial_settings") if name in params}
    extra: Json = {"card": params.get("default_payment_method"), "discounts": picks, "fields": fields}
    extra["trial_end"] = None if params.get("trial_end") == "now" else params.get("trial_end")
    days, metadata = params.get("trial_period_days", 0), params.get("metadata") or {}
    subscription = lifecycle.start(world, customer["id"], sold, metadata, days, extra)
    _change_end(world, subscription, params)
    return subscription


def _card(params: Json, customer: Json) -> str | None:
    fallback: str | None = (customer["invoice_settings"] or {}).get("default_payment_method")
    return params.get("default_payment_method") or fallback


def _sold(world: World, item: Json, param: str) -> tuple[Json, int | None]:
    price = world.get("price", item.get("price", ""), f"{param}[price]", status=400)
    if is_metered(price) and "quantity" in item:
        message = "Quantity should not be specified where usage_type is `metered`."
        raise StripeError(message, param=f"{param}[quantity]")
    return price, None if is_metered(price) else item.get("quantity", 1)


def _update(world: World, call: Call) -> Json:
    subscription, params = _named(world, call), call.params
    check(subscription, params)
    if params.keys() & {"items", "trial_end"}:
        made = changes.plan(world, subscription, params)
        changes.forget(world, subscription)
        behavior = params.get("proration_behavior", "create_prorations")
        payment = params.get("payment_behavior", "allow_incomplete")
        changes.carry_out(world, subscription, made, behavior, payment)
    _change_end(world, subscription, params)
    _change_plain(world, subscription, params)
    return lifecycle.updated(world, subscription)


def check(subscription: Json, params: Json) -> None:
    """Refuse what Stripe refuses to combine, and what the subscription's state forbids."""
    if params.keys() >= set(_ENDS):
        message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end."
        raise StripeError(message, param="cancel_at_period_end")
    if subscription["status"] in lifecycle.ENDED and params.keys() - _ENDED_MAY:
        raise StripeError("A canceled subscription can only update its cancellation_details and metadata.")
    _check_schedule(subscription, params)
    beyond = params.keys() - _PENDING
    if params.get("payment_behavior") == "pending_if_incomplete" and beyond:
        message = (
            "When `payment_behavior` is set to `pending_if_incomplete`, you can only pass supported params. "
            f"The following are not supported: {', '.join(sorted(beyond))}"
        )
        raise StripeError(message, param=min(beyond))


def _check_schedule(subscription: Json, params: Json) -> None:
    schedule = subscription["schedule"]
    touched = params.keys() & {*_ENDS, "items", "trial_end"}
    if schedule and touched:
        what = "any cancelation behavior" if touched & set(_ENDS) else "its items"
        raise StripeError(
            f"The subscription is managed by the subscription schedule `{schedule}`, and updating {what} "
            "directly is not allowed. Please update the schedule instead."
        )


def _change_end(world: World, subscription: Json, params: Json) -> None:
    if not params.keys() & set(_ENDS):
        return
    subscription["cancel_at_period_end"] = bool(params.get("cancel_at_period_end", False))
    subscription["cancel_at"] = wanted_end(world, subscription, params)
    pending = subscription["cancel_at"] is not None
    subscription["canceled_at"] = world.now() if pending else None
    reason = "cancellation_requested" if pending else None
    subscription["cancellation_details"]["reason"] = reason


def wanted_end(world: World, subscription: Json, params: Json) -> int | None:
    """When `cancel_at` or `cancel_at_period_end` (of mixed periods: the earliest) would end it."""
    if "cancel_at_period_end" in params:
        return lifecycle.renews_at(subscription) if params["cancel_at_period_end"] else None
    wanted = params.get("cancel_at") or None
    if wanted == "min_period_end":
        return lifecycle.renews_at(subscription)
    if wanted == "max_period_end":
        return lifecycle.ends_at(subscription)
    if wanted is not None and int(wanted) <= world.now():
        raise StripeError("`cancel_at` must be a timestamp in the future.", param="cancel_at")
    return None if wanted is None else int(wanted)


def _change_plain(world: World, subscription: Json, params: Json) -> None:
    if "metadata" in params:
        merge_metadata(subscription, params["metadata"])
    if "pause_collection" in params:
        paused = params["pause_collection"] or None
        subscription["pause_collection"] = paused and {"resumes_at": None} | paused
    if "default_payment_method" in params:
        method = params["default_payment_method"]
        world.get("payment_method", method, "default_payment_method", status=400)
    if params.get("discounts") or params.get("discounts") == "":
        picks = discounts.chosen(world, params["discounts"] or [])
        customer, wanted = subscription["customer"], subscription["id"]
        subscription["discounts"] = discounts.redeem(world, customer, wanted, picks)
    for name in _PLAIN:
        if name in params:
            _change_field(subscription, name, params[name])


def _change_field(subscription: Json, name: str, value: object) -> None:
    if isinstance(value, dict) and subscription[name]:
        subscription[name] |= {inner: each or None for inner, each in value.items()}
    else:
        subscription[name] = value or None


def _cancel(world: World, call: Call) -> Json:
    subscription, params = _named(world, call), call.params
    if subscription["status"] in lifecycle.ENDED:
        raise StripeError(f"No such subscription: {subscription['id']}", status=404, code="resource_missing")
    changes.forget(world, subscription)
    waiting = ending_lines(world, subscription, params)
    if params.get("invoice_now"):
        waiting = world.pending_lines.pop(subscription["id"], []) + waiting
        waiting += [
            one for one in lines.used(world, subscription, subscription["items"]["data"]) if one["amount"]
        ]
    if params.get("invoice_now") and waiting:
        lifecycle.collect(world, bills.draft(world, subscription, waiting, "subscription_update"))
    else:
        world.pending_lines[subscription["id"]] += waiting
    if "cancellation_details" in params:
        _change_field(subscription, "cancellation_details", params["cancellation_details"])
    return lifecycle.cancel(world, subscription)


def ending_lines(world: World, subscription: Json, params: Json) -> list[Json]:
    """The credit for the time that is left, if a cancellation with `prorate` asks for it."""
    if not params.get("prorate") or subscription["status"] == "trialing":
        return []
    licensed = [item for item in subscription["items"]["data"] if not is_metered(item["price"])]
    return [lines.credit(world, subscription, item, world.now()) for item in licensed]


def _paused(world: World, call: Call, verb: str) -> Json:
    subscription = world.get("subscription", call.path["subscription"], "subscription")
    if (subscription["status"] == "paused") != (verb == "resume"):
        message = f"Cannot {verb} a subscription with the status `{subscription['status']}`."
        raise StripeError(message)
    return subscription


def _resume(world: World, call: Call) -> Json:
    """Bill a period that begins now; a payment that fails leaves the subscription past due."""
    subscription = _paused(world, call, "resume")
    params, now = call.params, world.now()
    anchor = params.get("billing_cycle_anchor", {}).get("type", "now")
    items = subscription["items"]["data"]
    while anchor == "unchanged" and lifecycle.renews_at(subscription) <= now:
        lifecycle.roll(subscription, [item for item in items if item["current_period_end"] <= now])
    if anchor == "now":
        subscription["billing_cycle_anchor"] = now
        for item in items:
            item["current_period_start"] = now
            item["current_period_end"] = period_end(now, item["price"]["recurring"])
    whole = (
        lines.whole(world, subscription, items) if anchor == "now" else _resumed_parts(world, subscription)
    )
    outcome = payments.verdict(world, subscription["customer"], payments.card_of(world, subscription))
    invoice = bills.finalize(world, bills.draft(world, subscription, whole, "subscription_update"))
    if outcome == "paid" or params.get("payment_behavior") != "resume_on_payment_success":
        subscription |= {"status": "active", "status_details": None}
        world.emit("customer.subscription.resumed", subscription)
    lifecycle.retry(world, invoice)
    return lifecycle.updated(world, subscription)


def _resumed_parts(world: World, subscription: Json) -> list[Json]:
    licensed = [item for item in subscription["items"]["data"] if not is_metered(item["price"])]
    return [lines.debit(world, subscription, item, world.now()) for item in licensed]


def _pause(world: World, call: Call) -> Json:
    subscription = _paused(world, call, "pause")
    if call.params.get("invoicing_behavior") == "invoice":
        raise StripeError("The fake pauses without an invoice only.", status=501)
    world.pending_lines[subscription["id"]] += ending_lines(world, subscription, {"prorate": True})
    return lifecycle.pause(world, subscription, "pause_requested")


ROUTES: Routes = {
    "GET /v1/subscriptions": listing(_list, "created", "customer", "price", "status"),
    "POST /v1/subscriptions": route(_create, *_CREATES),
    "GET /v1/subscriptions/{subscription_exposed_id}": route(_named),
    "POST /v1/subscriptions/{subscription_exposed_id}": route(_update, *_UPDATES),
    "DELETE /v1/subscriptions/{subscription_exposed_id}": route(
        _cancel, "cancellation_details", "invoice_now", "prorate"
    ),
    "POST /v1/subscriptions/{subscription}/resume": route(
        _resume, "billing_cycle_anchor", "payment_behavior"
    ),
    "POST /v1/subscriptions/{subscription}/pause": route(_pause, "type", "invoicing_behavior"),
}
