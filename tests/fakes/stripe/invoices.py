"""Invoices, as far as subscriptions need them: one a period, paid or open."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World, list_of, new_id


def bill(world: World, subscription: Json, reason: str, *, paid: bool) -> Json:
    """Make the invoice of the current period and say what became of it."""
    items, wanted = subscription["items"]["data"], new_id("in")
    amount = sum((item["price"]["unit_amount"] or 0) * item.get("quantity", 0) for item in items)
    amount = 0 if subscription["status"] == "trialing" else amount
    parent = {"subscription": subscription["id"], "metadata": subscription["metadata"]}
    values = {
        "id": wanted,
        "amount_due": amount,
        "amount_remaining": amount,
        "billing_reason": reason,
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "hosted_invoice_url": f"{world.base_url}/i/{wanted}",
        "lines": list_of([], f"/v1/invoices/{wanted}/lines"),
        "parent": {"type": "subscription_details", "subscription_details": parent},
        "period_start": items[0]["current_period_start"],
        "period_end": items[0]["current_period_end"],
        "status": "open",
        "subtotal": amount,
        "total": amount,
    }
    invoice = world.make("invoice", "in", values)
    subscription["latest_invoice"] = invoice["id"]
    if paid:
        settle(world, invoice)
    else:
        invoice |= {"attempted": True, "attempt_count": 1}
        world.emit("invoice.payment_failed", invoice)
    return invoice


def settle(world: World, invoice: Json) -> None:
    """Pay an invoice."""
    paid = {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
    invoice |= paid | {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    world.emit("invoice.paid", invoice)


def _list(world: World, call: Call) -> Json:
    params = call.params
    rows = [
        row
        for row in world.rows("invoice")
        if row["customer"] == params.get("customer", row["customer"])
        and row["status"] == params.get("status", row["status"])
        and params.get("subscription") in (None, row["parent"]["subscription_details"]["subscription"])
        and in_range(row["created"], params.get("created"))
    ]
    return page(rows, params, "/v1/invoices")


ROUTES: Routes = {
    "GET /v1/invoices": listing(_list, "created", "customer", "status", "subscription"),
    "GET /v1/invoices/{invoice}": route(
        lambda world, call: world.get("invoice", call.path["invoice"], "invoice")
    ),
}
