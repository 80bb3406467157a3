"""Invoices to come: what a change would cost now, or what the next period will."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fakes.stripe import bills, changes, lifecycle, lines, schedules, subscriptions
from tests.fakes.stripe.calls import Call
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, new_id

_HOUR = 3600
_HONOURED = frozenset(
    {
        *("cancel_at", "cancel_at_period_end", "cancel_now", "items"),
        "proration_behavior",
        "proration_date",
        "trial_end",
    }
)


def preview(world: World, call: Call) -> Json:
    """The invoice that a change makes at once, if it does, else the next one that renews the subscription."""
    details = call.params.get("subscription_details", {}) | _of_schedule(world, call.params)
    if details.keys() - _HONOURED:
        raise StripeError(f"The fake does not honour {sorted(details.keys() - _HONOURED)}", status=501)
    subscription = _subject(world, call.params)
    if "schedule_details" not in call.params:
        subscriptions.check(subscription, {"items": details["items"]} if "items" in details else {})
    with _untouched(world, subscription) as mine:
        values = _values(world, mine, details)
    wanted = new_id("upcoming_in")
    values["lines"]["url"] = f"/v1/invoices/{wanted}/lines"
    return world.shapes.make(
        "invoice", values | {"id": wanted, "created": world.now(), "livemode": world.livemode}
    )


def _of_schedule(world: World, params: Json) -> Json:
    """What other phases of a schedule change now: the items of the first one in the places of today's."""
    if "schedule_details" not in params:
        return {}
    held = {item["price"]["id"]: item["id"] for item in _subject(world, params)["items"]["data"]}
    wanted = params["schedule_details"]["phases"][0]["items"]
    leaving = [item for price, item in held.items() if price not in {each["price"] for each in wanted}]
    items: list[Json] = []
    for each in wanted:
        place = held.get(each["price"]) or (leaving.pop(0) if leaving else None)
        items.append(each if place is None else each | {"id": place})
    items += [{"id": item, "deleted": True} for item in leaving]
    behavior = params["schedule_details"].get("proration_behavior", "create_prorations")
    return {"items": items, "proration_behavior": behavior}


def _values(world: World, subscription: Json, details: Json) -> Json:
    if details.get("cancel_now"):
        return _ended(world, subscription)
    return _changed_now(world, subscription, details) or _upcoming(world, subscription, details)


@contextmanager
def _untouched(world: World, subscription: Json) -> Iterator[Json]:
    """A copy of a subscription to try things on; afterwards no prorations are left waiting."""
    waiting = list(world.pending_lines.get(subscription["id"], []))
    try:
        yield copy.deepcopy(subscription)
    finally:
        world.pending_lines[subscription["id"]] = waiting


def _subject(world: World, params: Json) -> Json:
    wanted = params.get("subscription")
    if "schedule" in params:
        wanted = world.get("subscription_schedule", params["schedule"], "schedule", status=400)[
            "subscription"
        ]
    if wanted is None:
        raise StripeError("The fake previews invoices of a subscription only.", param="subscription")
    subscription = world.get("subscription", wanted, "subscription", status=400)
    if (
        subscription["status"] in lifecycle.ENDED
        or params.get("customer", subscription["customer"]) != (subscription["customer"])
    ):
        raise _none()
    return subscription


def _none() -> StripeError:
    return StripeError("No upcoming invoices for customer", status=404, code="invoice_upcoming_none")


def _ended(world: World, subscription: Json) -> Json:
    made = world.pending_lines.get(subscription["id"], []) + subscriptions.ending_lines(
        world, subscription, {"prorate": True}
    )
    if not made:
        raise _none()
    return changes.preview(world, subscription, made)


def _changed_now(world: World, subscription: Json, details: Json) -> Json | None:
    """The invoice of a change that is billed at once; the change is made to the copy."""
    if not details.keys() & {"items", "trial_end"}:
        return None
    made = changes.plan(world, subscription, details)
    subscription["items"]["data"] = made.items
    subscription |= made.fields
    waiting = world.pending_lines[subscription["id"]]
    if made.lines and (details.get("proration_behavior") == "always_invoice" or made.anew):
        values = changes.preview(world, subscription, waiting + made.lines)
        return values | {"next_payment_attempt": world.now()}
    world.pending_lines[subscription["id"]] = waiting + made.lines
    return None


def _upcoming(world: World, subscription: Json, details: Json) -> Json:
    """The invoice at the next renewal, in the next phase if a schedule begins one there."""
    at = lifecycle.renews_at(subscription)
    ends = (
        subscriptions.wanted_end(world, subscription, details)
        if _speaks_of_end(details)
        else subscription["cancel_at"]
    )
    waiting = world.pending_lines[subscription["id"]]
    due = [item for item in subscription["items"]["data"] if item["current_period_end"] <= at]
    period = (min(item["current_period_start"] for item in due), at)
    usage = [] if subscription["status"] == "trialing" else lines.used(world, subscription, due)
    over = ends is not None and ends <= at
    if over and not waiting and not any(line["amount"] for line in usage):
        raise _none()
    renewed = [] if over else _renewed(world, subscription, due, at)
    values = bills.compose(world, subscription, waiting + usage + renewed, "upcoming", period, at)
    return values | {"next_payment_attempt": at + _HOUR}


def _speaks_of_end(details: Json) -> bool:
    return bool(details.keys() & {"cancel_at", "cancel_at_period_end"})


def _renewed(world: World, subscription: Json, due: list[Json], at: int) -> list[Json]:
    schedule = schedules.schedule_of(world, subscription)
    phase = schedules.next_phase(schedule) if schedule else None
    if phase is not None and phase["start_date"] == at:
        items = schedules.after_phase(world, subscription, phase)
        due = [item for item in items if item["current_period_end"] <= at]
    lifecycle.roll(subscription, due)
    return lines.whole(world, subscription, due)
