"""Events as a list, and the endpoints that they are delivered to."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError, missing
from tests.fakes.stripe.world import API_VERSION, World, merge_metadata, new_id

_ENDPOINT = ("description", "enabled_events", "url")
_MOST_ENDPOINTS, _MOST_TYPES = 16, 20
_KEPT_SECONDS = 30 * 86_400


def add_endpoint(world: World, url: str, secret: str, enabled_events: list[str]) -> Json:
    """Register an endpoint; deliveries to it are signed with its secrets."""
    values = {"enabled_events": enabled_events, "status": "enabled", "url": url, "api_version": API_VERSION}
    endpoint = world.make("webhook_endpoint", "we", values | {"metadata": {}})
    world.endpoint_secrets[endpoint["id"]] = [secret]
    return endpoint


def _create_endpoint(world: World, call: Call) -> Json:
    if len(world.tables["webhook_endpoint"]) >= _MOST_ENDPOINTS:
        raise StripeError(f"You have reached the maximum of {_MOST_ENDPOINTS} webhook endpoints.")
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


def _kept(world: World) -> list[Json]:
    """Events of the last 30 days; older ones are gone."""
    return [row for row in world.rows("event") if row["created"] > world.now() - _KEPT_SECONDS]


def _event(world: World, call: Call) -> Json:
    found = next((row for row in _kept(world) if row["id"] == call.path["id"]), None)
    if found is None:
        raise missing("event", call.path["id"], "id")
    return found


def _list_events(world: World, call: Call) -> Json:
    params = call.params
    if len(params.get("types", [])) > _MOST_TYPES:
        raise StripeError(f"You can filter by at most {_MOST_TYPES} types.", param="types")
    if "type" in params and "types" in params:
        raise StripeError("You may only specify one of these parameters: type, types.", param="types")
    kinds = params.get("types") or ([params["type"]] if "type" in params else None)
    rows = [
        row
        for row in _kept(world)
        if (kinds is None or row["type"] in kinds)
        and in_range(row["created"], params.get("created"))
        and params.get("delivery_success") in (None, row["pending_webhooks"] == 0)
    ]
    return page(rows, params, "/v1/events")


ROUTES: Routes = {
    "GET /v1/events": listing(_list_events, "created", "delivery_success", "type", "types"),
    "GET /v1/events/{id}": route(_event),
    "POST /v1/webhook_endpoints": route(_create_endpoint, *_ENDPOINT, "api_version", "metadata"),
    "GET /v1/webhook_endpoints": listing(_list_endpoints),
    "GET /v1/webhook_endpoints/{webhook_endpoint}": route(_endpoint),
    "POST /v1/webhook_endpoints/{webhook_endpoint}": route(
        _update_endpoint, *_ENDPOINT, "disabled", "metadata"
    ),
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": route(_delete_endpoint),
}
