"""Subscriptions: listed, read, changed and canceled through the API."""

from __future__ import annotations

from tests.fakes.stripe import lifecycle
from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, merge_metadata

_UPDATES = ("cancel_at", "cancel_at_period_end", "items", "metadata", "pause_collection")
_HARMLESS = ("proration_behavior", "payment_behavior", "off_session")


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


def _update(world: World, call: Call) -> Json:
    subscription, params = _named(world, call), call.params
    if subscription["status"] == "canceled":
        raise StripeError("A canceled subscription can only update its cancellation_details and metadata.")
    for change in params.get("items", []):
        _change_item(world, subscription, change)
    _change_end(world, subscription, params)
    if "metadata" in params:
        merge_metadata(subscription, params["metadata"])
    if "pause_collection" in params:
        subscription["pause_collection"] = params["pause_collection"] or None
    return lifecycle.updated(world, subscription)


def _change_item(world: World, subscription: Json, change: Json) -> None:
    """Swap an item's price, which puts its quantity back to 1 unless the call carries one."""
    items = subscription["items"]["data"]
    item = next((item for item in items if item["id"] == change.get("id")), None)
    if item is None:
        price = world.get("price", change["price"], "items[0][price]", status=400)
        quantity = change.get("quantity", 1)
        items.append(lifecycle.make_item(world, subscription["id"], price, quantity, world.now()))
    elif change.get("deleted"):
        items.remove(item)
    else:
        swap_price(world, item, change.get("price"), change.get("quantity"))


def swap_price(world: World, item: Json, wanted: str | None, quantity: int | None) -> None:
    """Give an item another price and a period of its interval, starting now if the interval changes."""
    if wanted is not None and wanted != item["price"]["id"]:
        price = world.get("price", wanted, "items[0][price]", status=400)
        if price["recurring"]["interval"] != item["price"]["recurring"]["interval"]:
            item["current_period_start"] = world.now()
            item["current_period_end"] = lifecycle.period_end(world.now(), price["recurring"])
        item |= {"price": price, "quantity": 1}
    if quantity is not None:
        item["quantity"] = quantity


def _change_end(world: World, subscription: Json, params: Json) -> None:
    ends = {"min_period_end": min, "max_period_end": max}
    if "cancel_at" in params:
        wanted = params["cancel_at"] or None
        periods = [item["current_period_end"] for item in subscription["items"]["data"]]
        subscription["cancel_at"] = ends[wanted](periods) if wanted in ends else wanted
    if "cancel_at_period_end" in params:
        pending = params["cancel_at_period_end"]
        subscription["cancel_at_period_end"] = pending
        subscription["cancel_at"] = lifecycle.ends_at(subscription) if pending else None
    subscription["canceled_at"] = world.now() if subscription["cancel_at"] else None


def _cancel(world: World, call: Call) -> Json:
    subscription = _named(world, call)
    if subscription["status"] == "canceled":
        raise StripeError(f"No such subscription: {subscription['id']}", status=404, code="resource_missing")
    return lifecycle.cancel(world, subscription)


ROUTES: Routes = {
    "GET /v1/subscriptions": listing(_list, "created", "customer", "price", "status"),
    "GET /v1/subscriptions/{subscription_exposed_id}": route(_named),
    "POST /v1/subscriptions/{subscription_exposed_id}": route(_update, *_UPDATES, *_HARMLESS),
    "DELETE /v1/subscriptions/{subscription_exposed_id}": route(_cancel, "invoice_now", "prorate"),
}
