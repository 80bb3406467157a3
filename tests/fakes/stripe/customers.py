"""Customers: made, read, changed, deleted and searched."""

from __future__ import annotations

import re

from tests.fakes.stripe import lifecycle
from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError, missing
from tests.fakes.stripe.world import World, merge_metadata

_PLAIN = ("description", "email", "name", "phone")
_CLAUSE = re.compile(r"(?:metadata\['(?P<key>[^']+)'\]|(?P<field>email|name)):'(?P<value>[^']*)'")
_INDEXED_SECONDS = 60


def live_customer(world: World, wanted: str, param: str = "customer") -> Json:
    """A customer that a call names as a parameter; a deleted one is as good as none."""
    customer = world.get("customer", wanted, param, status=400)
    if customer.get("deleted"):
        raise missing("customer", wanted, param, status=400)
    return customer


def add_customer(world: World, values: Json) -> Json:
    """Make a customer without a card."""
    plain = {"balance": 0, "delinquent": False, "metadata": {}, "tax_exempt": "none"}
    settings = {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    }
    customer = world.make("customer", "cus", plain | {"invoice_settings": settings} | values)
    world.emit("customer.created", customer)
    return customer


def _create(world: World, call: Call) -> Json:
    values = {name: call.params[name] for name in _PLAIN if name in call.params}
    return add_customer(world, values | {"metadata": call.params.get("metadata") or {}})


def _retrieve(world: World, call: Call) -> Json:
    return world.get("customer", call.path["customer"], "id")


def _update(world: World, call: Call) -> Json:
    customer = world.get("customer", call.path["customer"], "customer")
    if customer.get("deleted"):
        raise missing("customer", customer["id"], "customer")
    customer |= {name: call.params[name] or None for name in _PLAIN if name in call.params}
    customer["balance"] = call.params.get("balance", customer["balance"])
    if "default_payment_method" in call.params.get("invoice_settings", {}):
        _choose_card(world, customer, call.params["invoice_settings"]["default_payment_method"])
    if "metadata" in call.params:
        merge_metadata(customer, call.params["metadata"])
    world.emit("customer.updated", customer)
    return customer


def _choose_card(world: World, customer: Json, wanted: str) -> None:
    param = "invoice_settings[default_payment_method]"
    card = world.get("payment_method", wanted, param, status=400) if wanted else None
    if card is not None and card["customer"] != customer["id"]:
        message = f"The customer does not have a payment method with the ID {wanted}."
        raise StripeError(message, param=param)
    customer["invoice_settings"]["default_payment_method"] = wanted or None


def _delete(world: World, call: Call) -> Json:
    customer = world.get("customer", call.path["customer"], "customer")
    if customer.get("deleted"):
        raise missing("customer", customer["id"], "customer")
    for subscription in world.rows("subscription"):
        if subscription["customer"] == customer["id"] and subscription["status"] not in lifecycle.ENDED:
            lifecycle.cancel(world, subscription)
    world.emit("customer.deleted", customer)
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    world.tables["customer"][customer["id"]] = gone
    return gone


def _alive(world: World) -> list[Json]:
    return [customer for customer in world.rows("customer") if not customer.get("deleted")]


def _list(world: World, call: Call) -> Json:
    wanted = call.params.get("email")
    rows = [
        customer
        for customer in _alive(world)
        if wanted in (None, customer["email"]) and in_range(customer["created"], call.params.get("created"))
    ]
    return page(rows, call.params, "/v1/customers")


def _search(world: World, call: Call) -> Json:
    """Whoever was made less than a minute ago is not found yet (docs.stripe.com/search)."""
    query: str = call.params["query"]
    clauses = [_CLAUSE.fullmatch(clause) for clause in query.split(" AND ")]
    if not all(clauses):
        raise StripeError(f"We were unable to parse your search query: {query}", param="query")
    indexed = (row for row in _alive(world) if row["created"] <= world.now() - _INDEXED_SECONDS)
    rows = [customer for customer in indexed if all(_meets(customer, clause) for clause in clauses)]
    limit = call.params.get("limit", 10)
    answer = {"object": "search_result", "data": rows[:limit], "has_more": len(rows) > limit}
    return answer | {"url": "/v1/customers/search", "next_page": None}


def _meets(customer: Json, clause: re.Match[str] | None) -> bool:
    assert clause is not None
    held = customer["metadata"].get(clause["key"]) if clause["key"] else customer[clause["field"]]
    return bool(held == clause["value"])


ROUTES: Routes = {
    "POST /v1/customers": route(_create, *_PLAIN, "metadata"),
    "GET /v1/customers": listing(_list, "created", "email"),
    "GET /v1/customers/search": route(_search, "query", "limit"),
    "GET /v1/customers/{customer}": route(_retrieve),
    "POST /v1/customers/{customer}": route(_update, *_PLAIN, "balance", "invoice_settings", "metadata"),
    "DELETE /v1/customers/{customer}": route(_delete),
}
