"""Money that goes back: refunds, disputes and warnings of fraud."""

from __future__ import annotations

from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError, missing
from tests.fakes.stripe.world import World, merge_metadata, new_id

_INQUIRIES = frozenset({"warning_needs_response", "warning_under_review", "warning_closed"})
_CLOSED = frozenset({"won", "lost", "warning_closed", "prevented"})
_WEEK = 7 * 86_400


def refund(world: World, charge: Json, amount: int | None = None, reason: str | None = None) -> Json:
    """Give a charge back, or a part of it; amounts in cents."""
    left = charge["amount"] - charge["amount_refunded"]
    wanted = left if amount is None else amount
    _check_refundable(world, charge, wanted, left)
    values = {"amount": wanted, "charge": charge["id"], "currency": charge["currency"], "metadata": {}}
    values |= {"payment_intent": charge["payment_intent"], "reason": reason, "status": "succeeded"}
    made = world.make("refund", "re", values)
    charge["amount_refunded"] += wanted
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.emit("refund.created", made)
    world.emit("charge.refunded", charge)
    return made


def _check_refundable(world: World, charge: Json, wanted: int, left: int) -> None:
    if not charge["paid"]:
        raise StripeError(f"Charge {charge['id']} has not been paid.", param="charge")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(message, code="charge_already_refunded")
    if any(
        one["charge"] == charge["id"] and not one["is_charge_refundable"] for one in world.rows("dispute")
    ):
        raise StripeError(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
    if not 0 < wanted <= left:
        message = f"Refund amount (${wanted / 100:.2f}) is greater than charge amount (${left / 100:.2f})"
        raise StripeError(message, param="amount")


def fail_refund(world: World, made: Json) -> Json:
    """The bank sends a refund back: the money stays with the merchant."""
    made |= {"status": "failed", "failure_reason": "declined"}
    charge = world.get("charge", made["charge"], "charge")
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    world.emit("refund.failed", made)
    world.emit("charge.refund.updated", made)
    return made


def dispute(world: World, charge: Json, status: str, reason: str, amount: int | None = None) -> Json:
    """Have a bank dispute a charge, or only inquire; a dispute takes the money at once."""
    inquiry = status in _INQUIRIES
    values = {
        "amount": charge["amount"] if amount is None else amount,
        "charge": charge["id"],
        "currency": charge["currency"],
        "evidence_details": {"due_by": world.now() + _WEEK},
        "is_charge_refundable": inquiry,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": status,
    }
    made = world.make("dispute", "du", values)
    charge["disputed"] = True
    world.emit("charge.dispute.created", made)
    if not inquiry:
        world.emit("charge.dispute.funds_withdrawn", made)
    return made


def change_dispute(world: World, made: Json, status: str) -> Json:
    """Bring a dispute to a status: closed ones say so, won ones give the money back."""
    escalated = made["status"] in _INQUIRIES and status not in _INQUIRIES
    made |= {"is_charge_refundable": status in _INQUIRIES, "status": status}
    world.emit("charge.dispute.closed" if status in _CLOSED else "charge.dispute.updated", made)
    if escalated:
        world.emit("charge.dispute.funds_withdrawn", made)
    if status == "won":
        world.emit("charge.dispute.funds_reinstated", made)
    return made


def warn(world: World, charge: Json) -> Json:
    """Have the card's network suspect fraud."""
    warning = {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge["id"],
        "created": world.now(),
        "fraud_type": "made_with_stolen_card",
        "livemode": world.livemode,
        "payment_intent": charge["payment_intent"],
    }
    world.tables["radar.early_fraud_warning"][warning["id"]] = warning
    world.emit("radar.early_fraud_warning.created", warning)
    return warning


def _create_refund(world: World, call: Call) -> Json:
    params = call.params
    charge = _charge(world, params)
    made = refund(world, charge, params.get("amount"), params.get("reason"))
    made["metadata"] = params.get("metadata") or {}
    return made


def _charge(world: World, params: Json) -> Json:
    if "charge" in params:
        return world.get("charge", params["charge"], "charge", status=400)
    if "payment_intent" not in params:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeError(message)
    intent = world.get("payment_intent", params["payment_intent"], "payment_intent", status=400)
    if intent["latest_charge"] is None:
        raise missing("charge", intent["id"], "payment_intent", status=400)
    return world.get("charge", intent["latest_charge"], "charge", status=400)


def _rows(world: World, table: str, params: Json) -> list[Json]:
    return [
        row
        for row in world.rows(table)
        if all(row[name] == params.get(name, row[name]) for name in ("charge", "payment_intent"))
        and in_range(row["created"], params.get("created"))
    ]


def _list_refunds(world: World, call: Call) -> Json:
    return page(_rows(world, "refund", call.params), call.params, "/v1/refunds")


def _refund(world: World, call: Call) -> Json:
    return world.get("refund", call.path["refund"], "refund")


def _update_refund(world: World, call: Call) -> Json:
    made = _refund(world, call)
    merge_metadata(made, call.params.get("metadata", {}))
    world.emit("refund.updated", made)
    return made


def _list_disputes(world: World, call: Call) -> Json:
    return page(_rows(world, "dispute", call.params), call.params, "/v1/disputes")


def _dispute(world: World, call: Call) -> Json:
    return world.get("dispute", call.path["dispute"], "dispute")


def _close_dispute(world: World, call: Call) -> Json:
    """Accept a dispute: it is lost."""
    made = _dispute(world, call)
    if made["status"] in _CLOSED:
        raise StripeError("This dispute is already closed")
    return change_dispute(world, made, "lost")


ROUTES: Routes = {
    "POST /v1/refunds": route(_create_refund, "amount", "charge", "metadata", "payment_intent", "reason"),
    "GET /v1/refunds": listing(_list_refunds, "charge", "created", "payment_intent"),
    "GET /v1/refunds/{refund}": route(_refund),
    "POST /v1/refunds/{refund}": route(_update_refund, "metadata"),
    "GET /v1/disputes": listing(_list_disputes, "charge", "created", "payment_intent"),
    "GET /v1/disputes/{dispute}": route(_dispute),
    "POST /v1/disputes/{dispute}/close": route(_close_dispute),
}
