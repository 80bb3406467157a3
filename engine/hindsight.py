"""What is counted when recorded use is gone through again under certain rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from engine.budget import NO_CEILINGS, Ceilings
from engine.catalogue import Catalogue
from engine.domain import AccountId, Micros, RefusalReason, Scope, Tier, TierName
from engine.facts import Mode, Subscription
from engine.limits import RATE_WINDOW
from engine.means import Room
from engine.overage import Allowance, MeterTerms, beyond, vendor_budget
from engine.recorded import Recorded
from engine.spending import FREE, Purse, by_scope, for_team, period, scopes
from engine.terms import Metering
from engine.turns import Charge, TurnState, UsageFacts

NOTHING = Micros(0)
UNBOUNDED = Micros(10**15)


class Swap(StrEnum):
    """Why another model answers than the recorded one."""

    GONE = "gone"
    """There is none of that name."""
    LOCKED = "locked"
    """The tier may not use it, by its class or for want of a price."""
    CEILING = "ceiling"
    """A ceiling leaves no room for it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What questions are decided on: tiers, models with prices, ceilings, the price of metered use."""

    catalogue: Catalogue
    ceilings: Ceilings = NO_CEILINGS
    markup: Decimal = Decimal(0)


@dataclass(slots=True)
class Sum:
    """What some of the use came to."""

    turns: int = 0
    requests: int = 0
    cost: int = 0
    metered: int = 0
    """Of the cost, what members pay for by the meter."""
    members: set[AccountId] = field(default_factory=set)
    """Not told of models."""


@dataclass(slots=True)
class Side:
    """What the use came to under one set of rules."""

    tiers: defaultdict[TierName | None, Sum] = field(default_factory=lambda: defaultdict(Sum))
    """None: what the operator pays alone."""
    models: defaultdict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))

    @property
    def cost(self) -> Micros:
        """All of it."""
        return Micros(sum(each.cost for each in self.tiers.values()))

    def add(self, tier: TierName | None, account: AccountId | None, charges: Sequence[Charge]) -> Sum:
        """Count requests; what the tier came to."""
        whole = self.tiers[tier]
        for charge in charges:
            cost, model = charge.cost or 0, self.models[charge.model]
            whole.requests += 1
            whole.cost += cost
            model.requests += 1
            model.cost += cost
        if account:
            whole.members.add(account)
        return whole


@dataclass(slots=True)
class Effects:
    """What the rules would change for members."""

    blocked: defaultdict[RefusalReason, Counter[AccountId]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    """How often each would be refused, by limit."""
    stepped: Counter[AccountId] = field(default_factory=Counter)
    """How often a cheaper model would answer each, at a ceiling."""
    swaps: Counter[tuple[str, str, Swap]] = field(default_factory=Counter)
    """Recorded model, model instead, and why: how many turns."""


@dataclass(slots=True)
class Month:
    """What an account or team has used of one calendar month."""

    number: int = 0
    cost: int = 0
    lost: int = 0
    """Of the cost, what answers cost that never came."""
    metered: int = 0

    def at(self, number: int) -> Month:
        """Itself, empty if another month has begun."""
        if number != self.number:
            self.number, self.cost, self.lost, self.metered = number, 0, 0, 0
        return self


@dataclass(frozen=True, slots=True)
class Meter:
    """An account's word on metered use, the subscriptions that could carry it, and what the books say.

    The word is the last one, and an earlier one is not known any more: until the last use of a month that is
    in the books the meter was on, without a cap that we know.
    """

    mode: Mode
    said: Metering | None
    subscriptions: Sequence[Subscription]
    lasts: Mapping[int, datetime] = field(default_factory=dict)
    """When what was metered last in a month began, by `month_number`."""

    def on(self, at: datetime) -> bool:
        """Whether it was: by that word, or in the books."""
        last = self.lasts.get(month_number(at))
        return self.agreed(at) or (last is not None and at <= last)

    def agreed(self, at: datetime) -> bool:
        """Whether its last word held: agreed to, and paid for, not given."""
        said = self.said
        return said is not None and said.on and at >= said.agreed_at and self._carried(at)

    def budget(self, at: datetime, markup: Decimal) -> Micros:
        """The vendors' cost that its cap allows in a month."""
        return vendor_budget(self.said.cap, markup) if self.said and self.agreed(at) else UNBOUNDED

    def _carried(self, at: datetime) -> bool:
        return any(carries(at, sub) for sub in self.subscriptions)


def month_number(at: datetime) -> int:
    """One number for each calendar month."""
    return at.year * 12 + at.month


def carries(at: datetime, sub: Subscription) -> bool:
    """Whether a subscription had a bill for metered use then."""
    ended = sub.ended_at is not None and sub.ended_at <= at
    return sub.metered_item is not None and sub.started_at <= at and not ended


@dataclass(slots=True)
class Life:
    """What limits are counted on for one account."""

    day: date | None = None
    begun: int = 0
    """Conversations of that day."""
    recent: list[datetime] = field(default_factory=list)

    def today(self, at: datetime) -> int:
        """Conversations of the day of a moment."""
        return self.begun if self.day == at.date() else 0

    def facts(self, at: datetime, cost: int) -> UsageFacts:
        """The same as limits want it. How many answers are written at once is not known any more."""
        since = at - RATE_WINDOW
        while self.recent and self.recent[0] <= since:
            self.recent.pop(0)
        return UsageFacts(self.today(at), tuple(self.recent), 0, Micros(cost))

    def asked(self, at: datetime, begun: int) -> None:
        """One more question, that begins so many conversations."""
        self.begun = begun + self.today(at)
        self.day = at.date()
        self.recent.append(at)


class Books:
    """What is spent under one set of rules: by account or team and month, and by scope and period."""

    def __init__(self, rules: Rules, meters: Mapping[AccountId, Meter]) -> None:
        self.rules = rules
        self._meters = meters
        self._ceilings = by_scope(rules.ceilings)
        self._for_paying = {scope: most for scope, most in self._ceilings.items() if scope != FREE}
        self._months: defaultdict[str, Month] = defaultdict(Month)
        self._purses: Counter[tuple[Scope, int]] = Counter()

    def month(self, row: Recorded) -> Month:
        """Of whoever pays for a turn: the account, or its team."""
        whole = row.purse.partition("/")[0] if row.purse and for_team(row.purse) else str(row.account)
        return self._months[whole].at(month_number(row.began_at))

    def room(self, tier: Tier, at: datetime) -> Room:
        """What the ceilings of the house leave, as they are read by the chat."""
        free = tier.name is TierName.FREE
        binding = self._ceilings if free else self._for_paying
        if not binding:
            return Room({}, {}, free, at)
        spent = {scope: Micros(self._purses[scope, period(scope, at)]) for scope in binding}
        return Room(binding, {scope: Purse(each, NOTHING) for scope, each in spent.items()}, free, at)

    def allowance(self, tier: Tier, row: Recorded, month: Month) -> Allowance | None:
        """What metered use may still take of a month, where its member agreed to it."""
        account = row.account
        if account is None or (meter := self._meters.get(account)) is None:
            return None
        included, markup = tier.cost_ceiling_month, self.rules.markup
        sold = markup > 0 and tier.name is TierName.PRO and not tier.shared and included is not None
        if not (sold and meter.on(row.began_at)):
            return None
        budget = meter.budget(row.began_at, markup)
        terms = MeterTerms(account, meter.mode, included or NOTHING, budget, row.began_at)
        return Allowance(terms, Micros(month.cost), Micros(month.lost), Micros(month.metered))

    def spend(self, tier: Tier, row: Recorded, month: Month, charges: Sequence[Charge], held: int) -> int:
        """Count what a turn came to; what of it goes onto the meter's bill.

        `held` is what its question was let in for: one that the cap has no room for is not metered.
        """
        if self._ceilings:
            self.count(purse_of(tier, row), row.began_at, charges)
        allowance = self.allowance(tier, row, month)
        covered = allowance is not None and allowance.covers(Micros(month.cost + held))
        cost = cost_of(charges)
        month.cost += cost
        if row.state is TurnState.RELEASED:
            month.lost += cost
            return 0
        if allowance is None or not covered:
            return 0
        included, left = allowance.terms.included, allowance.terms.budget - month.metered
        after = month.cost - month.lost
        more = beyond(Micros(after), included) - beyond(Micros(after - cost), included)
        month.metered += (metered := max(0, min(more, left)))
        return metered

    def count(self, purse: Scope | None, at: datetime, charges: Sequence[Charge]) -> None:
        """Add to what has a ceiling."""
        for charge in charges:
            for scope in scopes(charge, purse):
                if scope in self._ceilings:
                    self._purses[scope, period(scope, at)] += charge.cost or 0


def cost_of(charges: Sequence[Charge]) -> int:
    """What requests cost together; most turns have one."""
    return (charges[0].cost or 0) if len(charges) == 1 else sum(charge.cost or 0 for charge in charges)


def purse_of(tier: Tier, row: Recorded) -> Scope | None:
    """Where a turn counts beside the bot and its vendors."""
    if for_team(row.purse):
        return row.purse
    return FREE if tier.name is TierName.FREE else None
