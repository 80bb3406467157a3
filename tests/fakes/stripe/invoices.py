"""Invoices through the API: listed, read, paid, voided, given up, and those to come."""

from __future__ import annotations

from tests.fakes.stripe import bills, lifecycle, payments
from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.previews import preview
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World


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


def _named(world: World, call: Call) -> Json:
    return world.get("invoice", call.path["invoice"], "invoice")


def _lines(world: World, call: Call) -> Json:
    invoice = _named(world, call)
    return page(invoice["lines"]["data"], call.params, f"/v1/invoices/{invoice['id']}/lines")


def _finalize(world: World, call: Call) -> Json:
    return bills.finalize(world, _named(world, call))


def _pay(world: World, call: Call) -> Json:
    """Try to collect now; an invoice that stays unpaid answers 402."""
    invoice = _named(world, call)
    if invoice["status"] == "paid":
        raise StripeError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "draft":
        bills.finalize(world, invoice)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise StripeError(f"Invoice is {invoice['status']}.", code="invoice_not_editable")
    outcome = lifecycle.retry(world, invoice)
    if outcome != "paid":
        raise payments.refusal(outcome)
    return invoice


def _void(world: World, call: Call) -> Json:
    """Voiding the invoice of a pending update takes the update with it."""
    invoice = bills.void(world, _named(world, call))
    subscription = bills.subscription_of(world, invoice)
    proposal = world.proposals.get(subscription["id"])
    if proposal is not None and proposal["invoice"] == invoice["id"]:
        lifecycle.drop_proposal(world, subscription)
        lifecycle.updated(world, subscription)
    return invoice


def _mark_uncollectible(world: World, call: Call) -> Json:
    return bills.give_up(world, _named(world, call))


ROUTES: Routes = {
    "GET /v1/invoices": listing(_list, "created", "customer", "status", "subscription"),
    "POST /v1/invoices/create_preview": route(
        preview,
        *("customer", "preview_mode", "schedule", "schedule_details", "subscription", "subscription_details"),
    ),
    "GET /v1/invoices/{invoice}": route(_named),
    "GET /v1/invoices/{invoice}/lines": listing(_lines),
    "POST /v1/invoices/{invoice}/finalize": route(_finalize),
    "POST /v1/invoices/{invoice}/mark_uncollectible": route(_mark_uncollectible),
    "POST /v1/invoices/{invoice}/pay": route(_pay, "off_session"),
    "POST /v1/invoices/{invoice}/void": route(_void),
}
