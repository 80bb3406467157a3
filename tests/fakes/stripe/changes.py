"""Changes of a subscription's items: what it would have, what that costs, and doing it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from tests.fakes.stripe import bills, lifecycle, lines, payments
from tests.fakes.stripe.amounts import is_metered
from tests.fakes.stripe.periods import period_end, same_interval
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World

_PENDING_SECONDS = 23 * 3600


@dataclass(slots=True)
class Plan:
    """The items after a change, the fields that go with them, and the lines that it makes."""

    items: list[Json]
    fields: Json = field(default_factory=dict)
    lines: list[Json] = field(default_factory=list)
    anew: bool = False
    """Whether a period begins now, so that it is billed now whatever the prorations do."""


def plan(world: World, subscription: Json, params: Json) -> Plan:
    """What a call's `items`, `trial_end`, `proration_behavior` and `proration_date` would do."""
    behavior = params.get("proration_behavior", "create_prorations")
    at = params.get("proration_date", world.now())
    _check_date(subscription, at)
    before = subscription["items"]["data"]
    made = Plan(copy.deepcopy(before))
    for index, change in enumerate(params.get("items", [])):
        _change_item(world, subscription, made, change, f"items[{index}]")
    if not made.items:
        raise StripeError("A subscription must have at least one active plan.", param="items")
    _change_trial(world, subscription, made, params)
    if subscription["status"] == "trialing":
        made.lines = lines.whole(world, subscription, made.items) if made.anew else []
    else:
        made.lines = _prorated(world, subscription, made, behavior, at)
    return made


def _check_date(subscription: Json, at: int) -> None:
    starts = [item["current_period_start"] for item in subscription["items"]["data"]]
    if not min(starts) <= at <= lifecycle.ends_at(subscription):
        message = "The proration date must be within the current period of the subscription."
        raise StripeError(message, param="proration_date")


def _change_item(world: World, subscription: Json, made: Plan, change: Json, param: str) -> None:
    item = next((item for item in made.items if item["id"] == change.get("id")), None)
    if item is None and "id" in change:
        message = f"No such subscription item: '{change['id']}'"
        raise StripeError(message, param=f"{param}[id]", code="resource_missing")
    if item is None:
        made.items.append(_new_item(world, subscription, made, change, param))
    elif change.get("deleted"):
        made.items.remove(item)
    else:
        _change_one(world, subscription, made, item, change, param)


def _price(world: World, wanted: str, change: Json, param: str) -> Json:
    price = world.get("price", wanted, f"{param}[price]", status=400)
    if is_metered(price) and "quantity" in change:
        message = "Quantity should not be specified where usage_type is `metered`."
        raise StripeError(message, param=f"{param}[quantity]")
    return price


def _new_item(world: World, subscription: Json, made: Plan, change: Json, param: str) -> Json:
    price = _price(world, change.get("price", ""), change, param)
    if any(item["price"]["id"] == price["id"] for item in made.items):
        message = f"Cannot add multiple subscription items with the same plan: {price['id']}"
        raise StripeError(message, param=f"{param}[price]")
    end = lifecycle.joining_end(world, subscription, price)
    return lifecycle.make_item(world, subscription["id"], price, change.get("quantity", 1), end)


def _change_one(world: World, subscription: Json, made: Plan, item: Json, change: Json, param: str) -> None:
    """Swap an item's price, which puts its quantity back to 1 unless the call carries one."""
    price = _price(world, change.get("price", item["price"]["id"]), change, param)
    if price["id"] != item["price"]["id"]:
        if not same_interval(price, item["price"]) and subscription["status"] != "trialing":
            item["current_period_start"] = world.now()
            item["current_period_end"] = period_end(world.now(), price["recurring"])
            made.anew, made.fields["billing_cycle_anchor"] = True, world.now()
        item |= {"price": price, "quantity": 1}
    if "quantity" in change:
        item["quantity"] = change["quantity"]
    if is_metered(price):
        item.pop("quantity", None)


def _change_trial(world: World, subscription: Json, made: Plan, params: Json) -> None:
    wanted, now = params.get("trial_end"), world.now()
    if wanted is None:
        return
    if wanted == "now":
        if subscription["status"] != "trialing":
            return
        made.fields |= {"billing_cycle_anchor": now, "status": "active", "trial_end": now}
    elif wanted <= now:
        raise StripeError(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end"
        )
    else:
        made.fields |= {"billing_cycle_anchor": wanted, "status": "trialing", "trial_end": wanted}
        made.fields["trial_start"] = subscription["trial_start"] or now
    made.anew = wanted == "now"
    for item in made.items:
        item["current_period_start"] = now
        item["current_period_end"] = period_end(now, item["price"]["recurring"]) if made.anew else wanted


def _prorated(world: World, subscription: Json, made: Plan, behavior: str, at: int) -> list[Json]:
    """Unused time of what was, remaining time of what will be; a period that begins now is billed whole."""
    before = {item["id"]: item for item in subscription["items"]["data"]}
    after = {item["id"]: item for item in made.items}
    free = made.fields.get("status") == "trialing"
    bill = []
    for wanted, item in before.items():
        if after.get(wanted) != item and not is_metered(item["price"]) and behavior != "none":
            bill.append(lines.credit(world, subscription, item, at))
        elif wanted not in after:
            bill += lines.used(world, subscription, [item])
    for wanted, item in after.items():
        if before.get(wanted) == item or is_metered(item["price"]) or free:
            continue
        old = before.get(wanted)
        if old is not None and old["current_period_end"] != item["current_period_end"]:
            bill += lines.whole(world, subscription, [item])
        elif behavior != "none":
            bill.append(lines.debit(world, subscription, item, at))
    return bill


def carry_out(world: World, subscription: Json, made: Plan, behavior: str, payment: str) -> None:
    """Do what was planned; with `payment=pending_if_incomplete` only once its invoice is paid."""
    immediate = made.lines and (behavior == "always_invoice" or made.anew)
    if not immediate:
        world.pending_lines[subscription["id"]] += made.lines
        _apply(world, subscription, made)
        return
    method = payments.card_of(world, subscription)
    outcome = payments.verdict(world, subscription["customer"], method)
    invoice_lines = world.pending_lines.get(subscription["id"], []) + made.lines
    due = preview(world, subscription, invoice_lines)["amount_due"]
    if due and outcome != "paid" and payment == "error_if_incomplete":
        raise payments.refusal(outcome)
    world.pending_lines.pop(subscription["id"], None)
    waits = due and outcome != "paid" and payment == "pending_if_incomplete"
    if not waits:
        _apply(world, subscription, made)
    invoice = bills.finalize(world, bills.draft(world, subscription, invoice_lines, "subscription_update"))
    if waits:
        _propose(world, subscription, made, invoice)
    lifecycle.retry(world, invoice)


def preview(world: World, subscription: Json, invoice_lines: list[Json]) -> Json:
    """The values of the invoice that these lines would make now."""
    now = world.now()
    return bills.compose(world, subscription, invoice_lines, "subscription_update", (now, now), now)


def _apply(world: World, subscription: Json, made: Plan) -> None:
    lifecycle.keep_items(world, subscription, made.items)
    subscription |= made.fields


def _propose(world: World, subscription: Json, made: Plan, invoice: Json) -> None:
    """Keep a change for when its invoice is paid."""
    kept = {"items": made.items, "fields": made.fields, "invoice": invoice["id"]}
    world.proposals[subscription["id"]] = kept
    expires = min(world.now() + _PENDING_SECONDS, lifecycle.renews_at(subscription))
    values = {"expires_at": expires, "subscription_items": made.items}
    values |= {name: made.fields.get(name) for name in ("billing_cycle_anchor", "trial_end")}
    subscription["pending_update"] = world.shapes.make("subscriptions_resource_pending_update", values)


def forget(world: World, subscription: Json) -> None:
    """Void the invoice of an earlier change that still waits: the next change takes its place."""
    invoice = lifecycle.drop_proposal(world, subscription)
    if invoice is not None:
        bills.void(world, invoice)
