"""The words of dealing with Stripe beyond selling: changes, metered use, duties, differences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from engine.domain import AccountId, Interval, Micros, Person, TierName
from engine.facts import CustomerId, Mode, Subscription, SubscriptionId

ProposalId = NewType("ProposalId", str)
DutyId = NewType("DutyId", str)


class FullRefund(StrEnum):
    """What becomes of a subscription whose newest invoice was wholly refunded."""

    END = "end"
    KEEP = "keep"


class SecondSubscription(StrEnum):
    """What becomes of a second subscription beside a running one."""

    REFUND = "refund"
    """The newer one is canceled and its payment given back."""
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Policy:
    """`[billing]` of config.toml."""

    trial_days: int = 0
    promotion_codes: bool = False
    automatic_tax: bool = False
    full_refund: FullRefund = FullRefund.END
    second_subscription: SecondSubscription = SecondSubscription.REFUND
    metered_markup: Decimal = Decimal(0)
    """USD charged for 1 USD of vendor cost beyond what pro includes; 0: no metered use."""
    shared: frozenset[TierName] = frozenset({TierName.TEAM})
    """Tiers that have seats for others than their buyer."""
    order: tuple[TierName, ...] = tuple(TierName)
    """Tiers that are described, lowest first."""

    def rank(self, tier: TierName) -> int:
        """How high a tier stands; an undescribed one gives what the lowest gives."""
        return self.order.index(tier) if tier in self.order else 0


class ChangeKind(StrEnum):
    """What a member may change about a running subscription."""

    SWITCH = "switch"
    """Another tier or interval."""
    SEATS = "seats"
    CANCEL = "cancel"
    RESUME = "resume"
    """Take back a pending cancellation or a planned change."""
    METER = "meter"
    """Add the metered item, or take it off (`Wish.quantity` 1 or 0)."""


class Timing(StrEnum):
    """When a change takes effect."""

    NOW = "now"
    PERIOD_END = "period_end"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription should be: for a cancellation or a resumption, what it is."""

    kind: ChangeKind
    tier: TierName
    interval: Interval
    quantity: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change costs. Amounts are micro-dollars with tax; a negative `due_now` is credited."""

    timing: Timing
    effective_at: datetime
    """For a change now: the time to which the proration is reckoned."""
    due_now: Micros
    recurring: Micros
    """What every later interval costs."""
    currency: str = "usd"


class ProposalState(StrEnum):
    """The life of a proposal."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that its person was shown and may confirm until `expires_at`."""

    id: ProposalId
    account: AccountId
    mode: Mode
    person: Person
    subscription: SubscriptionId
    wish: Wish
    preview: Preview
    created_at: datetime
    expires_at: datetime
    state: ProposalState = ProposalState.OPEN


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """A confirmed change; the same key always carries the same values."""

    key: str
    subscription: Subscription
    """As it was when the change was proposed."""
    wish: Wish
    timing: Timing
    effective_at: datetime


class ChangeState(StrEnum):
    """What became of an order."""

    DONE = "done"
    PLANNED = "planned"
    PAYMENT_NEEDED = "payment_needed"
    """The card was declined or asks for its owner: nothing changes until the invoice is paid."""
    OUTDATED = "outdated"
    """The subscription is no longer what the proposal was made for."""


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of an order, and where to pay if that is what is missing."""

    state: ChangeState
    pay_url: str | None = None


class DutyKind(StrEnum):
    """What we owe Stripe, or want to know of it, until it is done."""

    LOOK_INTO = "look_into"
    """Read a dispute, charge or refund and find whose it is."""
    END_DUPLICATE = "end_duplicate"
    END_REFUNDED = "end_refunded"
    END_DISPUTED = "end_disputed"
    END_ERASED = "end_erased"
    """Its member is being erased, or was and it would charge again."""
    END_LATE = "end_late"
    """It was bought when its member was being erased, or after that on a page that was still open."""
    CLOSE_CHECKOUT = "close_checkout"
    """Expire a Checkout session that must not be paid any more."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One call owed to Stripe; its id is made of what it is about, so that it is owed once."""

    id: DutyId
    kind: DutyKind
    mode: Mode
    subject: str
    """An id of Stripe's: dispute, charge, refund, subscription or Checkout session."""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Metering:
    """A member's word about metered use; `cap` is what they let it cost them in a UTC month (our price)."""

    account: AccountId
    mode: Mode
    on: bool
    cap: Micros
    agreed_at: datetime
    person: Person


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """Vendor cost of a turn beyond what its tier includes, written in the unit that settles it.

    `at` is when the turn began, whose month it counts in.
    """

    turn: str
    account: AccountId
    mode: Mode
    cost: Micros
    at: datetime


@dataclass(frozen=True, slots=True)
class UsageHour:
    """Use that was not sealed yet, of one account in one hour."""

    account: AccountId
    mode: Mode
    hour: datetime
    cost: Micros


@dataclass(frozen=True, slots=True)
class UsageReport:
    """A sealed number of meter units (1/1000 USD of vendor cost) on their way to Stripe; never changed."""

    identifier: str
    account: AccountId
    mode: Mode
    customer: CustomerId
    hour: datetime
    units: int
    sealed_at: datetime
    attempts: int = 0
    tried_at: datetime | None = None
    """When it was tried for the first time."""
    makes_good: datetime | None = None
    """An hour of the span in which Stripe lost as many units: they are told again, not used again."""
    sent_at: datetime | None = None
    dead: bool = False

    @property
    def stamp(self) -> datetime:
        """The time to tell Stripe: late in the hour, for a billing period may have begun within it."""
        return min(self.sealed_at, self.hour + timedelta(hours=1, seconds=-1))


class LetterKind(StrEnum):
    """What can be given up after too many tries."""

    CUSTOMER = "customer"
    DUTY = "duty"
    USAGE = "usage"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Work that was given up: visible, and retried when the operator says so."""

    kind: LetterKind
    id: str
    error: str
    attempts: int


class DifferenceKind(StrEnum):
    """How our facts and Stripe's can differ."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    CHANGED = "changed"
    UNKNOWN_CUSTOMER = "unknown_customer"
    """A customer with our account in its metadata that we do not know."""
    SEVERAL_RUNNING = "several_running"
    METER = "meter"
    """Stripe's meter has another sum than our reports."""
    ITEM_MISSING = "item_missing"
    """Metered use is agreed and the subscription has no metered item."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, and the customer to read again to mend it."""

    kind: DifferenceKind
    subject: str
    customer: CustomerId | None
    detail: str
