"""How an invoice lives: drafted, finalized, tried, tried again, paid, voided or given up."""

from __future__ import annotations

from tests.fakes.stripe import discounts, payments
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, list_of, new_id

_DAY = 86_400
_RETRY_EVERY = 2 * _DAY
_TRIES = 8
"""Stripe's recommended schedule: eight tries within two weeks (docs: smart retries)."""


def compose(
    world: World, subscription: Json, lines: list[Json], reason: str, period: tuple[int, int], at: int
) -> Json:
    """The values of an invoice of these lines, with discounts and the customer's balance taken in."""
    subtotal = sum(line["amount"] for line in lines)
    held = discounts.running(world, subscription, at) if _is_discounted(lines) else []
    discountable = sum(line["amount"] for line in lines if line["discountable"])
    off = discounts.taken_off(world, held, discountable)
    total = subtotal - sum(one["amount"] for one in off)
    wanted = new_id("in")
    parent = {"subscription": subscription["id"], "metadata": subscription["metadata"]}
    values = {
        "id": wanted,
        "auto_advance": True,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "discounts": [discount["id"] for discount in held],
        "lines": list_of(lines, f"/v1/invoices/{wanted}/lines"),
        "metadata": {},
        "parent": {"type": "subscription_details", "subscription_details": parent},
        "period_start": period[0],
        "period_end": period[1],
        "status": "draft",
        "subtotal": subtotal,
        "total": total,
        "total_discount_amounts": off,
    }
    return values | _settled_by_balance(world, subscription["customer"], total)


def _is_discounted(lines: list[Json]) -> bool:
    return any(line["discountable"] and line["amount"] for line in lines)


def _settled_by_balance(world: World, customer: str, total: int) -> Json:
    """A negative total becomes the customer's credit, and credit pays before the card does."""
    balance: int = world.tables["customer"].get(customer, {}).get("balance") or 0
    left = total + balance if balance < 0 or total < 0 else total
    due = max(0, left) if total >= 0 else 0
    ending = min(0, left) if balance < 0 or total < 0 else balance
    return {"amount_due": due, "amount_remaining": due, "starting_balance": balance, "ending_balance": ending}


def draft(
    world: World, subscription: Json, lines: list[Json], reason: str, period: tuple[int, int] | None = None
) -> Json:
    """Make an invoice that can still change, the newest of its subscription."""
    now = world.now()
    values = compose(world, subscription, lines, reason, period or (now, now), now)
    invoice = world.make("invoice", "in", values)
    for one in lines:
        one["invoice"] = invoice["id"]
    if _is_discounted(lines):
        discounts.wear_out(world, subscription)
    subscription["latest_invoice"] = invoice["id"]
    world.emit("invoice.created", invoice)
    return invoice


def finalize(world: World, invoice: Json) -> Json:
    """Ask for the money: the invoice is open, its number and its amount stand."""
    if invoice["status"] != "draft":
        raise StripeError("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    invoice |= _settled_by_balance(world, invoice["customer"], invoice["total"])
    customer = world.tables["customer"].get(invoice["customer"], {})
    if "balance" in customer:
        customer["balance"] = invoice["ending_balance"]
    invoice |= {
        "effective_at": world.now(),
        "hosted_invoice_url": f"{world.base_url}/i/{invoice['id']}",
        "number": f"FAKE-{len(world.tables['invoice']):04}",
        "automatically_finalizes_at": None,
        "status": "open",
    }
    invoice["status_transitions"]["finalized_at"] = world.now()
    world.emit("invoice.finalized", invoice)
    return invoice


def attempt(world: World, invoice: Json, method: str | None, *, forced: bool = False) -> str:
    """Try to collect an open invoice: `paid`, `declined` or `authenticate`; `forced` finds a good card."""
    if invoice["amount_remaining"] == 0:
        _mark_paid(world, invoice)
        return "paid"
    outcome = "paid" if forced else payments.verdict(world, invoice["customer"], method)
    payments.charge(world, invoice, method, outcome)
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    if outcome == "paid":
        _mark_paid(world, invoice)
    else:
        invoice["next_payment_attempt"] = _next_try(world, invoice)
        world.emit("invoice.payment_failed", invoice)
    if outcome == "authenticate":
        world.emit("invoice.payment_action_required", invoice)
    return outcome


def _next_try(world: World, invoice: Json) -> int | None:
    dunned = invoice["billing_reason"] == "subscription_cycle" and invoice["auto_advance"]
    return world.now() + _RETRY_EVERY if dunned and invoice["attempt_count"] < _TRIES else None


def _mark_paid(world: World, invoice: Json) -> None:
    invoice |= {"amount_paid": invoice["amount_due"], "amount_remaining": 0}
    invoice |= {"attempted": True, "next_payment_attempt": None, "status": "paid"}
    invoice["status_transitions"]["paid_at"] = world.now()
    world.emit("invoice.paid", invoice)


def void(world: World, invoice: Json) -> Json:
    """Nobody owes it any more."""
    _close(world, invoice, "void", "voided_at")
    payments.cancel_intents(world, invoice)
    world.emit("invoice.voided", invoice)
    return invoice


def give_up(world: World, invoice: Json) -> Json:
    """It is still owed, but nobody expects the money."""
    _close(world, invoice, "uncollectible", "marked_uncollectible_at")
    world.emit("invoice.marked_uncollectible", invoice)
    return invoice


def _close(world: World, invoice: Json, status: str, moment: str) -> None:
    if invoice["status"] not in {"open", "uncollectible"} or invoice["status"] == status:
        raise StripeError(
            f"You can only pass in open invoices. This invoice isn't open: {invoice['status']}."
        )
    invoice |= {"auto_advance": False, "next_payment_attempt": None, "status": status}
    invoice["status_transitions"][moment] = world.now()


def subscription_of(world: World, invoice: Json) -> Json:
    """Whose invoice it is."""
    wanted = invoice["parent"]["subscription_details"]["subscription"]
    return world.get("subscription", wanted, "subscription")


def open_ones(world: World, subscription: Json) -> list[Json]:
    """What a subscription owes, oldest first."""
    rows = [row for row in world.tables["invoice"].values() if row["status"] == "open"]
    return [row for row in rows if subscription_of(world, row)["id"] == subscription["id"]]
