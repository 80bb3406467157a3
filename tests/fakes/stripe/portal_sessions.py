"""Short-lived sessions of the customer portal, and the flows that lead straight to one page of it."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, route
from tests.fakes.stripe.customers import live_customer
from tests.fakes.stripe.lifecycle import ENDED
from tests.fakes.stripe.wire import Json, StripeError, missing
from tests.fakes.stripe.world import World, new_id

_NO_CONFIGURATION = (
    "No configuration provided and your test mode default configuration has not been created. "
    "Provide a configuration or create your default by saving your customer portal settings."
)
_FEATURES = {
    "payment_method_update": "payment_method_update",
    "subscription_cancel": "subscription_cancel",
    "subscription_update": "subscription_update",
    "subscription_update_confirm": "subscription_update",
}
_CONFIRM = "flow_data[subscription_update_confirm]"


def _create(world: World, call: Call) -> Json:
    params = call.params
    customer = live_customer(world, params.get("customer", ""))
    configuration = _configuration(world, params)
    wanted = new_id("bps")
    values = {
        "id": wanted,
        "configuration": configuration["id"],
        "customer": customer["id"],
        "flow": _flow(world, customer["id"], configuration, params.get("flow_data")),
        "return_url": params.get("return_url", configuration["default_return_url"]),
        "url": f"{world.base_url}/p/session/{wanted}",
    }
    return world.make("billing_portal.session", "bps", values)


def _configuration(world: World, params: Json) -> Json:
    if "configuration" in params:
        found = world.get(
            "billing_portal.configuration", params["configuration"], "configuration", status=400
        )
        if not found["active"]:
            raise StripeError("The portal configuration is inactive.", param="configuration")
        return found
    rows = world.rows("billing_portal.configuration")
    default = next((row for row in rows if row["is_default"]), None)
    if default is None:
        raise StripeError(_NO_CONFIGURATION)
    return default


def _flow(world: World, customer: str, configuration: Json, data: Json | None) -> Json | None:
    if data is None:
        return None
    kind = data["type"]
    feature = _FEATURES[kind]
    if not configuration["features"][feature]["enabled"]:
        message = f"The {feature} feature in the portal configuration is disabled."
        raise StripeError(message, param="flow_data[type]")
    flow = {"type": kind, "after_completion": data.get("after_completion", {"type": "portal_homepage"})}
    if kind == "payment_method_update":
        return flow
    if kind not in data:
        param = f"flow_data[{kind}]"
        raise StripeError(f"Missing required param: {param}.", param=param, code="parameter_missing")
    subscription = _subscription(
        world, customer, data[kind]["subscription"], f"flow_data[{kind}][subscription]"
    )
    if kind == "subscription_update_confirm":
        _check_update(configuration, subscription, data[kind]["items"])
    return flow | {kind: data[kind]}


def _subscription(world: World, customer: str, wanted: str, param: str) -> Json:
    found = world.get("subscription", wanted, param, status=400)
    if found["customer"] != customer:
        raise missing("subscription", wanted, param, status=400)
    if found["status"] in ENDED:
        raise StripeError("This subscription cannot be updated because it has ended.", param=param)
    return found


def _check_update(configuration: Json, subscription: Json, items: list[Json]) -> None:
    """The portal changes a subscription of one item, to a price (and a quantity) that it offers."""
    held = subscription["items"]["data"]
    if len(held) != 1 or len(items) != 1:
        raise StripeError("Subscriptions with multiple items are not updatable.", param=f"{_CONFIRM}[items]")
    if items[0]["id"] != held[0]["id"]:
        raise missing("subscription_item", items[0]["id"], f"{_CONFIRM}[items][0][id]", status=400)
    update = configuration["features"]["subscription_update"]
    wanted = items[0].get("price", held[0]["price"]["id"])
    offered = next((one for one in update["products"] or [] if wanted in one["prices"]), None)
    if offered is None:
        message = f"The price {wanted} is not among those of the portal configuration."
        raise StripeError(message, param=f"{_CONFIRM}[items][0][price]")
    now = held[0]["price"]["id"], held[0].get("quantity")
    if (wanted, items[0].get("quantity", now[1])) == now:
        raise StripeError("There is nothing to update in this subscription.", param=f"{_CONFIRM}[items]")
    if items[0].get("quantity", now[1]) != now[1] and "quantity" not in update["default_allowed_updates"]:
        message = "The portal configuration does not allow the quantity to change."
        raise StripeError(message, param=f"{_CONFIRM}[items][0][quantity]")


def offers(world: World, session: Json, feature: str) -> bool:
    """Whether the page of a portal session has that; what its configuration does not name is off."""
    configuration = world.get("billing_portal.configuration", session["configuration"], "configuration")
    return bool((configuration["features"].get(feature) or {}).get("enabled"))


def check_switch(world: World, session: Json, subscription: Json, price: str) -> None:
    """Refuse a change of plan that the page of a portal session does not offer."""
    if not offers(world, session, "subscription_update"):
        raise StripeError("The subscription_update feature in the portal configuration is disabled.")
    configuration = world.get("billing_portal.configuration", session["configuration"], "configuration")
    item = {"id": subscription["items"]["data"][0]["id"], "price": price}
    _check_update(configuration, subscription, [item])


ROUTES: Routes = {
    "POST /v1/billing_portal/sessions": route(
        _create, "configuration", "customer", "flow_data", "return_url"
    ),
}
