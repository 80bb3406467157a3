"""What the simulated Stripe keeps: sessions, subscriptions, portals and events, and how time changes them."""

from __future__ import annotations

import calendar
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self

from engine.domain import Interval, TierName
from engine.facts import (
    CheckoutSession,
    CustomerId,
    Mode,
    PaymentStatus,
    SessionId,
    SessionStatus,
    SimulatedObject,
    Subscription,
    SubscriptionId,
)

MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}
MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Sale:
    """A Checkout session; it runs out at `expires_at` unless it was `paid` or `closed` before."""

    KIND: ClassVar[str] = "session"
    id: str
    customer: str
    tier: TierName
    interval: Interval
    quantity: int
    expires_at: datetime
    success_url: str
    cancel_url: str
    paid: bool = False
    closed: bool = False

    @classmethod
    def read(cls, obj: SimulatedObject) -> Self:
        """From storage."""
        fields = json.loads(obj.body)
        return cls(**{**fields, **_times(fields, "expires_at"), **_purchase(fields)})

    def stored(self) -> SimulatedObject:
        """For storage."""
        return SimulatedObject(self.id, self.KIND, self.customer, _body(self))

    def status(self, now: datetime) -> SessionStatus:
        """As Stripe would say it at `now`."""
        if self.paid:
            return SessionStatus.COMPLETE
        return SessionStatus.EXPIRED if self.closed or self.expires_at <= now else SessionStatus.OPEN

    def shown(self, now: datetime, url: str) -> CheckoutSession:
        """As the engine knows it."""
        status = self.status(now)
        link = url if status is SessionStatus.OPEN else None
        return CheckoutSession(SessionId(self.id), CustomerId(self.customer), status, link, self.expires_at)


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription as it was last written; `at` says what it is now."""

    KIND: ClassVar[str] = "subscription"
    id: str
    customer: str
    tier: TierName
    interval: Interval
    quantity: int
    created_at: datetime
    period_end: datetime
    cancel_at: datetime | None = None
    ended_at: datetime | None = None

    @classmethod
    def sold(cls, plan: str, sale: Sale, now: datetime) -> Self:
        """The subscription that paying a session starts."""
        end = months_after(now, MONTHS[sale.interval])
        return cls(plan, sale.customer, sale.tier, sale.interval, sale.quantity, now, end)

    @classmethod
    def read(cls, obj: SimulatedObject) -> Self:
        """From storage."""
        fields = json.loads(obj.body)
        times = _times(fields, "created_at", "period_end", "cancel_at", "ended_at")
        return cls(**{**fields, **times, **_purchase(fields)})

    def stored(self) -> SimulatedObject:
        """For storage."""
        return SimulatedObject(self.id, self.KIND, self.customer, _body(self))

    def at(self, now: datetime) -> Self:
        """What time has made of it: renewed, or ended where that was wished."""
        if self.ended_at is None and self.cancel_at is not None and self.cancel_at <= now:
            return replace(self, ended_at=self.cancel_at)
        if self.ended_at is not None or self.period_end > now:
            return self
        step, since = MONTHS[self.interval], self.created_at
        months = (now.year - since.year) * MONTHS_A_YEAR + now.month - since.month
        begun = months_after(since, months // step * step)
        return replace(
            self, period_end=begun if begun > now else months_after(since, (months // step + 1) * step)
        )

    def shown(self, now: datetime) -> Subscription:
        """As the engine knows it, at `now`."""
        plan = self.at(now)
        return Subscription(
            id=SubscriptionId(plan.id),
            customer=CustomerId(plan.customer),
            mode=Mode.SIMULATED,
            status=PaymentStatus.CANCELED if plan.ended_at else PaymentStatus.ACTIVE,
            tier=plan.tier,
            price=f"sim_price_{plan.tier}_{plan.interval}",
            interval=plan.interval,
            quantity=plan.quantity,
            created_at=plan.created_at,
            started_at=plan.created_at,
            period_end=plan.period_end,
            cancel_at=plan.cancel_at,
        )


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal session: whoever has its id may change the customer's subscription until it runs out."""

    KIND: ClassVar[str] = "portal"
    id: str
    customer: str
    expires_at: datetime

    @classmethod
    def read(cls, obj: SimulatedObject) -> Self:
        """From storage."""
        fields = json.loads(obj.body)
        return cls(**{**fields, **_times(fields, "expires_at")})

    def stored(self) -> SimulatedObject:
        """For storage."""
        return SimulatedObject(self.id, self.KIND, self.customer, _body(self))


def event(event_id: str, kind: str, subject: str, obj: str, customer: str, now: datetime) -> SimulatedObject:
    """An event in the shape of Stripe's, to be delivered until it is acknowledged."""
    body = {
        "id": event_id,
        "object": "event",
        "type": kind,
        "created": int(now.timestamp()),
        "livemode": False,
        "data": {"object": {"id": subject, "object": obj, "customer": customer}},
    }
    return SimulatedObject(event_id, "event", customer, json.dumps(body))


def months_after(start: datetime, months: int) -> datetime:
    """The same day and hour so many months later; a month that is too short ends on its last day."""
    year, month = divmod(start.year * MONTHS_A_YEAR + start.month - 1 + months, MONTHS_A_YEAR)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def _body(kept: Sale | Plan | Portal) -> str:
    return json.dumps(asdict(kept), default=datetime.isoformat)


def _times(fields: dict[str, Any], *names: str) -> dict[str, datetime | None]:
    return {name: datetime.fromisoformat(fields[name]) if fields[name] else None for name in names}


def _purchase(fields: dict[str, Any]) -> dict[str, Any]:
    return {"tier": TierName(fields["tier"]), "interval": Interval(fields["interval"])}
