"""Products and prices, with lookup keys that can move from one price to another."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, merge_metadata

_PRODUCT_PLAIN = ("active", "description", "name")
_PRICE_PLAIN = ("active", "nickname")


def add_product(world: World, name: str, metadata: Json, wanted: str | None = None) -> Json:
    """Make a product; a wanted id must be free."""
    if wanted is not None and wanted in world.tables["product"]:
        raise StripeError(f"Product already exists: {wanted}", code="resource_already_exists")
    values = {"name": name, "active": True, "metadata": metadata, "updated": world.now()}
    product = world.make("product", "prod", values | ({"id": wanted} if wanted else {}))
    world.emit("product.created", product)
    return product


def add_price(world: World, product: str, amount: int, recurring: Json | None, extra: Json) -> Json:
    """Make a licensed per-unit price in US cents unless `extra` says otherwise."""
    values = {
        "active": True,
        "billing_scheme": "per_unit",
        "currency": "usd",
        "metadata": {},
        "product": product,
        "recurring": recurring and {"interval_count": 1, "usage_type": "licensed"} | recurring,
        "type": "recurring" if recurring else "one_time",
        "tax_behavior": "unspecified",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    price = world.make("price", "price", values | extra)
    world.emit("price.created", price)
    return price


def _create_product(world: World, call: Call) -> Json:
    params = call.params
    product = add_product(world, params["name"], params.get("metadata") or {}, params.get("id"))
    product |= {name: params[name] for name in _PRODUCT_PLAIN if name in params}
    return product


def _update_product(world: World, call: Call) -> Json:
    product = world.get("product", call.path["id"], "id")
    product |= {name: call.params[name] for name in _PRODUCT_PLAIN if name in call.params}
    if "metadata" in call.params:
        merge_metadata(product, call.params["metadata"])
    world.emit("product.updated", product)
    return product


def _list_products(world: World, call: Call) -> Json:
    rows = [row for row in world.rows("product") if row["active"] == call.params.get("active", row["active"])]
    if "ids" in call.params:
        rows = [row for row in rows if row["id"] in call.params["ids"]]
    return page(rows, call.params, "/v1/products")


def _delete_product(world: World, call: Call) -> Json:
    product = world.get("product", call.path["id"], "id")
    if any(price["product"] == product["id"] for price in world.rows("price")):
        raise StripeError("This product cannot be deleted because it has one or more user-created prices.")
    del world.tables["product"][product["id"]]
    return {"id": product["id"], "object": "product", "deleted": True}


def _create_price(world: World, call: Call) -> Json:
    params = call.params
    if "product_data" in params:
        data = params["product_data"]
        product = add_product(world, data["name"], data.get("metadata") or {}, data.get("id"))
    else:
        product = world.get("product", params.get("product", ""), "product", status=400)
    taken = {"lookup_key": _take_lookup_key(world, params)}
    extra = {"currency": params["currency"], "metadata": params.get("metadata") or {}} | taken
    extra |= {name: params[name] for name in _PRICE_PLAIN if name in params}
    return add_price(world, product["id"], params["unit_amount"], params.get("recurring"), extra)


def _take_lookup_key(world: World, params: Json) -> str | None:
    """Free a lookup key from its price if the call transfers it; Stripe nulls the old price's key."""
    key: str | None = params.get("lookup_key")
    holder = next((row for row in world.rows("price") if key and row["lookup_key"] == key), None)
    if holder is not None:
        if not params.get("transfer_lookup_key"):
            raise StripeError(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        holder["lookup_key"] = None
        world.emit("price.updated", holder)
    return key


def _update_price(world: World, call: Call) -> Json:
    price = world.get("price", call.path["price"], "price")
    price |= {name: call.params[name] for name in _PRICE_PLAIN if name in call.params}
    if "lookup_key" in call.params and call.params["lookup_key"] != price["lookup_key"]:
        price["lookup_key"] = _take_lookup_key(world, call.params) or None
    if "metadata" in call.params:
        merge_metadata(price, call.params["metadata"])
    world.emit("price.updated", price)
    return price


def _list_prices(world: World, call: Call) -> Json:
    params = call.params
    rows = [
        row
        for row in world.rows("price")
        if all(row[name] == params.get(name, row[name]) for name in ("active", "product", "type", "currency"))
        and row["lookup_key"] in params.get("lookup_keys", [row["lookup_key"]])
    ]
    return page(rows, params, "/v1/prices")


ROUTES: Routes = {
    "POST /v1/products": route(_create_product, *_PRODUCT_PLAIN, "id", "metadata"),
    "GET /v1/products": listing(_list_products, "active", "ids"),
    "GET /v1/products/{id}": route(lambda world, call: world.get("product", call.path["id"], "id")),
    "POST /v1/products/{id}": route(_update_product, *_PRODUCT_PLAIN, "metadata"),
    "DELETE /v1/products/{id}": route(_delete_product),
    "POST /v1/prices": route(
        _create_price,
        *_PRICE_PLAIN,
        *("currency", "lookup_key", "metadata", "product", "product_data", "recurring"),
        *("transfer_lookup_key", "unit_amount"),
    ),
    "GET /v1/prices": listing(_list_prices, "active", "currency", "lookup_keys", "product", "type"),
    "GET /v1/prices/{price}": route(lambda world, call: world.get("price", call.path["price"], "price")),
    "POST /v1/prices/{price}": route(
        _update_price, *_PRICE_PLAIN, "lookup_key", "metadata", "transfer_lookup_key"
    ),
}
