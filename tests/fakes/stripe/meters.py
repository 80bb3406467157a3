"""Billing meters: what they count, the events they are told, cancellations, and sums a customer."""

from __future__ import annotations

import re
from uuid import uuid4

from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, new_id

USAGE = "billing.meter_event"
"""The table of accepted events: `event` as answered, `received`, `canceled`, `reported` as faulty."""

_DAY = 86_400
_OLDEST, _EARLIEST = 35 * _DAY, 5 * 60
_WINDOWS = {"hour": 3600, "day": _DAY}
_WHOLE = re.compile(r"-?\d{1,15}")


def add_meter(world: World, event_name: str, params: Json | None = None) -> Json:
    """Make a meter that sums `value` by `stripe_customer_id` unless the parameters say otherwise."""
    values: Json = {
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "default_aggregation": {"formula": "sum"},
        "display_name": event_name,
        "event_name": event_name,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": world.now(),
        "value_settings": {"event_payload_key": "value"},
    }
    return world.make("billing.meter", "mtr_test", values | (params or {}))


def _create(world: World, call: Call) -> Json:
    name = call.params["event_name"]
    if _active_meter(world, name) is not None:
        raise StripeError(f"An active meter already has the event name '{name}'.", param="event_name")
    given = {field: call.params[field] for field in call.params if field != "expand"}
    return add_meter(world, name, given)


def _named(world: World, call: Call) -> Json:
    return world.get("billing.meter", call.path["id"], "id")


def _update(world: World, call: Call) -> Json:
    meter = _named(world, call)
    if "display_name" in call.params:
        meter |= {"display_name": call.params["display_name"], "updated": world.now()}
    return meter


def _deactivate(world: World, call: Call) -> Json:
    meter = _named(world, call)
    meter |= {"status": "inactive", "updated": world.now()}
    meter["status_transitions"]["deactivated_at"] = world.now()
    return meter


def _reactivate(world: World, call: Call) -> Json:
    meter = _named(world, call)
    meter |= {"status": "active", "updated": world.now()}
    meter["status_transitions"]["deactivated_at"] = None
    return meter


def _list(world: World, call: Call) -> Json:
    rows = world.rows("billing.meter")
    wanted = [row for row in rows if row["status"] == call.params.get("status", row["status"])]
    return page(wanted, call.params, "/v1/billing/meters")


def _active_meter(world: World, event_name: str) -> Json | None:
    rows = world.rows("billing.meter")
    return next((row for row in rows if row["event_name"] == event_name and row["status"] == "active"), None)


def _meter_of(world: World, event_name: str) -> Json:
    meter = _active_meter(world, event_name)
    if meter is None:
        raise StripeError(f"No active meter found for event name '{event_name}'.", param="event_name")
    return meter


def _take_event(world: World, call: Call) -> Json:
    """Accept usage; a customer that does not exist is found out later, by an error report."""
    params, now = call.params, world.now()
    meter = _meter_of(world, params["event_name"])
    _check_payload(meter, params["payload"])
    timestamp = params.get("timestamp", now)
    _check_time(timestamp, now)
    identifier = params.get("identifier") or str(uuid4())
    if any(row["event"]["identifier"] == identifier for row in _recent(world)):
        raise StripeError(f"An event already exists with identifier {identifier}.", param="identifier")
    values = {
        "created": now,
        "event_name": params["event_name"],
        "identifier": identifier,
        "livemode": world.livemode,
        "payload": params["payload"],
        "timestamp": timestamp,
    }
    event = world.shapes.make("billing.meter_event", values)
    world.tables[USAGE][new_id("mevt")] = {
        "event": event,
        "received": now,
        "canceled": False,
        "reported": False,
    }
    return event


def _check_payload(meter: Json, payload: Json) -> None:
    needed = [meter["customer_mapping"]["event_payload_key"]]
    if meter["default_aggregation"]["formula"] != "count":
        needed.append(meter["value_settings"]["event_payload_key"])
    for name in needed:
        if not payload.get(name):
            raise StripeError(f"Missing required payload key: {name}.", param=f"payload[{name}]")
    value = payload.get(meter["value_settings"]["event_payload_key"], "0")
    if not _WHOLE.fullmatch(value):
        raise StripeError(f"Invalid value: {value}; must be an integer string.", param="payload[value]")


def _check_time(timestamp: int, now: int) -> None:
    if timestamp < now - _OLDEST:
        message = "The timestamp must be within the past 35 calendar days."
        raise StripeError(message, param="timestamp", code="timestamp_too_far_in_past")
    if timestamp > now + _EARLIEST:
        message = "The timestamp must not be more than 5 minutes in the future."
        raise StripeError(message, param="timestamp", code="timestamp_in_future")


def _recent(world: World) -> list[Json]:
    """What was received in the last 24 hours: only these identifiers are kept apart, and can be canceled."""
    return [row for row in world.rows(USAGE) if row["received"] > world.now() - _DAY]


def _adjust(world: World, call: Call) -> Json:
    name, wanted = call.params["event_name"], call.params.get("cancel", {}).get("identifier")
    _meter_of(world, name)
    if wanted is None:
        param = "cancel[identifier]"
        raise StripeError(f"Missing required param: {param}.", param=param, code="parameter_missing")
    for row in _recent(world):
        event = row["event"]
        if event["identifier"] == wanted and event["event_name"] == name and not row["canceled"]:
            row["canceled"] = True
            cancel = {"identifier": wanted}
            values = {"cancel": cancel, "event_name": name, "livemode": world.livemode, "status": "pending"}
            return world.shapes.make("billing.meter_event_adjustment", values | {"type": "cancel"})
    message = f"No meter event of the last 24 hours with identifier {wanted} can be canceled."
    raise StripeError(message, param="cancel[identifier]", code="resource_missing")


def total(world: World, meter: Json, customer: str, start: int, end: int) -> int:
    """What a meter holds for a customer from `start` to before `end`, in its unit."""
    key, value = meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"]
    held = [row["event"] for row in world.tables[USAGE].values() if not row["canceled"]]
    events = [
        event
        for event in held
        if event["event_name"] == meter["event_name"]
        and event["payload"][key] == customer
        and start <= event["timestamp"] < end
    ]
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return len(events)
    if formula == "last":
        return int(max(events, key=lambda event: event["timestamp"])["payload"][value]) if events else 0
    return sum(int(event["payload"][value]) for event in events)


def _summarise(world: World, call: Call) -> Json:
    """One summary of the whole range, or one of each window, newest first."""
    meter, params = _named(world, call), call.params
    customer, start, end = params["customer"], params["start_time"], params["end_time"]
    world.get("customer", customer, "customer", status=400)
    width = _WINDOWS.get(params.get("value_grouping_window", ""), end - start)
    _check_bounds(params, start, end)
    rows = [_summary(world, meter, customer, at, at + width) for at in range(start, end, width)]
    return page(rows[::-1], params, f"/v1/billing/meters/{meter['id']}/event_summaries")


def _check_bounds(params: Json, start: int, end: int) -> None:
    step = _WINDOWS.get(params.get("value_grouping_window", ""), 60)
    for name, at in (("start_time", start), ("end_time", end)):
        if at % step:
            raise StripeError(f"`{name}` must be aligned with boundaries of {step} seconds.", param=name)
    if end <= start:
        raise StripeError("`end_time` must be after `start_time`.", param="end_time")


def _summary(world: World, meter: Json, customer: str, start: int, end: int) -> Json:
    values = {
        "id": f"mtrusg_test_{meter['id']}_{customer}_{start}_{end}",
        "aggregated_value": total(world, meter, customer, start, end),
        "end_time": end,
        "livemode": world.livemode,
        "meter": meter["id"],
        "start_time": start,
    }
    return world.shapes.make("billing.meter_event_summary", values)


ROUTES: Routes = {
    "POST /v1/billing/meters": route(
        _create,
        *("customer_mapping", "default_aggregation", "display_name", "event_name", "event_time_window"),
        "value_settings",
    ),
    "GET /v1/billing/meters": listing(_list, "status"),
    "GET /v1/billing/meters/{id}": route(_named),
    "POST /v1/billing/meters/{id}": route(_update, "display_name"),
    "POST /v1/billing/meters/{id}/deactivate": route(_deactivate),
    "POST /v1/billing/meters/{id}/reactivate": route(_reactivate),
    "GET /v1/billing/meters/{id}/event_summaries": listing(
        _summarise, "customer", "end_time", "start_time", "value_grouping_window"
    ),
    "POST /v1/billing/meter_events": route(_take_event, "event_name", "identifier", "payload", "timestamp"),
    "POST /v1/billing/meter_event_adjustments": route(_adjust, "cancel", "event_name", "type"),
}
