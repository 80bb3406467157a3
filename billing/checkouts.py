"""What a Checkout session is made of."""

from __future__ import annotations

import stripe

from billing.orders import quantity_of
from billing.snapshots import Fields
from engine.facts import CheckoutRequest

Session = stripe.params.checkout.SessionCreateParams


def checkout_params(request: CheckoutRequest, price: Fields) -> Session:
    """A subscription of one price; equal requests give equal parameters, as idempotency keys demand."""
    metadata = {"account_id": request.account, "attempt": request.attempt}
    params: Session = {
        "mode": "subscription",
        "customer": request.customer,
        "client_reference_id": request.account,
        "line_items": [{"price": price["id"], "quantity": quantity_of(price, request.quantity)}],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
        "adaptive_pricing": {"enabled": False},
        "metadata": metadata,
        "subscription_data": {"metadata": metadata, "billing_mode": {"type": "flexible"}},
    }
    return params | _trial(request, params) | _switches(request)


def _trial(request: CheckoutRequest, params: Session) -> Session:
    """A trial takes a card at once, and ends with its subscription if that card is taken away."""
    if not request.trial_days:
        return {}
    ends: stripe.params.checkout.SessionCreateParamsSubscriptionDataTrialSettings = {
        "end_behavior": {"missing_payment_method": "cancel"}
    }
    data = params["subscription_data"] | {"trial_period_days": request.trial_days, "trial_settings": ends}
    return {"payment_method_collection": "always", "subscription_data": data}


def _switches(request: CheckoutRequest) -> Session:
    """What the operator switched on; tax needs an address, which Checkout then keeps at the customer."""
    made: Session = {}
    if request.promotion_codes:
        made["allow_promotion_codes"] = True
    if request.automatic_tax:
        made["automatic_tax"] = {"enabled": True}
        made["customer_update"] = {"address": "auto"}
    return made
