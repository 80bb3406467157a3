"""Stripe's objects as plain frozen facts; nothing of the SDK passes beyond this module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import stripe

from engine.domain import Interval, TierName
from engine.facts import (
    CheckoutSession,
    CustomerId,
    Mode,
    PaymentStatus,
    SessionId,
    SessionStatus,
    Subscription,
    SubscriptionId,
)

Fields = Mapping[str, Any]


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


def subscription(fields: Fields, tiers: Sequence[TierName | None], mode: Mode) -> Subscription:
    """A subscription with the tiers of its items: the first item with a tier of ours decides.

    Periods live on the items since 2025-03-31.basil, and the portal cancels by `cancel_at` alone since
    2025-09-30.clover (Stripe's changelog).
    """
    items = items_of(fields)
    chosen = next((index for index, tier in enumerate(tiers) if tier), 0)
    item: Fields = items[chosen] if items else {}
    price: Fields = item.get("price") or {}
    end = max((each["current_period_end"] for each in items), default=None)
    pending = end if fields.get("cancel_at_period_end") else None
    return Subscription(
        id=SubscriptionId(fields["id"]),
        customer=CustomerId(name_of(fields["customer"]) or ""),
        mode=mode,
        status=PaymentStatus.read(fields["status"]),
        tier=tiers[chosen] if tiers else None,
        price=price.get("id", ""),
        interval=_interval(price),
        quantity=item.get("quantity") or 1,
        created_at=at(fields["created"]),
        started_at=at(fields["start_date"]),
        period_end=moment(end),
        cancel_at=moment(fields.get("cancel_at") or pending),
        trial_end=moment(fields.get("trial_end")),
        collection_paused=(fields.get("pause_collection") or {}).get("behavior"),
        latest_invoice=name_of(fields.get("latest_invoice")),
    )


def _interval(price: Fields) -> Interval | None:
    word = (price.get("recurring") or {}).get("interval")
    return Interval(word) if word in set(Interval) else None
