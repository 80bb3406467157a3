"""Cards and what is charged to them: payment intents, charges, and the invoices that they pay."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.fakes.stripe.calls import Call, Routes, in_range, listing, page, route
from tests.fakes.stripe.wire import Json, StripeError
from tests.fakes.stripe.world import World, new_id

_YEARS_VALID = 3
_WAITS = {"declined": "requires_payment_method", "authenticate": "requires_action"}
_CODES = {"declined": "card_declined", "authenticate": "authentication_required"}
DECLINED = "Your card was declined."


def add_card(world: World, customer: str, last4: str = "4242") -> Json:
    """Give a customer a good card."""
    year = datetime.fromtimestamp(world.now(), UTC).year + _YEARS_VALID
    card = {"brand": "visa", "exp_month": 12, "exp_year": year, "funding": "credit", "last4": last4}
    card |= {"country": "US", "fingerprint": new_id("fp")}
    values = {"card": card, "customer": customer, "metadata": {}, "type": "card"}
    return world.make("payment_method", "pm", values)


def card_of(world: World, subscription: Json) -> str | None:
    """The payment method that a subscription's invoices are charged to: its own, else the customer's."""
    own: str | None = subscription["default_payment_method"]
    customer = world.tables["customer"].get(subscription["customer"], {})
    fallback: str | None = (customer.get("invoice_settings") or {}).get("default_payment_method")
    return own or fallback


def verdict(world: World, customer: str, method: str | None) -> str:
    """What the bank says of a charge: `paid`, `declined` or `authenticate`."""
    if method is None or customer in world.declining:
        return "declined"
    return "authenticate" if customer in world.authenticating else "paid"


def intent_of(world: World, invoice: Json) -> Json:
    """The payment intent of an open invoice, made on the first try to pay it."""
    for payment in world.rows("invoice_payment"):
        if payment["invoice"] == invoice["id"]:
            return world.get("payment_intent", payment["payment"]["payment_intent"], "intent")
    amount, currency, wanted = invoice["amount_remaining"], invoice["currency"], new_id("pi")
    shared = {"currency": currency, "customer": invoice["customer"], "metadata": {}}
    intent = world.make(
        "payment_intent",
        "pi",
        {"id": wanted, "amount": amount, "status": "requires_payment_method", **shared}
        | {"client_secret": f"{wanted}_secret_fake", "payment_method_types": ["card"]},
    )
    owed = {"amount_requested": amount, "currency": currency, "invoice": invoice["id"], "is_default": True}
    link = {"payment": {"type": "payment_intent", "payment_intent": wanted}, "status": "open"}
    world.make("invoice_payment", "inpay", owed | link)
    return intent


def charge(world: World, invoice: Json, method: str | None, outcome: str) -> None:
    """Charge what an invoice still asks for, with that outcome."""
    intent = intent_of(world, invoice)
    paid = outcome == "paid"
    intent["payment_method"] = method
    if outcome == "authenticate":
        intent["status"] = _WAITS[outcome]
        return
    made = _charge(world, invoice, intent, paid=paid)
    intent |= {"latest_charge": made["id"], "status": "succeeded" if paid else _WAITS[outcome]}
    if paid:
        intent["amount_received"] = intent["amount"]
        _close_link(world, invoice)
    world.emit("charge.succeeded" if paid else "charge.failed", made)
    world.emit("payment_intent.succeeded" if paid else "payment_intent.payment_failed", intent)


def _charge(world: World, invoice: Json, intent: Json, *, paid: bool) -> Json:
    amount = intent["amount"]
    failed = {"failure_code": _CODES["declined"], "failure_message": DECLINED}
    values = {
        "amount": amount,
        "amount_captured": amount if paid else 0,
        "captured": paid,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "metadata": {},
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "status": "succeeded" if paid else "failed",
    }
    return world.make("charge", "ch", values | ({} if paid else failed))


def _close_link(world: World, invoice: Json) -> None:
    for payment in world.rows("invoice_payment"):
        if payment["invoice"] == invoice["id"]:
            payment |= {"amount_paid": payment["amount_requested"], "status": "paid"}
            payment["status_transitions"]["paid_at"] = world.now()


def cancel_intents(world: World, invoice: Json) -> None:
    """Nothing more is to be paid on a voided invoice."""
    for payment in world.rows("invoice_payment"):
        if payment["invoice"] == invoice["id"] and payment["status"] == "open":
            payment["status"] = "canceled"
            intent = world.get("payment_intent", payment["payment"]["payment_intent"], "intent")
            intent |= {"status": "canceled", "cancellation_reason": "void_invoice"}


def refusal(outcome: str) -> StripeError:
    """The 402 of a payment that did not succeed."""
    message = DECLINED if outcome == "declined" else "This payment requires additional user action."
    return StripeError(message, status=402, kind="card_error", code=_CODES[outcome])


def _list_charges(world: World, call: Call) -> Json:
    names = ("customer", "payment_intent")
    return page(_matching(world, "charge", call.params, names), call.params, "/v1/charges")


def _matching(world: World, table: str, params: Json, names: tuple[str, ...]) -> list[Json]:
    return [
        row
        for row in world.rows(table)
        if all(row[name] == params.get(name, row[name]) for name in names)
        and in_range(row["created"], params.get("created"))
    ]


def _list_intents(world: World, call: Call) -> Json:
    return page(
        _matching(world, "payment_intent", call.params, ("customer",)), call.params, "/v1/payment_intents"
    )


def _list_links(world: World, call: Call) -> Json:
    wanted = call.params.get("payment", {})
    rows = [
        row
        for row in _matching(world, "invoice_payment", call.params, ("invoice", "status"))
        if all(row["payment"].get(name) == value for name, value in wanted.items())
    ]
    return page(rows, call.params, "/v1/invoice_payments")


def _list_cards(world: World, call: Call) -> Json:
    customer = call.path.get("customer") or call.params.get("customer")
    rows = [row for row in world.rows("payment_method") if row["customer"] == customer]
    return page(rows, call.params, "/v1/payment_methods")


def _card(world: World, call: Call) -> Json:
    return world.get("payment_method", call.path["payment_method"], "payment_method")


def _attach(world: World, call: Call) -> Json:
    method = _card(world, call)
    method["customer"] = world.get("customer", call.params["customer"], "customer", status=400)["id"]
    world.emit("payment_method.attached", method)
    return method


def _detach(world: World, call: Call) -> Json:
    method = _card(world, call)
    method["customer"] = None
    for row in world.rows("subscription"):
        if row["default_payment_method"] == method["id"]:
            row["default_payment_method"] = None
    world.emit("payment_method.detached", method)
    return method


ROUTES: Routes = {
    "GET /v1/charges": listing(_list_charges, "created", "customer", "payment_intent"),
    "GET /v1/charges/{charge}": route(lambda world, call: world.get("charge", call.path["charge"], "charge")),
    "GET /v1/payment_intents": listing(_list_intents, "created", "customer"),
    "GET /v1/payment_intents/{intent}": route(
        lambda world, call: world.get("payment_intent", call.path["intent"], "intent")
    ),
    "GET /v1/invoice_payments": listing(_list_links, "created", "invoice", "payment", "status"),
    "GET /v1/invoice_payments/{invoice_payment}": route(
        lambda world, call: world.get("invoice_payment", call.path["invoice_payment"], "invoice_payment")
    ),
    "GET /v1/payment_methods": listing(_list_cards, "customer", "type"),
    "GET /v1/payment_methods/{payment_method}": route(_card),
    "GET /v1/customers/{customer}/payment_methods": listing(_list_cards, "type"),
    "POST /v1/payment_methods/{payment_method}/attach": route(_attach, "customer"),
    "POST /v1/payment_methods/{payment_method}/detach": route(_detach),
}
