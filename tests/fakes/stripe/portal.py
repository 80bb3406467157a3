"""What the customer portal offers: its configurations."""

from __future__ import annotations

from tests.fakes.stripe import lifecycle
from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, merge_metadata

_CONFIGURATION = ("business_profile", "default_return_url", "features", "metadata", "name")
_MOST_PRODUCTS = 10
_PRODUCTS = "features[subscription_update][products]"


def add_configuration(world: World, values: Json, *, default: bool) -> Json:
    """Make a portal configuration; features that are not named are off."""
    return world.make("billing_portal.configuration", "bpc", values | {"active": True, "is_default": default})


def _create_configuration(world: World, call: Call) -> Json:
    values = {name: call.params[name] for name in _CONFIGURATION if name in call.params}
    _check_products(world, values["features"])
    return add_configuration(world, values, default=False)


def _update_configuration(world: World, call: Call) -> Json:
    configuration = _configuration(world, call)
    _check_products(world, call.params.get("features", {}))
    for name in ("active", "default_return_url", "name"):
        configuration[name] = call.params.get(name, configuration[name])
    for name in ("business_profile", "features"):
        for inner, value in call.params.get(name, {}).items():
            kept = configuration[name].get(inner)
            configuration[name][inner] = kept | value if isinstance(kept, dict) else value
    configuration["updated"] = world.now()
    if "metadata" in call.params:
        merge_metadata(configuration, call.params["metadata"])
    return configuration


def _check_products(world: World, features: Json) -> None:
    """Refuse prices that are not of their product, and complete what answers say of a product."""
    products = features.get("subscription_update", {}).get("products") or []
    if len(products) > _MOST_PRODUCTS:
        raise StripeError(f"You can list at most {_MOST_PRODUCTS} products.", param=_PRODUCTS)
    for offered in products:
        world.get("product", offered["product"], _PRODUCTS, status=400)
        for wanted in offered["prices"]:
            price = world.get("price", wanted, _PRODUCTS, status=400)
            if price["product"] != offered["product"] or not price["active"]:
                message = f"The price {wanted} must be an active one of the product {offered['product']}."
                raise StripeError(message, param=_PRODUCTS)
        quantity = {"enabled": False, "maximum": None, "minimum": 1} | offered.get("adjustable_quantity", {})
        offered["adjustable_quantity"] = quantity


def _configuration(world: World, call: Call) -> Json:
    return world.get("billing_portal.configuration", call.path["configuration"], "configuration")


def _list_configurations(world: World, call: Call) -> Json:
    rows = [
        row
        for row in world.rows("billing_portal.configuration")
        if all(row[name] == call.params.get(name, row[name]) for name in ("active", "is_default"))
    ]
    return page(rows, call.params, "/v1/billing_portal/configurations")


def schedule_end(world: World, subscription: Json, *, pending: bool) -> Json:
    """What the portal's cancel and resume do in flexible mode: only `cancel_at` is touched."""
    subscription["cancel_at"] = lifecycle.ends_at(subscription) if pending else None
    subscription["canceled_at"] = world.now() if pending else None
    return lifecycle.updated(world, subscription)


ROUTES: Routes = {
    "POST /v1/billing_portal/configurations": route(_create_configuration, *_CONFIGURATION),
    "GET /v1/billing_portal/configurations": listing(_list_configurations, "active", "is_default"),
    "GET /v1/billing_portal/configurations/{configuration}": route(_configuration),
    "POST /v1/billing_portal/configurations/{configuration}": route(
        _update_configuration, *_CONFIGURATION, "active"
    ),
}
