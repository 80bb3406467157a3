"""Event destinations of /v2 and the thin events that only they get."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.fakes.stripe import meters
from tests.fakes.stripe.calls import Call, Routes, route
from tests.fakes.stripe.wire import Json, StripeError, missing
from tests.fakes.stripe.world import World, merge_metadata, new_id

DESTINATION = "v2.core.event_destination"
THIN = "v2.core.event"

_PLAIN = ("description", "enabled_events", "name")
_SECRET, _URL = "webhook_endpoint.signing_secret", "webhook_endpoint.url"


def iso(at: int) -> str:
    """A time as /v2 writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def add_destination(world: World, url: str, secret: str, enabled_events: list[str], extra: Json) -> Json:
    """Register a destination; its address is kept but shown only to a call that includes it."""
    now = iso(world.now())
    values: Json = {
        "created": now,
        "description": "",
        "enabled_events": enabled_events,
        "event_payload": "thin",
        "events_from": ["@self"],
        "metadata": {},
        "name": "thin",
        "status": "enabled",
        "type": "webhook_endpoint",
        "updated": now,
        "webhook_endpoint": {"url": url},
    }
    destination = world.make(DESTINATION, "ed_test", values | extra)
    world.endpoint_secrets[destination["id"]] = [secret]
    return destination


def add_thin_event(world: World, kind: str, related: Json | None, data: Json) -> Json:
    """Record a thin event and tell the listeners; its data is seen only by fetching it."""
    values: Json = {"created": iso(world.now()), "data": data, "type": kind}
    event = world.make(THIN, "evt_test", values | ({"related_object": related} if related else {}))
    for listener in world.listeners:
        listener(event)
    return event


def notification(event: Json) -> Json:
    """What is delivered of a thin event."""
    return {name: value for name, value in event.items() if name != "data"}


def report_meter_errors(world: World, code: str, identifiers: list[str] | None = None) -> Json:
    """Say which accepted meter events will not be billed: those named, else those of unknown customers."""
    rows = [row for row in world.tables[meters.USAGE].values() if _is_faulty(world, row, identifiers)]
    if not rows:
        raise StripeError("There is no meter event to report")
    for row in rows:
        row["reported"] = True
    name = rows[0]["event"]["event_name"]
    meter = next(row for row in world.rows("billing.meter") if row["event_name"] == name)
    related = {"id": meter["id"], "type": "billing.meter", "url": f"/v1/billing/meters/{meter['id']}"}
    data = _report(world, code, [row["event"]["identifier"] for row in rows])
    return add_thin_event(world, "v1.billing.meter.error_report_triggered", related, data)


def _is_faulty(world: World, row: Json, identifiers: list[str] | None) -> bool:
    event = row["event"]
    if identifiers is not None:
        return event["identifier"] in identifiers
    meter = next(one for one in world.rows("billing.meter") if one["event_name"] == event["event_name"])
    customer = event["payload"][meter["customer_mapping"]["event_payload_key"]]
    known = world.tables["customer"].get(customer)
    return not row["reported"] and (known is None or bool(known.get("deleted")))


def report_no_meter(world: World, identifiers: list[str]) -> Json:
    """Say that events came for which there is no meter."""
    return add_thin_event(
        world, "v1.billing.meter.no_meter_found", None, _report(world, "no_meter", identifiers)
    )


def _report(world: World, code: str, identifiers: list[str]) -> Json:
    samples = [_error(code, identifier) for identifier in identifiers]
    errors = {"code": code, "error_count": len(samples), "sample_errors": samples}
    reason = {"error_count": len(samples), "error_types": [errors]}
    return {
        "developer_message_summary": f"Invalid meter events: {len(identifiers)}",
        "reason": reason,
        "validation_start": iso(world.now() - 60),
        "validation_end": iso(world.now()),
    }


def _error(code: str, identifier: str) -> Json:
    return {"error_message": f"The event was refused: {code}", "request": {"identifier": identifier}}


def _create(world: World, call: Call) -> Json:
    params = call.params
    if params["type"] != "webhook_endpoint" or "webhook_endpoint" not in params:
        raise StripeError("The fake has destinations of type webhook_endpoint only", status=501)
    if params["event_payload"] == "thin" and "snapshot_api_version" in params:
        raise StripeError("snapshot_api_version must not be set for thin events", code="invalid_parameter")
    secret = new_id("whsec")
    names = (*_PLAIN, "event_payload", "events_from", "metadata", "snapshot_api_version")
    extra = {name: params[name] for name in names if name in params}
    url = params["webhook_endpoint"]["url"]
    made = add_destination(world, url, secret, params["enabled_events"], extra)
    return _shown(made, params, secret)


def _shown(destination: Json, params: Json, secret: str | None = None) -> Json:
    """A destination with no more of its endpoint than the call includes."""
    include = params.get("include", [])
    inner = {"url": destination["webhook_endpoint"]["url"]} if _URL in include else {}
    inner |= {"signing_secret": secret} if secret and _SECRET in include else {}
    return destination | {"webhook_endpoint": inner}


def _named(world: World, call: Call) -> Json:
    return world.get(DESTINATION, call.path["id"], "id")


def _retrieve(world: World, call: Call) -> Json:
    return _shown(_named(world, call), call.params)


def _update(world: World, call: Call) -> Json:
    destination = _named(world, call)
    destination |= {name: call.params[name] for name in _PLAIN if name in call.params}
    if "metadata" in call.params:
        merge_metadata(destination, call.params["metadata"])
    destination["webhook_endpoint"] |= call.params.get("webhook_endpoint", {})
    destination["updated"] = iso(world.now())
    return _shown(destination, call.params)


def _enable(world: World, call: Call) -> Json:
    destination = _named(world, call)
    destination["status"] = "enabled"
    destination.pop("status_details", None)
    return _shown(destination, {})


def _disable(world: World, call: Call) -> Json:
    destination = _named(world, call)
    destination |= {"status": "disabled", "status_details": {"disabled": {"reason": "user"}}}
    return _shown(destination, {})


def _delete(world: World, call: Call) -> Json:
    destination = _named(world, call)
    del world.tables[DESTINATION][destination["id"]], world.endpoint_secrets[destination["id"]]
    return {"id": destination["id"], "object": DESTINATION}


def _list(world: World, call: Call) -> Json:
    """Pages of /v2 are addresses; the cursor is simply a position."""
    limit, start = call.params.get("limit", 10), int(call.params.get("page", "0"))
    rows = world.rows(DESTINATION)
    end = start + limit
    shown = f"&include[0]={_URL}" if _URL in call.params.get("include", []) else ""
    following = f"/v2/core/event_destinations?limit={limit}&page={end}{shown}" if end < len(rows) else None
    data = [_shown(row, call.params) for row in rows[start:end]]
    return {"data": data, "next_page_url": following, "previous_page_url": None}


def _event(world: World, call: Call) -> Json:
    found = world.tables[THIN].get(call.path["id"])
    if found is None:
        raise missing("event", call.path["id"], "id")
    return found


ROUTES: Routes = {
    "POST /v2/core/event_destinations": route(
        _create,
        *(*_PLAIN, "event_payload", "events_from", "include", "metadata", "snapshot_api_version"),
        *("type", "webhook_endpoint"),
    ),
    "GET /v2/core/event_destinations": route(_list, "include", "limit", "page"),
    "GET /v2/core/event_destinations/{id}": route(_retrieve, "include"),
    "POST /v2/core/event_destinations/{id}": route(
        _update, *_PLAIN, "include", "metadata", "webhook_endpoint"
    ),
    "POST /v2/core/event_destinations/{id}/enable": route(_enable),
    "POST /v2/core/event_destinations/{id}/disable": route(_disable),
    "DELETE /v2/core/event_destinations/{id}": route(_delete),
    "GET /v2/core/events/{id}": route(_event),
}
