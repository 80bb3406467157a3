"""How a subscription lives: it starts, renews, fails to be paid, recovers and ends."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.fakes.stripe import invoices
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World, list_of, new_id

ENDED = frozenset({"canceled", "incomplete_expired"})
_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}
_MONTHS_A_YEAR = 12


def period_end(start: int, recurring: Json) -> int:
    """The end of a period that starts then; a month that is too short ends on its last day."""
    begin, count = datetime.fromtimestamp(start, UTC), recurring["interval_count"]
    if recurring["interval"] in _DAYS:
        return int((begin + timedelta(days=_DAYS[recurring["interval"]] * count)).timestamp())
    months = begin.year * _MONTHS_A_YEAR + begin.month - 1 + _MONTHS[recurring["interval"]] * count
    year, month = divmod(months, _MONTHS_A_YEAR)
    day = min(begin.day, calendar.monthrange(year, month + 1)[1])
    return int(begin.replace(year=year, month=month + 1, day=day).timestamp())


def make_item(world: World, subscription: str, price: Json, quantity: int | None, start: int) -> Json:
    """One item of a subscription with the period it pays for."""
    values = {
        "current_period_start": start,
        "current_period_end": period_end(start, price["recurring"]),
        "metadata": {},
        "price": price,
        "subscription": subscription,
    }
    licensed = {} if quantity is None else {"quantity": quantity}
    return world.make("subscription_item", "si", values | licensed)


def start(
    world: World, customer: str, lines: Sequence[tuple[Json, int | None]], metadata: Json, trial_days: int = 0
) -> Json:
    """Start a paid (or trying) subscription in flexible billing mode, with its first invoice."""
    now, wanted = world.now(), new_id("sub")
    items = [make_item(world, wanted, price, quantity, now) for price, quantity in lines]
    trial = {"trial_start": now, "trial_end": now + trial_days * 86_400} if trial_days else {}
    values = {
        "id": wanted,
        "billing_cycle_anchor": now,
        "billing_mode": {"type": "flexible"},
        "cancellation_details": {},
        "currency": lines[0][0]["currency"],
        "customer": customer,
        "default_payment_method": new_id("pm"),
        "items": list_of(items, f"/v1/subscription_items?subscription={wanted}"),
        "metadata": metadata,
        "start_date": now,
        "status": "trialing" if trial else "active",
    }
    subscription = world.make("subscription", "sub", values | trial)
    world.emit("customer.subscription.created", subscription)
    invoices.bill(world, subscription, "subscription_create", paid=True)
    return subscription


def updated(world: World, subscription: Json) -> Json:
    """Tell the world that a subscription changed."""
    world.emit("customer.subscription.updated", subscription)
    return subscription


def cancel(world: World, subscription: Json, reason: str = "cancellation_requested") -> Json:
    """End a subscription now."""
    ended = {"status": "canceled", "canceled_at": world.now(), "ended_at": world.now()}
    subscription |= ended
    subscription["cancellation_details"]["reason"] = reason
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def ends_at(subscription: Json) -> int:
    """When the period that is paid ends: the latest end of the items."""
    ends: list[int] = [item["current_period_end"] for item in subscription["items"]["data"]]
    return max(ends)


def renew(world: World, subscription: Json) -> None:
    """Begin the next period and charge for it; a declining card makes the subscription past due."""
    for item in subscription["items"]["data"]:
        item["current_period_start"] = item["current_period_end"]
        item["current_period_end"] = period_end(item["current_period_start"], item["price"]["recurring"])
    if subscription["customer"] in world.declining:
        fail(world, subscription)
        return
    subscription["status"] = "active"
    invoices.bill(world, subscription, "subscription_cycle", paid=True)
    updated(world, subscription)


def fail(world: World, subscription: Json) -> None:
    """Leave the newest invoice unpaid."""
    world.declining.add(subscription["customer"])
    subscription["status"] = "past_due"
    invoices.bill(world, subscription, "subscription_cycle", paid=False)
    updated(world, subscription)


def recover(world: World, subscription: Json) -> None:
    """Pay the open invoice after all."""
    world.declining.discard(subscription["customer"])
    subscription["status"] = "active"
    invoices.settle(world, world.get("invoice", subscription["latest_invoice"], "invoice"))
    updated(world, subscription)


def catch_up(world: World) -> None:
    """Do all that became due by the clock: cancellations, renewals, expiries of sessions."""
    for subscription in list(world.tables["subscription"].values()):
        _catch_up_one(world, subscription)
    for session in list(world.tables["checkout.session"].values()):
        if session["status"] == "open" and session["expires_at"] <= world.now():
            session |= {"status": "expired", "url": None}
            world.emit("checkout.session.expired", session)


def _catch_up_one(world: World, subscription: Json) -> None:
    while subscription["status"] not in ENDED:
        cancel_at = subscription["cancel_at"]
        if cancel_at is not None and cancel_at <= world.now():
            cancel(world, subscription)
        elif ends_at(subscription) <= world.now():
            renew(world, subscription)
        else:
            return
