"""Subscription schedules: phases that change a subscription when their time comes."""

from __future__ import annotations

from tests.fakes.stripe import changes, lifecycle, lines
from tests.fakes.stripe.amounts import is_metered
from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.periods import period_end
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, merge_metadata, new_id

_PHASE = ("proration_behavior", "metadata", "trial_end")
_TABLE = "subscription_schedule"


def schedule_of(world: World, subscription: Json) -> Json | None:
    """The schedule that manages a subscription."""
    wanted = subscription["schedule"]
    return world.get(_TABLE, wanted, "schedule") if wanted else None


def phase_end(world: World, subscription: Json) -> int | None:
    """When the current phase of a subscription's schedule is over."""
    schedule = schedule_of(world, subscription)
    return schedule["current_phase"]["end_date"] if schedule else None


def next_phase(schedule: Json) -> Json | None:
    """The phase after the current one."""
    now = schedule["current_phase"]["end_date"]
    return next((phase for phase in schedule["phases"] if phase["start_date"] == now), None)


def advance(world: World, subscription: Json) -> None:
    """Go into the next phase, or let the subscription go (or end) after the last."""
    schedule = schedule_of(world, subscription)
    assert schedule is not None
    phase = next_phase(schedule)
    if phase is None:
        _finish(world, schedule, subscription)
        return
    schedule["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    world.emit("subscription_schedule.updated", schedule)
    change_to(world, subscription, phase)


def change_to(world: World, subscription: Json, phase: Json) -> None:
    """Give a subscription the items of a phase; where a period ends the renewal bills them, no proration."""
    params = {"items": as_changes(subscription, phase), "proration_behavior": phase["proration_behavior"]}
    if lifecycle.renews_at(subscription) <= world.now():
        _swap(world, subscription, phase)
    elif params["items"]:
        made = changes.plan(world, subscription, params)
        changes.carry_out(world, subscription, made, phase["proration_behavior"], "allow_incomplete")
    lifecycle.updated(world, subscription)


def _swap(world: World, subscription: Json, phase: Json) -> None:
    """Change prices where a period ends; the renewal that is due now begins the new one."""
    items = after_phase(world, subscription, phase)
    kept = {item["id"] for item in items}
    gone = [item for item in subscription["items"]["data"] if item["id"] not in kept]
    world.pending_lines[subscription["id"]] += lines.used(world, subscription, gone)
    lifecycle.keep_items(world, subscription, items)


def after_phase(world: World, subscription: Json, phase: Json) -> list[Json]:
    """The items of a phase as they stand where the period ends, before they are renewed."""
    end, items = lifecycle.renews_at(subscription), []
    held = list(subscription["items"]["data"])
    for wanted in phase["items"]:
        price = world.get("price", wanted["price"], "price")
        old = _take(held, price)
        item = dict(old) if old else lifecycle.make_item(world, subscription["id"], price, 1, end)
        item |= {"price": price, "quantity": wanted.get("quantity", 1)}
        if is_metered(price):
            del item["quantity"]
        items.append(item)
    return items


def _take(held: list[Json], price: Json) -> Json | None:
    """The item that a phase's item goes on from: that of the same price, else one of the same kind."""
    same = [item for item in held if item["price"]["id"] == price["id"]]
    like = [item for item in held if is_metered(item["price"]) == is_metered(price)]
    found = next(iter(same or like), None)
    if found is not None:
        held.remove(found)
    return found


def as_changes(subscription: Json, phase: Json) -> list[Json]:
    """What `items` of an update would bring a subscription to a phase."""
    held, wanted = list(subscription["items"]["data"]), []
    for one in phase["items"]:
        old = next((item for item in held if item["price"]["id"] == one["price"]), None)
        if old is None:
            old = next((item for item in held if not is_metered(item["price"])), None)
        if old is not None:
            held.remove(old)
        wanted.append(({"id": old["id"]} if old else {}) | one)
    return wanted + [{"id": item["id"], "deleted": True} for item in held]


def _finish(world: World, schedule: Json, subscription: Json) -> None:
    if schedule["end_behavior"] == "cancel":
        subscription["schedule"] = None
        schedule |= {"status": "completed", "completed_at": world.now(), "current_phase": None}
        world.emit("subscription_schedule.completed", schedule)
        lifecycle.cancel(world, subscription)
    else:
        _let_go(world, schedule, subscription)


def _let_go(world: World, schedule: Json, subscription: Json) -> Json:
    subscription["schedule"] = None
    schedule |= {"current_phase": None, "released_at": world.now(), "status": "released"}
    schedule |= {"released_subscription": subscription["id"], "subscription": None}
    world.emit("subscription_schedule.released", schedule)
    lifecycle.updated(world, subscription)
    return schedule


def _create(world: World, call: Call) -> Json:
    if "from_subscription" not in call.params:
        raise StripeError("The fake makes schedules from a subscription only.", param="from_subscription")
    if call.params.keys() & {"phases", "end_behavior", "customer"}:
        message = "You cannot set `phases`, `end_behavior` or `customer` if `from_subscription` is set."
        raise StripeError(message, param="from_subscription")
    subscription = world.get(
        "subscription", call.params["from_subscription"], "from_subscription", status=400
    )
    if subscription["schedule"] or subscription["status"] in lifecycle.ENDED:
        message = "You cannot migrate a subscription that is already attached to a schedule or has ended."
        raise StripeError(message, param="from_subscription")
    phase = _current_phase(subscription)
    dates = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    values = {
        "id": new_id("sub_sched"),
        "billing_mode": {"type": "flexible"},
        "current_phase": dates,
        "customer": subscription["customer"],
        "default_settings": {
            "billing_cycle_anchor": "automatic",
            "invoice_settings": {"issuer": {"type": "self"}},
        },
        "end_behavior": "release",
        "metadata": call.params.get("metadata") or {},
        "phases": [phase],
        "status": "active",
        "subscription": subscription["id"],
    }
    schedule = world.make(_TABLE, "sub_sched", values)
    subscription["schedule"] = schedule["id"]
    world.emit("subscription_schedule.created", schedule)
    lifecycle.updated(world, subscription)
    return schedule


def _current_phase(subscription: Json) -> Json:
    items = subscription["items"]["data"]
    named = [{"price": item["price"]["id"], **_quantity(item)} for item in items]
    start = min(item["current_period_start"] for item in items)
    return _phase(subscription, {"items": named}, start, lifecycle.ends_at(subscription))


def _quantity(item: Json) -> Json:
    return {"quantity": item["quantity"]} if "quantity" in item else {}


def _phase(subscription: Json, values: Json, start: int, end: int) -> Json:
    items = [{"discounts": [], "metadata": {}, "tax_rates": []} | item for item in values["items"]]
    plain = {name: values[name] for name in _PHASE if name in values}
    behavior = {"proration_behavior": "create_prorations", "metadata": {}}
    dates = {"start_date": start, "end_date": end}
    base = {"add_invoice_items": [], "currency": subscription["currency"], "discounts": []}
    return behavior | plain | base | dates | {"items": items}


def _named(world: World, call: Call) -> Json:
    return world.get(_TABLE, call.path["schedule"], "schedule")


def _active(world: World, call: Call, verb: str) -> tuple[Json, Json]:
    schedule = _named(world, call)
    if schedule["status"] != "active":
        status = schedule["status"]
        message = f"You cannot {verb} a subscription schedule that is currently in the `{status}` status."
        raise StripeError(message)
    return schedule, world.get("subscription", schedule["subscription"], "subscription")


def _update(world: World, call: Call) -> Json:
    params = call.params
    schedule, subscription = _active(world, call, "update")
    if "phases" in params:
        phases = _phases(world, schedule, subscription, params["phases"])
        behavior = params.get("proration_behavior", "create_prorations")
        schedule["phases"] = phases
        current = next(one for one in phases if one["start_date"] <= world.now() < one["end_date"])
        schedule["current_phase"] = {name: current[name] for name in ("start_date", "end_date")}
        if as_differences(subscription, current):
            change_to(world, subscription, current | {"proration_behavior": behavior})
    schedule["end_behavior"] = params.get("end_behavior", schedule["end_behavior"])
    ends = schedule["end_behavior"] == "cancel"
    subscription["cancel_at"] = schedule["phases"][-1]["end_date"] if ends else None
    if "metadata" in params:
        merge_metadata(schedule, params["metadata"])
    world.emit("subscription_schedule.updated", schedule)
    return schedule


def as_differences(subscription: Json, phase: Json) -> bool:
    """Whether a phase would change a subscription's items."""
    held = {(item["price"]["id"], item.get("quantity")) for item in subscription["items"]["data"]}
    return held != {(item["price"], item.get("quantity")) for item in phase["items"]}


def _phases(world: World, schedule: Json, subscription: Json, wanted: list[Json]) -> list[Json]:
    """Phases without gaps, the first from where the current one (or the whole schedule) began."""
    started = {schedule["phases"][0]["start_date"], schedule["current_phase"]["start_date"]}
    phases: list[Json] = []
    for index, one in enumerate(wanted):
        where = f"phases[{index}]"
        last = phases[-1]["end_date"] if phases else schedule["current_phase"]["start_date"]
        given = one.get("start_date", last)
        start = world.now() if given == "now" else int(given or last)
        if index == 0 and ("start_date" not in one or start not in started):
            raise StripeError(
                "You can not modify the start date of the current phase.", param=f"{where}[start_date]"
            )
        if index and start != last:
            message = "You must not leave gaps between phases: each starts where the one before ends."
            raise StripeError(message, param=f"{where}[start_date]")
        phases.append(_checked_phase(world, subscription, one, start, where))
    if not phases or phases[-1]["end_date"] <= world.now():
        raise StripeError("The last phase must end in the future.", param="phases")
    return phases


def _checked_phase(world: World, subscription: Json, one: Json, start: int, where: str) -> Json:
    if not one["items"]:
        raise StripeError(f"Missing required param: {where}[items].", param=f"{where}[items]")
    prices = []
    for index, item in enumerate(one["items"]):
        param = f"{where}[items][{index}]"
        price = world.get("price", item.get("price", ""), f"{param}[price]", status=400)
        if is_metered(price) and "quantity" in item:
            message = "Quantity should not be specified where usage_type is `metered`."
            raise StripeError(message, param=f"{param}[quantity]")
        prices.append(price)
    items = [_whole_item(item, price) for item, price in zip(one["items"], prices, strict=True)]
    end = _end(world, one, start, prices)
    if end <= start:
        raise StripeError("A phase must end after it starts.", param=f"{where}[end_date]")
    return _phase(subscription, one | {"items": items}, start, end)


def _whole_item(item: Json, price: Json) -> Json:
    named: Json = {name: item[name] for name in ("metadata", "price") if name in item}
    return named if is_metered(price) else named | {"quantity": item.get("quantity", 1)}


def _end(world: World, one: Json, start: int, prices: list[Json]) -> int:
    if "end_date" in one and "duration" in one:
        raise StripeError("You may only specify one of these parameters: end_date, duration.", param="phases")
    if "end_date" in one:
        return world.now() if one["end_date"] == "now" else int(one["end_date"])
    recurring: Json = one.get("duration") or prices[0]["recurring"]
    return period_end(start, {"interval_count": 1} | recurring)


def _release(world: World, call: Call) -> Json:
    schedule, subscription = _active(world, call, "release")
    return _let_go(world, schedule, subscription)


def _cancel(world: World, call: Call) -> Json:
    schedule, subscription = _active(world, call, "cancel")
    lifecycle.cancel(world, subscription)
    return schedule


def _list(world: World, call: Call) -> Json:
    params = call.params
    rows = [
        row
        for row in world.rows(_TABLE)
        if row["customer"] == params.get("customer", row["customer"])
        and in_range(row["created"], params.get("created"))
        and params.get("released_at") in (None, row["released_at"])
    ]
    return page(rows, params, "/v1/subscription_schedules")


ROUTES: Routes = {
    "POST /v1/subscription_schedules": route(_create, "from_subscription", "metadata"),
    "GET /v1/subscription_schedules": listing(_list, "created", "customer"),
    "GET /v1/subscription_schedules/{schedule}": route(_named),
    "POST /v1/subscription_schedules/{schedule}": route(
        _update, "end_behavior", "metadata", "phases", "proration_behavior"
    ),
    "POST /v1/subscription_schedules/{schedule}/release": route(_release),
    "POST /v1/subscription_schedules/{schedule}/cancel": route(_cancel),
}
