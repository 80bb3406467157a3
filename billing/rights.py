"""The rights that a restricted key needs, and words for those that it lacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

import stripe

from billing.client import StripeCaller
from engine.errors import OutsideError, TellOperatorError

T = TypeVar("T")


READ, WRITE = "Read", "Write"


class Right(StrEnum):
    """Resources as Stripe's dashboard names them where restricted keys are made."""

    CUSTOMERS = "Customers"
    CHECKOUT = "Checkout Sessions"
    PORTAL = "Customer portal"
    SUBSCRIPTIONS = "Subscriptions"
    INVOICES = "Invoices"
    PRODUCTS = "Products"
    PRICES = "Prices"
    METERS = "Billing meters"
    METER_EVENTS = "Billing meter events"
    PAYMENT_METHODS = "Payment Methods"
    COUPONS = "Coupons"
    CHARGES = "Charges and Refunds"
    DISPUTES = "Disputes"
    EVENTS = "Events"
    ENDPOINTS = "Webhook Endpoints"
    DESTINATIONS = "Event destinations"


class MissingRightError(TellOperatorError):
    """A restricted key may not do what is needed; the words name the right."""


async def rightly(right: Right, level: str, doing: Awaitable[T]) -> T:
    """Await it; MissingRightError if Stripe forbids it (status 403)."""
    try:
        return await doing
    except OutsideError as error:
        if isinstance(error.__cause__, stripe.PermissionError):
            words = f"The key in STRIPE_SECRET_KEY lacks the right {right}: {level}. Give it that in Stripe."
            raise MissingRightError(words) from error
        raise


Probe = Callable[[StripeCaller], Awaitable[object]]

PROBES: tuple[tuple[Right, Probe], ...] = (
    (Right.CUSTOMERS, lambda to: to.sdk.v1.customers.list_async({"limit": 1})),
    (Right.CHECKOUT, lambda to: to.sdk.v1.checkout.sessions.list_async({"limit": 1})),
    (Right.SUBSCRIPTIONS, lambda to: to.sdk.v1.subscriptions.list_async({"limit": 1, "status": "all"})),
    (Right.INVOICES, lambda to: to.sdk.v1.invoices.list_async({"limit": 1})),
    (Right.PAYMENT_METHODS, lambda to: to.sdk.v1.payment_methods.list_async({"limit": 1})),
    (Right.COUPONS, lambda to: to.sdk.v1.coupons.list_async({"limit": 1})),
    (Right.CHARGES, lambda to: to.sdk.v1.refunds.list_async({"limit": 1})),
    (Right.DISPUTES, lambda to: to.sdk.v1.disputes.list_async({"limit": 1})),
    (Right.EVENTS, lambda to: to.sdk.v1.events.list_async({"limit": 1})),
)
"""Reads that the product does and that setting up does not; each shows whether a right is there.

What an answer is expanded by needs its right too (docs.stripe.com/stripe-apps/reference/permissions): cards
and coupons of subscriptions are read in no other way.
"""
