"""What the simulated Stripe keeps beside subscriptions: sessions, payers, invoices, disputes, events."""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from engine.domain import Interval, Micros, TierName
from engine.facts import (
    CheckoutSession,
    CustomerId,
    Dispute,
    DisputeStage,
    Mode,
    Refund,
    SessionId,
    SessionStatus,
)
from engine.simulated import SimulatedObject

MONTHS_A_YEAR = 12
MOMENT = ("_at", "_end")
"""How the names of fields end that hold a time."""
WORDS: Mapping[str, Callable[[str], object]] = {
    "tier": TierName,
    "interval": Interval,
    "stage": DisputeStage,
}


class Kept:
    """An object of the simulated Stripe, as JSON in storage under its id, grouped by its customer."""

    __slots__ = ()
    KIND: ClassVar[str]
    id: str
    customer: str

    @classmethod
    def read(cls, obj: SimulatedObject) -> Self:
        """From storage; fields that an older version did not know have their defaults."""
        return cls(**fields_of(json.loads(obj.body)))

    def stored(self) -> SimulatedObject:
        """For storage."""
        return SimulatedObject(self.id, self.KIND, self.customer, body_of(self))


@dataclass(frozen=True, slots=True)
class Sale(Kept):
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
    trial_days: int = 0

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
class Payer(Kept):
    """A customer: its card, and what it is owed (`balance`, micro-dollars, taken off its next invoices)."""

    KIND: ClassVar[str] = "customer"
    id: str
    account: str
    card_fails: bool = False
    card_end: datetime | None = None
    """The first moment at which the card is no longer valid."""
    balance: int = 0
    deleted_at: datetime | None = None

    @classmethod
    def read(cls, obj: SimulatedObject) -> Self:
        """From storage; the account is the owner there."""
        return cls(**{**fields_of(json.loads(obj.body)), "id": obj.id, "account": obj.owner})

    def stored(self) -> SimulatedObject:
        """For storage."""
        return SimulatedObject(self.id, self.KIND, self.account, body_of(self))

    def can_pay(self, at: datetime) -> bool:
        """Whether its card is taken at that time."""
        return not self.card_fails and (self.card_end is None or at < self.card_end)


@dataclass(frozen=True, slots=True)
class Invoice(Kept):
    """A bill of a subscription (micro-dollars); `change`: a change waits for it, which is not made unpaid."""

    KIND: ClassVar[str] = "invoice"
    id: str
    customer: str
    plan: str
    amount: int
    made_at: datetime
    tries: int = 0
    change: bool = False
    paid_at: datetime | None = None
    void_at: datetime | None = None
    refunded_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its payment."""
        return self.paid_at is None and self.void_at is None

    @property
    def charge(self) -> str | None:
        """The id of its payment."""
        return self.id.replace("sim_in_", "sim_ch_", 1) if self.paid_at and self.amount else None

    def money_back(self) -> Refund | None:
        """What was given back of its payment; None while it has none."""
        if self.charge is None:
            return None
        amount = Micros(self.amount if self.refunded_at else 0)
        at = self.refunded_at or self.paid_at or self.made_at
        customer = CustomerId(self.customer)
        return Refund(self.charge, Mode.SIMULATED, customer, self.id, amount, bool(self.refunded_at), at)


@dataclass(frozen=True, slots=True)
class Quarrel(Kept):
    """A disputed payment."""

    KIND: ClassVar[str] = "dispute"
    id: str
    customer: str
    charge: str
    stage: DisputeStage
    amount: int
    made_at: datetime

    def shown(self) -> Dispute:
        """As the engine knows it."""
        customer, amount = CustomerId(self.customer), Micros(self.amount)
        return Dispute(self.id, Mode.SIMULATED, customer, self.charge, self.stage, amount, self.made_at)


@dataclass(frozen=True, slots=True)
class Use(Kept):
    """Units that the meter was told of, once for each identifier."""

    KIND: ClassVar[str] = "usage"
    id: str
    customer: str
    units: int
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Portal(Kept):
    """A portal session: whoever has its id may change the customer's subscription until it runs out."""

    KIND: ClassVar[str] = "portal"
    id: str
    customer: str
    expires_at: datetime
    said: str = ""
    """What the last button that was pressed brought about."""


def event(event_id: str, kind: str, about: Mapping[str, str], owner: str, now: datetime) -> SimulatedObject:
    """An event in the shape of Stripe's about an object (its `id`, `object` and, of most, `customer`)."""
    body = {
        "id": event_id,
        "object": "event",
        "type": kind,
        "created": int(now.timestamp()),
        "livemode": False,
        "data": {"object": dict(about)},
    }
    return SimulatedObject(event_id, "event", owner, json.dumps(body))


def months_after(start: datetime, months: int) -> datetime:
    """The same day and hour so many months later; a month that is too short ends on its last day."""
    year, month = divmod(start.year * MONTHS_A_YEAR + start.month - 1 + months, MONTHS_A_YEAR)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def month_begin(moment: datetime) -> datetime:
    """Midnight of the first day of its month."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def body_of(kept: Kept) -> str:
    """A dataclass as JSON, times in ISO 8601."""
    return json.dumps(asdict(kept), default=datetime.isoformat)  # type: ignore[call-overload]


def fields_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of JSON as they were: times by the end of their names, words by their sets."""
    return {name: _value(name, value) for name, value in body.items()}


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if value is None or isinstance(value, dict):
        return fields_of(value) if value else None
    if name.endswith(MOMENT):
        return datetime.fromisoformat(value)
    return WORDS[name](value) if name in WORDS else value
