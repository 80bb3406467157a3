"""The lines of invoices: whole periods, parts of them after a change, and trials."""

from __future__ import annotations

from tests.fakes.stripe.amounts import discounted, is_metered, item_amount, part, price_amount
from tests.fakes.stripe.discounts import running
from tests.fakes.stripe.meters import USAGE
from tests.fakes.stripe.periods import period_of
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World, new_id


def line(world: World, subscription: Json, item: Json, amount: int, period: tuple[int, int]) -> Json:
    """A line for a whole period of an item."""
    price = item["price"]
    product = price["product"] if isinstance(price["product"], str) else price["product"]["id"]
    details = {"proration": False, "subscription": subscription["id"], "subscription_item": item["id"]}
    pricing = {"price_details": {"price": price["id"], "product": product}, "type": "price_details"}
    values = {
        "id": new_id("il"),
        "amount": amount,
        "currency": price["currency"],
        "description": f"{item.get('quantity', 1)} x {product}",
        "discountable": True,
        "livemode": world.livemode,
        "metadata": subscription["metadata"],
        "parent": {"subscription_item_details": details, "type": "subscription_item_details"},
        "period": {"start": period[0], "end": period[1]},
        "pricing": pricing | {"unit_amount_decimal": price["unit_amount_decimal"]},
        "quantity": item.get("quantity"),
        "subscription": subscription["id"],
        "subtotal": amount,
    }
    return world.shapes.make("line_item", values)


def whole(world: World, subscription: Json, items: list[Json]) -> list[Json]:
    """The current period of each licensed item, to be paid in advance."""
    licensed = [item for item in items if not is_metered(item["price"])]
    return [line(world, subscription, item, item_amount(item), period_of(item)) for item in licensed]


def used(world: World, subscription: Json, items: list[Json]) -> list[Json]:
    """What was used of each metered item in its current period, to be paid afterwards."""
    return [_usage(world, subscription, item) for item in items if is_metered(item["price"])]


def _usage(world: World, subscription: Json, item: Json) -> Json:
    start, end = period_of(item)
    meter = world.tables["billing.meter"].get(item["price"]["recurring"].get("meter") or "", {})
    units = 0
    for row in world.tables[USAGE].values():
        event = row["event"]
        mine = event["payload"].get("stripe_customer_id") == subscription["customer"]
        if mine and not row["canceled"] and event["event_name"] == meter.get("event_name"):
            units += int(event["payload"]["value"]) if start <= event["timestamp"] < end else 0
    made = line(world, subscription, item, price_amount(item["price"], units), (start, end))
    return made | {"quantity": units}


def trial(world: World, subscription: Json, items: list[Json]) -> list[Json]:
    """The same for nothing."""
    free = [line(world, subscription, item, 0, period_of(item)) for item in items]
    for one in free:
        one["description"] = f"Trial period for {one['pricing']['price_details']['product']}"
    return free


def credit(world: World, subscription: Json, item: Json, at: int) -> Json:
    """What comes back for the time of an item that will not be used."""
    return _part(world, subscription, item, at, -1)


def debit(world: World, subscription: Json, item: Json, at: int) -> Json:
    """What the rest of an item's period costs."""
    return _part(world, subscription, item, at, 1)


def _part(world: World, subscription: Json, item: Json, at: int, sign: int) -> Json:
    """A proration: discounts are in its amount already, so none is taken from it again."""
    start, end = period_of(item)
    since = max(start, min(at, end))
    amount = sign * part(_less_discounts(world, subscription, item, at), (start, end), since)
    made = line(world, subscription, item, amount, (since, end))
    word = "Unused time on" if sign < 0 else "Remaining time on"
    made |= {"description": f"{word} {made['description']}", "discountable": False}
    made["parent"]["subscription_item_details"]["proration"] = True
    return made


def _less_discounts(world: World, subscription: Json, item: Json, at: int) -> int:
    amount = item_amount(item)
    first = next((one["id"] for one in subscription["items"]["data"] if not is_metered(one["price"])), None)
    for discount in running(world, subscription, at):
        coupon = world.get("coupon", discount["source"]["coupon"], "coupon")
        if coupon["percent_off"] is not None or item["id"] == first:
            amount -= discounted(amount, coupon)
    return amount
