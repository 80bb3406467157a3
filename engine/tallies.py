"""Counts behind the operator's figures: written with what they count, and naming nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from engine.domain import AccountId, Micros, Person, RefusalReason, TierName
from engine.facts import Mode
from engine.figures import FunnelStep
from engine.turns import Call, CallEnd, Charge

HOUR = timedelta(hours=1)
FIRST_DAY = date(1970, 1, 1)
BOUNDS = (
    *(100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000),
    *(8000, 13_000, 20_000, 30_000, 60_000, 120_000, 300_000, 900_000),
)
"""What durations are counted up to, in milliseconds; written with each count, so these may change."""
BEYOND = "more"
"""In place of a bound: longer than the last one."""


class Kind(StrEnum):
    """What is counted, and by what beside its period."""

    NONE = ""
    """Nothing."""

    USAGE = "usage"
    """Requests in the ledger: by day, tier, provider, model and purpose."""
    CALL = "call"
    """Requests to vendors: by hour, provider, model and how they ended (`CallEnd`)."""
    FIRST = "first"
    """Those that brought words: by how long the first one took."""
    TOTAL = "total"
    """Those that were answered: by how long all of it took."""
    CONVERSATION = "conversation"
    """Conversations as members' limits count them: by day and tier."""
    REFUSAL = "refusal"
    """Questions that were not asked: by day, tier and reason."""
    TIER = "tier"
    """Accounts that came to a tier, less those that left it: by mode and day."""
    STEP = "step"
    """Accounts that came to a step for the first time: by mode and day."""
    METERED = "metered"
    """Metered use: by mode, day and tier; its cost is that of vendors."""
    DELIVERY = "delivery"
    """Webhook events as they came: by mode, hour and what became of them (`Delivery`)."""
    APPLIED = "applied"
    """Events whose customer was read: by mode, hour and how long that took from their arrival."""
    READING = "reading"
    """Tries to read a customer from Stripe: by mode, hour and how they ended (`Reading`)."""


HOURLY = frozenset({Kind.CALL, Kind.FIRST, Kind.TOTAL, Kind.DELIVERY, Kind.APPLIED, Kind.READING})
"""The others are counted by UTC day."""


class Delivery(StrEnum):
    """What became of an event that was delivered."""

    TAKEN = "taken"
    """Its customer is read again, or what it is about looked into."""
    IGNORED = "ignored"
    """It changes nothing here."""
    DUPLICATE = "duplicate"
    """It was stored before."""
    SIGNATURE = "signature"
    """Refused: not signed with a secret of ours, or too old."""
    PAYLOAD = "payload"
    """Refused: signed, and no event."""
    AWAY = "away"
    """Turned away by a fault of ours, so that Stripe delivers it again."""
    FETCHED = "fetched"
    """Never delivered: the reconciliation found it at Stripe."""


class Reading(StrEnum):
    """How a try to read a customer from Stripe ended."""

    DONE = "done"
    FAILED = "failed"
    """It is tried again."""
    GIVEN_UP = "given_up"
    """It is a dead letter."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What one count is of; names that its kind does not use are empty, and so is a tier nobody noted."""

    kind: Kind
    mode: str
    period: int
    """Hours or days since 1970 (UTC)."""
    tier: str = ""
    provider: str = ""
    model: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is counted; all but `times` is 0 outside of USAGE, and `cost` of METERED."""

    times: int = 0
    turns: int = 0
    """Answers that members got."""
    unpriced: int = 0
    """Requests to models without a price, which `cost` is without."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    """Micro-dollars."""

    def __add__(self, other: Amounts) -> Amounts:
        """Both together."""
        return Amounts(
            self.times + other.times,
            self.turns + other.turns,
            self.unpriced + other.unpriced,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
        )

    def __neg__(self) -> Amounts:
        """What takes it off again."""
        return Amounts(*(-each for each in astuple(self)))


ONCE = Amounts(1)
Counted = tuple[Key, Amounts]


def hour_number(at: datetime) -> int:
    """Hours since 1970 (UTC)."""
    return day_number(at) * 24 + at.hour


def day_number(at: date) -> int:
    """Days since 1970, of a date or an aware UTC moment."""
    return at.toordinal() - FIRST_DAY.toordinal()


def day_of(number: int) -> date:
    """The day of that number."""
    return date.fromordinal(FIRST_DAY.toordinal() + number)


def bound(took: timedelta) -> str:
    """The bound up to which a duration is counted."""
    millis = took / timedelta(milliseconds=1)
    return next((str(each) for each in BOUNDS if millis <= each), BEYOND)


def charged(charge: Charge, tier: TierName | None, purpose: str, began: datetime) -> Counted:
    """A row of the ledger."""
    key = Key(Kind.USAGE, "", day_number(began), tier or "", charge.provider, charge.model, purpose)
    usage, unpriced = charge.usage, charge.cost is None
    return key, Amounts(1, 0, unpriced, usage.input_tokens, usage.output_tokens, charge.cost or 0)


def answered(provider: str, model: str, tier: TierName | None, purpose: str, began: datetime) -> Counted:
    """An answer that a member got."""
    return Key(Kind.USAGE, "", day_number(began), tier or "", provider, model, purpose), Amounts(turns=1)


def called(call: Call) -> Iterator[Counted]:
    """A request to a vendor."""
    period, names = hour_number(call.began_at), ("", call.provider, call.model)
    yield Key(Kind.CALL, "", period, *names, call.end), ONCE
    if call.first is not None:
        yield Key(Kind.FIRST, "", period, *names, bound(call.first)), ONCE
    if call.end is CallEnd.ANSWERED:
        yield Key(Kind.TOTAL, "", period, *names, bound(call.took)), ONCE


def conversation(day: int, tier: str, times: int) -> Counted:
    """Conversations that begin to be counted, or no longer are."""
    return Key(Kind.CONVERSATION, "", day, tier), Amounts(times)


def refused(tier: TierName, reason: RefusalReason, now: datetime) -> Counted:
    """A question that was not asked."""
    return Key(Kind.REFUSAL, "", day_number(now), tier, detail=reason), ONCE


def moved(mode: Mode, before: TierName, after: TierName, at: datetime) -> tuple[Counted, Counted]:
    """An account that changes its tier."""
    day = day_number(at)
    return (Key(Kind.TIER, mode, day, after), ONCE), (Key(Kind.TIER, mode, day, before), -ONCE)


def stepped(mode: Mode, step: FunnelStep, at: datetime) -> Counted:
    """An account that comes to a step for the first time."""
    return Key(Kind.STEP, mode, day_number(at), detail=step), ONCE


def metered(mode: Mode, cost: Micros, at: datetime) -> Counted:
    """Metered use, which pro alone has."""
    return Key(Kind.METERED, mode, day_number(at), TierName.PRO), Amounts(1, cost=cost)


def delivered(mode: Mode, what: Delivery, now: datetime, times: int = 1) -> Counted:
    """Webhook events of one sort."""
    return Key(Kind.DELIVERY, mode, hour_number(now), detail=what), Amounts(times)


def applied(mode: Mode, received: datetime, now: datetime) -> Counted:
    """An event whose customer was read."""
    return Key(Kind.APPLIED, mode, hour_number(received), detail=bound(now - received)), ONCE


def was_read(mode: Mode, how: Reading, now: datetime) -> Counted:
    """A try to read a customer."""
    return Key(Kind.READING, mode, hour_number(now), detail=how), ONCE


@dataclass(frozen=True, slots=True)
class RevenueDay:
    """What moved the MRR of one tier on a day."""

    day: date
    currency: str
    tier: TierName
    kind: str
    """A MovementKind, or BALANCE for what the tier as a whole gained or lost."""
    times: int
    """Movements; of BALANCE accounts that pay."""
    amount: Fraction
    """Micro-dollars a month, or their like."""


BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account brings in a month from a day on."""

    account: AccountId
    day: int
    """Days since 1970."""
    mrr: Fraction
    currency: str


@dataclass(frozen=True, slots=True)
class Turnover:
    """What an account that moved in some days brought in before them and after them, in one currency."""

    account: AccountId
    currency: str
    before: Fraction
    after: Fraction
    unwilling: bool
    """Whether the last time that it left was for a payment that failed or was disputed."""


@dataclass(frozen=True, slots=True)
class MemberCost:
    """What one account's answers, and those of its team, came to in a month."""

    account: AccountId
    person: Person | None
    seen_at: datetime | None
    requests: int
    cost: Micros


class MemberOrder(StrEnum):
    """By what members are sorted: the worst margin, the most, A or the highest tier first; or backwards."""

    MARGIN = "margin"
    COST = "cost"
    REVENUE = "revenue"
    REQUESTS = "requests"
    PERSON = "person"
    TIER = "tier"


class WaitingKind(StrEnum):
    """What may have to be done still."""

    CUSTOMERS = "customers"
    """To be read from Stripe."""
    DUTIES = "duties"
    """Calls owed to Stripe."""
    NOTICES = "notices"
    USAGE_REPORTS = "usage_reports"
    SUMMARIES = "summaries"
    ALERTS = "alerts"
    ANSWERS = "answers"
    """Being written."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of one sort has to be done, and since when the oldest of it is due; None: nothing is."""

    kind: WaitingKind
    count: int
    oldest: datetime | None


class TalliesTx(Protocol):
    """What is counted, and what the operator reads of it. Reading sums slots, and modes never mix."""

    def tally(self, *counted: Counted) -> None:
        """Count with this unit: nothing of it if the unit fails."""
        ...

    def tallies(
        self, kinds: Iterable[Kind], mode: str, since: int, until: int, step: int = 1
    ) -> Sequence[Counted]:
        """Counts of `since <= period < until`; `step` periods together are one, by its first."""
        ...

    def revenue_days(self, mode: Mode, until: date) -> Sequence[RevenueDay]:
        """All that moved the revenue before that day, oldest first."""
        ...

    def turnovers(self, mode: Mode, since: datetime, until: datetime) -> Sequence[Turnover]:
        """Accounts that moved in that time."""
        ...

    def balances(self, mode: Mode, until: date) -> Sequence[Balance]:
        """Every change of every account's MRR before that day, by account, oldest first."""
        ...

    def balances_of_dearest(self, mode: Mode, until: date, month: date, limit: int) -> Sequence[Balance]:
        """The same of the accounts that `dearest` has first."""
        ...

    def metered_costs(self, mode: Mode, since: datetime, until: datetime) -> Mapping[AccountId, Micros]:
        """Vendor cost of metered use in that time, by account."""
        ...

    def dearest(
        self, month: date, skip: int, limit: int, *, by_requests: bool = False
    ) -> Sequence[MemberCost]:
        """Members by what a UTC month cost, or by their requests; the most first."""
        ...

    def dearest_behind(
        self, month: date, last: MemberCost | None, limit: int, *, by_requests: bool = False
    ) -> Sequence[MemberCost]:
        """Those that come behind one of them in the order of `dearest`; None: the first."""
        ...

    def by_person(self, mode: Mode, month: date) -> Mapping[AccountId, bool]:
        """From A to Z: who asked in a month (True), and all that ever moved the revenue or are metered."""
        ...

    def favoured(self, mode: Mode) -> frozenset[AccountId]:
        """Accounts that bought or were given a tier at any time, or have a seat: no others have one."""
        ...

    def dearest_of_others(self, mode: Mode, month: date, skip: int, limit: int) -> Sequence[MemberCost]:
        """The same without those that ever brought in money in this mode, or metered use in the month."""
        ...

    def costs_of_payers(self, mode: Mode, month: date) -> Mapping[AccountId, MemberCost]:
        """Those that did, as far as the month cost anything; without their persons."""
        ...

    def costs_of(self, accounts: Sequence[AccountId], month: date) -> Sequence[MemberCost]:
        """Some accounts in that order, those without any cost too; what is no account is left out."""
        ...

    def count_members(self, month: date) -> int:
        """Accounts with requests in that month."""
        ...

    def find_members(self, text: str, limit: int) -> Sequence[AccountId]:
        """Accounts whose person's text (`discord:1`, `slack:T1/U1`) has that in it, the last seen first."""
        ...

    def waiting(self, mode: Mode, now: datetime) -> Sequence[Waiting]:
        """What has to be done, of every sort."""
        ...
