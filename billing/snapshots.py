"""Stripe's objects as plain frozen facts; nothing of the SDK passes beyond this module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, cast

import stripe

from billing.monthly import is_metered
from engine.domain import Interval, TierName
from engine.facts import (
    CheckoutSession,
    CustomerId,
    Mode,
    PaymentStatus,
    Planned,
    SessionId,
    SessionStatus,
    Subscription,
    SubscriptionId,
)

Fields = Mapping[str, Any]

MONTHS = 12
EXPANDED = (
    "latest_invoice",
    "schedule",
    "default_payment_method",
    "customer.invoice_settings.default_payment_method",
    "discounts.source.coupon",
)
"""What a subscription is read with; Stripe expands to a depth of four, of which a list takes one."""


def plain(obj: stripe.StripeObject) -> Fields:
    """An SDK object as dictionaries and lists."""
    return cast("Fields", obj.to_dict())


def moment(seconds: int | None) -> datetime | None:
    """Unix seconds as a time."""
    return None if seconds is None else at(seconds)


def at(seconds: int) -> datetime:
    """Unix seconds as a time, where Stripe always gives them."""
    return datetime.fromtimestamp(seconds, UTC)


def name_of(field: str | Fields | None) -> str | None:
    """The id in a field that Stripe may have expanded."""
    return field["id"] if isinstance(field, Mapping) else field


def checkout_session(fields: Fields) -> CheckoutSession:
    """A Checkout session; a status that we do not know counts as closed."""
    word = fields.get("status")
    return CheckoutSession(
        id=SessionId(fields["id"]),
        customer=CustomerId(name_of(fields.get("customer")) or ""),
        status=SessionStatus(word) if word in set(SessionStatus) else SessionStatus.EXPIRED,
        url=fields.get("url"),
        expires_at=at(fields["expires_at"]),
    )


def items_of(fields: Fields) -> Sequence[Fields]:
    """The items of a subscription."""
    listed: Sequence[Fields] = fields["items"]["data"]
    return listed


@dataclass(frozen=True, slots=True)
class Findings:
    """What has to be found out about a subscription beyond its own fields."""

    tiers: Sequence[TierName | None]
    """By item."""
    mrr: Fraction
    planned: Planned | None = None
    open_invoice: Fields | None = None


def subscription(fields: Fields, mode: Mode, found: Findings) -> Subscription:
    """A subscription, read with `EXPANDED`; periods live on its items since 2025-03-31.basil."""
    items = items_of(fields)
    item, tier = _deciding(items, found.tiers)
    price: Fields = item.get("price") or {}
    invoice: Fields = found.open_invoice or {}
    return Subscription(
        id=SubscriptionId(fields["id"]),
        customer=CustomerId(name_of(fields["customer"]) or ""),
        mode=mode,
        status=PaymentStatus.read(fields["status"]),
        tier=tier,
        price=price.get("id", ""),
        interval=interval_of(price),
        quantity=item.get("quantity") or 1,
        created_at=at(fields["created"]),
        started_at=at(fields["start_date"]),
        period_end=moment(max((each["current_period_end"] for each in items), default=None)),
        cancel_at=_ends(fields, items),
        trial_end=moment(fields.get("trial_end")),
        collection_paused=(fields.get("pause_collection") or {}).get("behavior"),
        latest_invoice=name_of(fields.get("latest_invoice")),
        invoice_paid=_is_paid(fields.get("latest_invoice")),
        past_due_since=open_since(invoice) if fields["status"] == PaymentStatus.PAST_DUE else None,
        open_invoice=invoice.get("id"),
        pay_url=invoice.get("hosted_invoice_url"),
        item=item.get("id", ""),
        metered_item=next((each["id"] for each in items if is_metered(each["price"])), None),
        schedule=name_of(fields.get("schedule")),
        planned=found.planned,
        change_pending=fields.get("pending_update") is not None,
        trialed=fields.get("trial_start") is not None or fields.get("trial_end") is not None,
        card_expires=_card_expires(fields),
        mrr=found.mrr,
        currency=fields.get("currency") or "usd",
        ended_at=moment(fields.get("ended_at")),
        end_reason=(fields.get("cancellation_details") or {}).get("reason"),
    )


def _is_paid(invoice: str | Fields | None) -> bool:
    """Whether the newest invoice is paid; without one nothing is owed."""
    return not isinstance(invoice, Mapping) or invoice.get("status") == "paid"


def awaited_invoice(fields: Fields) -> Fields | None:
    """The newest invoice, if a change or the whole subscription waits for its payment."""
    waits = fields.get("pending_update") or fields["status"] == PaymentStatus.INCOMPLETE
    newest = fields.get("latest_invoice")
    return newest if waits and isinstance(newest, Mapping) and newest.get("status") == "open" else None


def open_since(invoice: Fields) -> datetime | None:
    """When an invoice was finalized, and so tried for the first time."""
    finalized = (invoice.get("status_transitions") or {}).get("finalized_at")
    return moment(finalized or invoice.get("created"))


def next_phase(fields: Fields) -> Fields | None:
    """The phase that the schedule of a subscription enters next."""
    schedule = fields.get("schedule")
    if not isinstance(schedule, Mapping) or schedule.get("status") != "active":
        return None
    over: int = (schedule.get("current_phase") or {}).get("end_date") or 0
    phases: Sequence[Fields] = schedule.get("phases") or ()
    return next((phase for phase in phases if over and phase["start_date"] >= over), None)


def interval_of(price: Fields) -> Interval | None:
    """The interval of a price; None for one that we do not sell."""
    word = (price.get("recurring") or {}).get("interval")
    return Interval(word) if word in set(Interval) else None


def _deciding(items: Sequence[Fields], tiers: Sequence[TierName | None]) -> tuple[Fields, TierName | None]:
    """The first licensed item with a tier of ours, else the first licensed one."""
    licensed = [pair for pair in zip(items, tiers, strict=True) if not is_metered(pair[0]["price"])]
    ours = [pair for pair in licensed if pair[1]]
    return next(iter([*ours, *licensed]), ({}, None))


def _ends(fields: Fields, items: Sequence[Fields]) -> datetime | None:
    """A pending cancellation: since 2025-09-30.clover the portal sets `cancel_at` alone.

    Of mixed intervals, `cancel_at_period_end` means the earliest end (docs.stripe.com/changelog/basil).
    """
    first = min((each["current_period_end"] for each in items), default=None)
    return moment(fields.get("cancel_at") or (first if fields.get("cancel_at_period_end") else None))


def _card_expires(fields: Fields) -> datetime | None:
    """The first moment after the month that the card says, of the subscription's card or its customer's."""
    customer = fields.get("customer")
    settings = (customer.get("invoice_settings") or {}) if isinstance(customer, Mapping) else {}
    for method in (fields.get("default_payment_method"), settings.get("default_payment_method")):
        card = method.get("card") if isinstance(method, Mapping) else None
        if card:
            years, month = divmod(int(card["exp_month"]), MONTHS)
            return datetime(int(card["exp_year"]) + years, month + 1, 1, tzinfo=UTC)
    return None
