"""The words of money: customers, subscriptions, checkout and notices, as Stripe states them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import NewType

from engine.domain import AccountId, Interval, Micros, Person, TierName

CustomerId = NewType("CustomerId", str)
SubscriptionId = NewType("SubscriptionId", str)
SessionId = NewType("SessionId", str)
EventId = NewType("EventId", str)


class Mode(StrEnum):
    """Which world a fact belongs to; they never mix."""

    LIVE = "live"
    TEST = "test"
    SIMULATED = "sim"


class PaymentStatus(StrEnum):
    """Stripe's subscription status; NONE is ours for 'never had one', UNKNOWN for a new word."""

    NONE = "none"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    UNKNOWN = "unknown"

    @classmethod
    def read(cls, word: str) -> PaymentStatus:
        """The status of that name, UNKNOWN for a new one: Stripe may add some at any time."""
        return cls(word) if word in set(cls) else cls.UNKNOWN


ENDED = frozenset({PaymentStatus.CANCELED, PaymentStatus.INCOMPLETE_EXPIRED, PaymentStatus.NONE})
"""A subscription in one of these is over; any other may still charge, so no second one is sold."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a schedule will make of a subscription, and when."""

    tier: TierName | None
    interval: Interval | None
    quantity: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """What Stripe says of one subscription, flattened; periods are the latest end of its items."""

    id: SubscriptionId
    customer: CustomerId
    mode: Mode
    status: PaymentStatus
    tier: TierName | None
    """None: a product that is not ours."""
    price: str
    interval: Interval | None
    quantity: int
    created_at: datetime
    started_at: datetime
    period_end: datetime | None
    cancel_at: datetime | None
    """Pending cancellation, from either `cancel_at` or `cancel_at_period_end`."""
    trial_end: datetime | None = None
    collection_paused: str | None = None
    """`pause_collection.behavior` of Stripe: void, keep_as_draft or mark_uncollectible."""
    latest_invoice: str | None = None
    invoice_paid: bool = True
    """Whether that one is paid; a renewal begins before its invoice is."""
    past_due_since: datetime | None = None
    """When the oldest invoice that is still open was finalized, and so tried for the first time."""
    open_invoice: str | None = None
    """That invoice, or the one that a pending change waits for."""
    pay_url: str | None = None
    """Where the open invoice can be paid (`hosted_invoice_url`); for the payer's eyes."""
    item: str = ""
    """The licensed subscription item, which a change swaps."""
    metered_item: str | None = None
    schedule: str | None = None
    """The subscription schedule that manages it, while a change is planned."""
    planned: Planned | None = None
    change_pending: bool = False
    """Whether a change waits for its payment (`pending_update`)."""
    trialed: bool = False
    """Whether it has or had a trial."""
    card_expires: datetime | None = None
    """The first moment at which the card that pays is no longer valid."""
    mrr: Fraction = Fraction(0)
    """Micro-dollars a month of its licensed items, lasting discounts taken off, whatever its status."""
    currency: str = "usd"
    ended_at: datetime | None = None
    end_reason: str | None = None
    """`cancellation_details.reason`: cancellation_requested, payment_disputed or payment_failed."""


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """All that one reading says of a customer; `gone` if it was deleted."""

    subscriptions: tuple[Subscription, ...] = ()
    gone: bool = False


class DisputeStage(StrEnum):
    """What a dispute's status means for access (docs.stripe.com/api/disputes/object, `status`)."""

    INQUIRY = "inquiry"
    """`warning_*` and `prevented`: no money has moved."""
    OPEN = "open"
    """`needs_response`, `under_review`, and any word that we do not know."""
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that its cardholder disputes."""

    id: str
    mode: Mode
    customer: CustomerId
    charge: str
    stage: DisputeStage
    amount: Micros
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """What was given back of one charge, all its refunds together."""

    charge: str
    mode: Mode
    customer: CustomerId
    invoice: str | None
    amount: Micros
    full: bool
    at: datetime


MoneyBack = Dispute | Refund


@dataclass(frozen=True, slots=True)
class Claims:
    """What stands against an account: disputes, and paid invoices whose refund takes the tier away."""

    disputes: tuple[Dispute, ...] = ()
    """Without those that the operator has forgiven."""
    revoked: frozenset[str] = frozenset()

    def has(self, stage: DisputeStage) -> bool:
        """Whether a dispute is at that stage."""
        return any(dispute.stage is stage for dispute in self.disputes)

    @property
    def blocking(self) -> bool:
        """Whether nothing is sold to the account until its disputes are won or forgiven."""
        return self.has(DisputeStage.OPEN) or self.has(DisputeStage.LOST)


NO_CLAIMS = Claims()


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """The Stripe customer of an account in one mode; `epoch` rises when a deleted one has to be replaced."""

    account: AccountId
    mode: Mode
    customer: CustomerId | None
    epoch: int
    trial_used_at: datetime | None = None
    """A trial is given once; it is remembered here over all customers of the account."""


class AttemptStatus(StrEnum):
    """The life of a checkout attempt; at most one of an account is open."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class CheckoutAttempt:
    """One try to buy; made before its session, so that a crash between the two repeats the request."""

    id: str
    account: AccountId
    mode: Mode
    person: Person
    tier: TierName
    interval: Interval
    status: AttemptStatus
    created_at: datetime
    expires_at: datetime
    session: SessionId | None = None
    url: str | None = None
    trial_days: int = 0
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a Checkout session is made of; the same attempt id must always carry the same values."""

    attempt: str
    account: AccountId
    customer: CustomerId
    tier: TierName
    interval: Interval
    quantity: int
    expires_at: datetime
    success_url: str
    cancel_url: str
    trial_days: int = 0
    promotion_codes: bool = False
    automatic_tax: bool = False


class SessionStatus(StrEnum):
    """Stripe's Checkout session status."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A Checkout session: the member pays at `url` (None once it is closed)."""

    id: SessionId
    customer: CustomerId
    status: SessionStatus
    url: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BillingEvent:
    """A verified webhook event; `customer` is None when it names none (then it changes nothing)."""

    id: EventId
    type: str
    created_at: datetime
    mode: Mode
    customer: CustomerId | None
    relevant: bool
    """Whether its customer has to be read again."""
    payload: bytes
    subject: str | None = None
    """A dispute, charge or refund that names no customer and has to be looked into."""
    trouble: str | None = None
    """Words for the operator: what a meter complains of."""


class AccessReason(StrEnum):
    """Why an account has its tier now."""

    NO_SUBSCRIPTION = "no_subscription"
    ACTIVE = "active"
    TRIAL = "trial"
    GRACE = "grace"
    GRACE_OVER = "grace_over"
    PERIOD_OVER = "period_over"
    NOT_PAID = "not_paid"
    PAUSED = "paused"
    ENDED = "ended"
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    REFUNDED = "refunded"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_PRODUCT = "unknown_product"
    SEAT = "seat"
    """The account has a seat in a team that somebody else pays for."""
    SEAT_WAITING = "seat_waiting"
    """It joined a team that has fewer seats by now."""
    SEAT_ENDED = "seat_ended"
    """It joined a team that nobody pays for any more."""
    GRANTED = "granted"
    """The operator gave the tier, or a code did."""
    GRANT_OVER = "grant_over"


@dataclass(frozen=True, slots=True)
class Access:
    """What an account may use now, why, until when unless something changes, and from which subscription."""

    tier: TierName
    reason: AccessReason
    until: datetime | None = None
    subscription: Subscription | None = None
    """Of the account itself: a seat and a grant have none."""
    team: AccountId | None = None
    """Whose team it is that gives this, or does so no longer: of a seat alone."""
    seats: int = 1
    """How many that team has: of a seat alone."""

    @property
    def payment_status(self) -> PaymentStatus:
        """Stripe's word for the subscription that decides."""
        return self.subscription.status if self.subscription else PaymentStatus.NONE


@dataclass(frozen=True, slots=True)
class TierChange:
    """One change of an account's tier, numbered from 1 within the account and mode."""

    number: int
    account: AccountId
    mode: Mode
    before: TierName
    after: TierName
    reason: AccessReason
    at: datetime


@dataclass(frozen=True, slots=True)
class DirtyCustomer:
    """A customer to be read from Stripe, claimed under a lease with `token`; `gen` counts its hints."""

    mode: Mode
    customer: CustomerId
    gen: int
    token: str
    fails: int
