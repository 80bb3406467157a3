"""Products, each with an id of the seller's choice or one of Stripe's."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, merge_metadata

_PLAIN = ("active", "description", "name")


def add_product(world: World, name: str, metadata: Json, wanted: str | None = None) -> Json:
    """Make a product; a wanted id must be free."""
    if wanted is not None and wanted in world.tables["product"]:
        raise StripeError(f"Product already exists: {wanted}", code="resource_already_exists")
    values = {"name": name, "active": True, "metadata": metadata, "updated": world.now()}
    product = world.make("product", "prod", values | ({"id": wanted} if wanted else {}))
    world.emit("product.created", product)
    return product


def _create(world: World, call: Call) -> Json:
    params = call.params
    product = add_product(world, params["name"], params.get("metadata") or {}, params.get("id"))
    product |= {name: params[name] for name in _PLAIN if name in params}
    return product


def _update(world: World, call: Call) -> Json:
    product = world.get("product", call.path["id"], "id")
    product |= {name: call.params[name] for name in _PLAIN if name in call.params}
    if "metadata" in call.params:
        merge_metadata(product, call.params["metadata"])
    world.emit("product.updated", product)
    return product


def _list(world: World, call: Call) -> Json:
    rows = [row for row in world.rows("product") if row["active"] == call.params.get("active", row["active"])]
    if "ids" in call.params:
        rows = [row for row in rows if row["id"] in call.params["ids"]]
    return page(rows, call.params, "/v1/products")


def _delete(world: World, call: Call) -> Json:
    product = world.get("product", call.path["id"], "id")
    if any(price["product"] == product["id"] for price in world.rows("price")):
        raise StripeError("This product cannot be deleted because it has one or more user-created prices.")
    del world.tables["product"][product["id"]]
    return {"id": product["id"], "object": "product", "deleted": True}


ROUTES: Routes = {
    "POST /v1/products": route(_create, *_PLAIN, "id", "metadata"),
    "GET /v1/products": listing(_list, "active", "ids"),
    "GET /v1/products/{id}": route(lambda world, call: world.get("product", call.path["id"], "id")),
    "POST /v1/products/{id}": route(_update, *_PLAIN, "metadata"),
    "DELETE /v1/products/{id}": route(_delete),
}
