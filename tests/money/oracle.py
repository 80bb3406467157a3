"""What a member must have by Stripe's objects alone: written from its documentation, not from our code."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World

DAY = 86_400
GRACE, RENEWAL_SLACK, TRIAL_SLACK = 14 * DAY, 3 * DAY, 3600
CENTS = 10_000
"""Micro-dollars."""
ORDER = ("active", "trialing", "past_due")


@dataclass(frozen=True)
class Due:
    """The tier that an account must have, and what it brings in a month in micro-dollars."""

    tier: str = "free"
    mrr: Fraction = Fraction(0)


def owners(world: World) -> dict[str, str]:
    """Customers with their accounts, deleted ones too: as they were when they were made."""
    made = [row["data"]["object"] for row in world.rows("event") if row["type"] == "customer.created"]
    return {row["id"]: row["metadata"]["account_id"] for row in made if "account_id" in row["metadata"]}


def due(world: World, account: str) -> Due:
    """What Stripe's objects give an account now; several live subscriptions: the best and newest one."""
    customers = {customer for customer, owner in owners(world).items() if owner == account}
    if any(status in {"needs_response", "under_review", "lost"} for status in disputes(world, customers)):
        return Due()
    rows = [row for row in world.rows("subscription") if row["customer"] in customers]
    giving = [row for row in rows if gives(world, row)]
    for status in ORDER:
        for row in giving:
            if row["status"] == status:
                return Due(tier_of(row), Fraction(0) if status == "trialing" else monthly(row))
    return Due()


def disputes(world: World, customers: set[str]) -> list[str]:
    """The statuses of all disputes of these customers' payments."""
    charges = {row["id"] for row in world.rows("charge") if row["customer"] in customers}
    return [row["status"] for row in world.rows("dispute") if row["charge"] in charges]


def gives(world: World, row: Json) -> bool:
    """Whether a subscription gives its tier now."""
    now, status = world.now(), row["status"]
    ends = max(item["current_period_end"] for item in row["items"]["data"])
    if (row["pause_collection"] or {}).get("behavior") == "void" or refunded(world, row["latest_invoice"]):
        return False
    if status == "past_due":
        return bool(now < failing_since(world, row) + GRACE)
    if status == "trialing":
        return bool(now < row["trial_end"] + TRIAL_SLACK)
    return status == "active" and bool(now < (row["cancel_at"] or ends + RENEWAL_SLACK))


def failing_since(world: World, row: Json) -> int:
    """When the oldest invoice that is open was finalized."""
    unpaid = [
        invoice
        for invoice in world.rows("invoice")
        if invoice["status"] == "open"
        and invoice["parent"]["subscription_details"]["subscription"] == row["id"]
    ]
    return min(int(invoice["status_transitions"]["finalized_at"]) for invoice in unpaid)


def refunded(world: World, invoice: str | None) -> bool:
    """Whether all that was paid for an invoice was given back."""
    intents = {
        row["payment"]["payment_intent"] for row in world.rows("invoice_payment") if row["invoice"] == invoice
    }
    charges = [row for row in world.rows("charge") if row["payment_intent"] in intents and row["paid"]]
    return bool(charges) and all(row["refunded"] for row in charges)


def tier_of(row: Json) -> str:
    """By the product that a subscription's first licensed item is of."""
    product: str = licensed(row)["price"]["product"]
    return product.removeprefix("bot_")


def licensed(row: Json) -> Json:
    """The item that is paid for in advance."""
    items: list[Json] = row["items"]["data"]
    return next(item for item in items if item["price"]["recurring"]["usage_type"] == "licensed")


def monthly(row: Json) -> Fraction:
    """What a subscription costs a month; team has five seats in its flat price."""
    item = licensed(row)
    price, months = item["price"], 12 if item["price"]["recurring"]["interval"] == "year" else 1
    if price["billing_scheme"] == "per_unit":
        cents = price["unit_amount"] * item["quantity"]
    else:
        flat, seat = {"month": (2999, 500), "year": (29900, 5000)}[price["recurring"]["interval"]]
        cents = flat + seat * max(0, item["quantity"] - 5)
    return Fraction(cents * CENTS, months)
