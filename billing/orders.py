"""What an order to change a subscription comes to: when, whether it still fits, and with which parameters."""

from __future__ import annotations

from datetime import UTC, datetime

import stripe

from billing.prices import is_tiered
from billing.snapshots import Fields, items_of
from engine.facts import ENDED, Subscription
from engine.terms import ChangeKind, ChangeOrder, Timing, Wish

Items = list[stripe.params.SubscriptionUpdateParamsItem]


def is_over(subscription: Subscription) -> bool:
    """Whether there is nothing left to change."""
    return subscription.status in ENDED


def is_as_wished(live: Subscription, wish: Wish, quantity: int) -> bool:
    """Whether an order needs nothing done now, as when it is repeated after a crash."""
    match wish.kind:
        case ChangeKind.CANCEL:
            return live.cancel_at is not None
        case ChangeKind.RESUME:
            return live.cancel_at is None and live.schedule is None
        case ChangeKind.METER:
            return (live.metered_item is not None) == bool(wish.quantity)
        case _:
            return (live.tier, live.interval, live.quantity) == (wish.tier, wish.interval, quantity)


def is_planned(live: Subscription, wish: Wish, quantity: int) -> bool:
    """Whether the schedule of a subscription leads to what is wished."""
    plan = live.planned
    return plan is not None and (plan.tier, plan.interval, plan.quantity) == (
        wish.tier,
        wish.interval,
        quantity,
    )


def is_outdated(order: ChangeOrder, live: Subscription, fields: Fields) -> bool:
    """Whether the subscription is no longer what the member was shown a price for."""
    then = order.subscription
    same = (then.item, then.price, then.quantity) == (live.item, live.price, live.quantity)
    return not same or (order.timing is Timing.NOW and order.effective_at < period_start(fields, live.item))


def period_start(fields: Fields, item: str) -> datetime:
    """When the period of an item began; a proration is reckoned to no earlier time."""
    starts = (each["current_period_start"] for each in items_of(fields) if each["id"] == item)
    return datetime.fromtimestamp(next(starts, 0), tz=UTC)


def quantity_of(price: Fields, wished: int) -> int:
    """What is sold of a price: seats of a tiered one, one of any other."""
    return wished if is_tiered(price) else 1


def swap(live: Subscription, price: str, quantity: int, *, keeps_meter: bool) -> Items:
    """The item with another price and its quantity, which Stripe would put back to 1 unless it is told."""
    items: Items = [{"id": live.item, "price": price, "quantity": quantity}]
    if live.metered_item is not None and not keeps_meter:
        items.append({"id": live.metered_item, "deleted": True})
    return items


def has_mixed_intervals(fields: Fields) -> bool:
    """Whether items are paid in different rhythms, as a year of pro with metered use by the month."""
    recurring = [item["price"]["recurring"] for item in items_of(fields)]
    return len({(each["interval"], each["interval_count"]) for each in recurring}) > 1
