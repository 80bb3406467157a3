"""Prices, flat, tiered or metered, with lookup keys that can move from one to another."""

from __future__ import annotations

from decimal import Decimal

from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.catalogue import add_product
from tests.fakes.stripe.wire import Json, StripeError, missing
from tests.fakes.stripe.world import World, merge_metadata

_PLAIN = ("active", "nickname", "tax_behavior")
_MONEY = ("billing_scheme", "tiers", "tiers_mode", "unit_amount", "unit_amount_decimal")
_FILTERS = ("active", "product", "type", "currency")
_DECIMALS = 12


def add_price(world: World, product: str, amount: int | None, recurring: Json | None, extra: Json) -> Json:
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
        "tiers": [],
        "unit_amount": amount,
        "unit_amount_decimal": None if amount is None else str(amount),
    }
    price = world.make("price", "price", values | extra)
    world.emit("price.created", price)
    return price


def graduated(tiers: list[Json]) -> Json:
    """The fields of a price with graduated tiers; each tier as the API takes it, amounts in cents."""
    return {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": [_tier(tier) for tier in tiers]}


def _create(world: World, call: Call) -> Json:
    params = call.params
    money = _money(params)
    recurring = _recurring(world, params)
    if "product_data" in params:
        data = params["product_data"]
        product = add_product(world, data["name"], data.get("metadata") or {}, data.get("id"))
    else:
        product = world.get("product", params.get("product", ""), "product", status=400)
    taken = {"lookup_key": _take_lookup_key(world, params)}
    extra = {"currency": params["currency"], "metadata": params.get("metadata") or {}} | taken
    extra |= {name: params[name] for name in _PLAIN if name in params}
    return add_price(world, product["id"], None, recurring, extra | money)


def _money(params: Json) -> Json:
    """The amount fields: either one unit amount, or tiers and no unit amount."""
    if params.get("billing_scheme") == "tiered":
        if any(name in params for name in ("unit_amount", "unit_amount_decimal")):
            message = "`unit_amount` is not allowed when `billing_scheme=tiered`."
            raise StripeError(message, param="unit_amount")
        return {"billing_scheme": "tiered", "tiers": _tiers(params), "tiers_mode": params["tiers_mode"]}
    if "tiers" in params or "tiers_mode" in params:
        raise StripeError("`tiers` can only be set if `billing_scheme=tiered`.", param="tiers")
    if ("unit_amount" in params) == ("unit_amount_decimal" in params):
        message = "Exactly one of `unit_amount` and `unit_amount_decimal` is required."
        raise StripeError(message, param="unit_amount", code="parameter_missing")
    whole, decimal = _amounts(params, "unit_amount")
    return {"unit_amount": whole, "unit_amount_decimal": decimal}


def _tiers(params: Json) -> list[Json]:
    for name in ("tiers", "tiers_mode"):
        if not params.get(name):
            raise StripeError(f"Missing required param: {name}.", param=name, code="parameter_missing")
    tiers: list[Json] = params["tiers"]
    tops = [tier["up_to"] for tier in tiers]
    if tops[-1] != "inf" or "inf" in tops[:-1] or tops[:-1] != sorted(set(tops[:-1])):
        message = "Tiers must go up from one to the next, and only the last has `up_to=inf`."
        raise StripeError(message, param="tiers")
    return [_tier(tier) for tier in tiers]


def _tier(tier: Json) -> Json:
    """One tier as answers show it: absent amounts are null, and the last tier has no top."""
    flat, flat_decimal = _amounts(tier, "flat_amount")
    unit, unit_decimal = _amounts(tier, "unit_amount")
    return {
        "flat_amount": flat,
        "flat_amount_decimal": flat_decimal,
        "unit_amount": unit,
        "unit_amount_decimal": unit_decimal,
        "up_to": None if tier["up_to"] == "inf" else tier["up_to"],
    }


def _amounts(params: Json, name: str) -> tuple[int | None, str | None]:
    """An amount in whole cents (null if it has a fraction) and the same as a decimal string."""
    given = params.get(f"{name}_decimal", params.get(name))
    if given is None:
        return None, None
    exact = Decimal(str(given))
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > _DECIMALS or exact < 0:
        raise StripeError(
            f"Invalid decimal: {given}; must be a non-negative decimal", param=f"{name}_decimal"
        )
    return (int(exact) if exact == int(exact) else None), format(exact.normalize(), "f")


def _recurring(world: World, params: Json) -> Json | None:
    recurring: Json | None = params.get("recurring")
    if recurring is None:
        return None
    metered = recurring.get("usage_type") == "metered"
    if metered != ("meter" in recurring):
        message = "Metered prices need a `recurring[meter]`, and only they can have one."
        raise StripeError(message, param="recurring[meter]")
    if metered:
        meter = world.get("billing.meter", recurring["meter"], "recurring[meter]", status=400)
        if meter["status"] != "active":
            raise StripeError("A price cannot be attached to an inactive meter.", param="recurring[meter]")
    return recurring


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


def _named(world: World, call: Call) -> Json:
    return world.get("price", call.path["price"], "price")


def _update(world: World, call: Call) -> Json:
    price = _named(world, call)
    price |= {name: call.params[name] for name in _PLAIN if name in call.params}
    if "lookup_key" in call.params and call.params["lookup_key"] != price["lookup_key"]:
        price["lookup_key"] = _take_lookup_key(world, call.params) or None
    if "metadata" in call.params:
        merge_metadata(price, call.params["metadata"])
    world.emit("price.updated", price)
    return price


def _list(world: World, call: Call) -> Json:
    params = call.params
    if "product" in params and params["product"] not in world.tables["product"]:
        raise missing("product", params["product"], "product", status=400)
    rows = [row for row in world.rows("price") if _is_wanted(row, params)]
    return page(rows, params, "/v1/prices")


def _is_wanted(row: Json, params: Json) -> bool:
    recurring = row["recurring"] or {}
    return (
        all(row[name] == params.get(name, row[name]) for name in _FILTERS)
        and row["lookup_key"] in params.get("lookup_keys", [row["lookup_key"]])
        and all(recurring.get(name) == wanted for name, wanted in params.get("recurring", {}).items())
        and in_range(row["created"], params.get("created"))
    )


ROUTES: Routes = {
    "POST /v1/prices": route(
        _create,
        *(*_PLAIN, *_MONEY),
        *("currency", "lookup_key", "metadata", "product", "product_data", "recurring"),
        "transfer_lookup_key",
    ),
    "GET /v1/prices": listing(_list, *_FILTERS, "created", "lookup_keys", "recurring"),
    "GET /v1/prices/{price}": route(_named),
    "POST /v1/prices/{price}": route(_update, *_PLAIN, "lookup_key", "metadata", "transfer_lookup_key"),
}
