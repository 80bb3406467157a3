"""The customer portal: its configurations and its short-lived sessions."""

from __future__ import annotations

from tests.fakes.stripe import lifecycle
from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.customers import live_customer
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, merge_metadata, new_id

_NO_CONFIGURATION = (
    "No configuration provided and your test mode default configuration has not been created. "
    "Provide a configuration or create your default by saving your customer portal settings."
)
_CONFIGURATION = ("business_profile", "default_return_url", "features", "metadata", "name")


def add_configuration(world: World, values: Json, *, default: bool) -> Json:
    """Make a portal configuration; features that are not named are off."""
    return world.make("billing_portal.configuration", "bpc", values | {"active": True, "is_default": default})


def _create_configuration(world: World, call: Call) -> Json:
    values = {name: call.params[name] for name in _CONFIGURATION if name in call.params}
    return add_configuration(world, values, default=False)


def _update_configuration(world: World, call: Call) -> Json:
    configuration = _configuration(world, call)
    for name in ("active", "default_return_url", "name"):
        configuration[name] = call.params.get(name, configuration[name])
    for name in ("business_profile", "features"):
        for inner, value in call.params.get(name, {}).items():
            kept = configuration[name].get(inner)
            configuration[name][inner] = kept | value if isinstance(kept, dict) else value
    if "metadata" in call.params:
        merge_metadata(configuration, call.params["metadata"])
    return configuration


def _configuration(world: World, call: Call) -> Json:
    return world.get("billing_portal.configuration", call.path["configuration"], "configuration")


def _list_configurations(world: World, call: Call) -> Json:
    rows = [
        row
        for row in world.rows("billing_portal.configuration")
        if all(row[name] == call.params.get(name, row[name]) for name in ("active", "is_default"))
    ]
    return page(rows, call.params, "/v1/billing_portal/configurations")


def _create_session(world: World, call: Call) -> Json:
    customer = live_customer(world, call.params.get("customer", ""))
    configuration = call.params.get("configuration") or _default(world)
    wanted = new_id("bps")
    values = {
        "id": wanted,
        "configuration": configuration,
        "customer": customer["id"],
        "return_url": call.params.get("return_url"),
        "url": f"{world.base_url}/p/session/{wanted}",
    }
    return world.make("billing_portal.session", "bps", values)


def _default(world: World) -> str:
    for row in world.rows("billing_portal.configuration"):
        if row["is_default"]:
            wanted: str = row["id"]
            return wanted
    raise StripeError(_NO_CONFIGURATION)


def schedule_end(world: World, subscription: Json, *, pending: bool) -> Json:
    """What the portal's cancel and resume do in flexible mode: only `cancel_at` is touched."""
    subscription["cancel_at"] = lifecycle.ends_at(subscription) if pending else None
    subscription["canceled_at"] = world.now() if pending else None
    return lifecycle.updated(world, subscription)


ROUTES: Routes = {
    "POST /v1/billing_portal/sessions": route(_create_session, "configuration", "customer", "return_url"),
    "POST /v1/billing_portal/configurations": route(_create_configuration, *_CONFIGURATION),
    "GET /v1/billing_portal/configurations": listing(_list_configurations, "active", "is_default"),
    "GET /v1/billing_portal/configurations/{configuration}": route(_configuration),
    "POST /v1/billing_portal/configurations/{configuration}": route(
        _update_configuration, *_CONFIGURATION, "active"
    ),
}
