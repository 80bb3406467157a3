"""Events as a list, and the endpoints that they are delivered to."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import API_VERSION, World, merge_metadata, new_id

_ENDPOINT = ("description", "enabled_events", "url")


def add_endpoint(world: World, url: str, secret: str, enabled_events: list[str]) -> Json:
    """Register an endpoint; deliveries to it are signed with its secrets."""
    values = {"enabled_events": enabled_events, "status": "enabled", "url": url, "api_version": API_VERSION}
    endpoint = world.make("webhook_endpoint", "we", values | {"metadata": {}})
    world.endpoint_secrets[endpoint["id"]] = [secret]
    return endpoint


def _create_endpoint(world: World, call: Call) -> Json:
    secret = new_id("whsec")
    endpoint = add_endpoint(world, call.params["url"], secret, call.params["enabled_events"])
    endpoint["description"] = call.params.get("description")
    endpoint["metadata"] = call.params.get("metadata") or {}
    endpoint["api_version"] = call.params.get("api_version", API_VERSION)
    return endpoint | {"secret": secret}


def _endpoint(world: World, call: Call) -> Json:
    return world.get("webhook_endpoint", call.path["webhook_endpoint"], "webhook_endpoint")


def _update_endpoint(world: World, call: Call) -> Json:
    endpoint = _endpoint(world, call)
    endpoint |= {name: call.params[name] for name in _ENDPOINT if name in call.params}
    if "disabled" in call.params:
        endpoint["status"] = "disabled" if call.params["disabled"] else "enabled"
    if "metadata" in call.params:
        merge_metadata(endpoint, call.params["metadata"])
    return endpoint


def _delete_endpoint(world: World, call: Call) -> Json:
    endpoint = _endpoint(world, call)
    del world.tables["webhook_endpoint"][endpoint["id"]], world.endpoint_secrets[endpoint["id"]]
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def _list_endpoints(world: World, call: Call) -> Json:
    return page(world.rows("webhook_endpoint"), call.params, "/v1/webhook_endpoints")


def _list_events(world: World, call: Call) -> Json:
    params = call.params
    kinds = params.get("types") or ([params["type"]] if "type" in params else None)
    rows = [
        row
        for row in world.rows("event")
        if (kinds is None or row["type"] in kinds)
        and in_range(row["created"], params.get("created"))
        and params.get("delivery_success") in (None, row["pending_webhooks"] == 0)
    ]
    return page(rows, params, "/v1/events")


ROUTES: Routes = {
    "GET /v1/events": listing(_list_events, "created", "delivery_success", "type", "types"),
    "GET /v1/events/{id}": route(lambda world, call: world.get("event", call.path["id"], "id")),
    "POST /v1/webhook_endpoints": route(_create_endpoint, *_ENDPOINT, "api_version", "metadata"),
    "GET /v1/webhook_endpoints": listing(_list_endpoints),
    "GET /v1/webhook_endpoints/{webhook_endpoint}": route(_endpoint),
    "POST /v1/webhook_endpoints/{webhook_endpoint}": route(
        _update_endpoint, *_ENDPOINT, "disabled", "metadata"
    ),
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": route(_delete_endpoint),
}
