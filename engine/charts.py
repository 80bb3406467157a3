"""The figures of the operator's dashboard, as values: what its pages show, and no more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from engine.domain import AccountId, Micros, Person, TierName
from engine.facts import Mode
from engine.figures import MovementKind
from engine.gauges import BacklogSize, LimitLine, VendorsPanel, WebhooksPanel
from engine.pauses import Pause
from engine.reports import FunnelRow
from engine.revenue import LogoChurn, Moved, RevenueChurn

DAY = timedelta(days=1)
NO_MONEY = Micros(0)
TierKey = TierName | None
"""None: nobody noted the tier, or the house itself paid for it (a summary)."""


@dataclass(frozen=True, slots=True)
class Days:
    """UTC days, from the first to the last, both among them."""

    first: date
    last: date

    @classmethod
    def back(cls, days: int, now: datetime) -> Days:
        """So many days, today the last of them."""
        today = now.astimezone(UTC).date()
        return cls(today - DAY * (days - 1), today)

    @property
    def all(self) -> tuple[date, ...]:
        """Each of them."""
        return tuple(self.first + DAY * number for number in range((self.last - self.first).days + 1))

    @property
    def since(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first moment after them."""
        return datetime.combine(self.last + DAY, time(), UTC)

    @property
    def before(self) -> Days:
        """As many days before them."""
        last = self.first - DAY
        return Days(last - (self.last - self.first), last)


@dataclass(frozen=True, slots=True)
class RevenueOfDay:
    """Micro-dollars (or their like) of one currency."""

    day: date
    mrr: Fraction
    """A month, at the end of the day, or now."""
    moved: Mapping[MovementKind, Fraction]
    """What moved it on that day; contraction and churn are negative."""
    recognised: Fraction
    """What this day earned of it: the MRR divided by the days of the month."""
    paying: int


@dataclass(frozen=True, slots=True)
class CurrencyRevenue:
    """Recurring revenue of one currency."""

    currency: str
    opening: Fraction
    """MRR before the first day."""
    mrr: Fraction
    """Now."""
    by_tier: Mapping[TierName, Fraction]
    """MRR now."""
    days: tuple[RevenueOfDay, ...]
    moved: tuple[Moved, ...]
    """All movements of the days by kind."""
    churn: RevenueChurn

    @property
    def closing(self) -> Fraction:
        """MRR at the end of the last day, which is today's unless the days are over."""
        return self.days[-1].mrr if self.days else self.mrr


@dataclass(frozen=True, slots=True)
class RevenuePanel:
    """US dollars first, then every other currency that there is."""

    mode: Mode
    currencies: tuple[CurrencyRevenue, ...]
    churn: LogoChurn

    @property
    def usd(self) -> CurrencyRevenue:
        """That of US dollars."""
        return self.currencies[0]


@dataclass(frozen=True, slots=True)
class TiersOfDay:
    """Accounts by tier at the end of a day, or now; without those that are free."""

    day: date
    paying: Mapping[TierName, int]
    """Those that bring in money."""
    having: Mapping[TierName, int]
    """Those that have the tier by a subscription of their own, as it was recorded; a trial too."""


@dataclass(frozen=True, slots=True)
class TiersPanel:
    """Who pays."""

    now: TiersOfDay
    accounts: int
    """All that were ever seen, free ones too."""
    days: tuple[TiersOfDay, ...]


@dataclass(frozen=True, slots=True)
class ConversationsOfDay:
    """Conversations that count, by the tier with which they began."""

    day: date
    by_tier: Mapping[TierKey, int]

    @property
    def total(self) -> int:
        """Of all tiers."""
        return sum(self.by_tier.values())


@dataclass(frozen=True, slots=True)
class Use:
    """Requests to vendors and what they cost."""

    requests: int = 0
    turns: int = 0
    """Answers that members got."""
    unpriced: int = 0
    """Requests to models without a price: their cost is not known, and not in `cost`."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Micros = NO_MONEY


@dataclass(frozen=True, slots=True)
class Margin:
    """US micro-dollars: what was earned, and what vendors charged for it."""

    recurring: Fraction
    """The MRR's part of the days."""
    metered: Fraction
    """Metered use at its markup."""
    use: Use

    @property
    def revenue(self) -> Fraction:
        """All that was earned."""
        return self.recurring + self.metered

    @property
    def margin(self) -> Fraction:
        """What is left of it; negative for a loss."""
        return self.revenue - self.use.cost

    @property
    def share(self) -> Fraction | None:
        """What is left, as a part of what was earned; None where nothing was."""
        return self.margin / self.revenue if self.revenue else None


@dataclass(frozen=True, slots=True)
class MarginOfDay:
    """That of one day."""

    day: date
    margin: Margin


@dataclass(frozen=True, slots=True)
class MarginOfTier:
    """Revenue by the tier that is paid for, cost by the tier that asked."""

    tier: TierKey
    margin: Margin


@dataclass(frozen=True, slots=True)
class CostOfModel:
    """A model's use. A tier buys all its models, so no revenue is any one model's."""

    provider: str
    model: str
    use: Use

    @property
    def per_turn(self) -> Fraction | None:
        """Micro-dollars for an answer; None without any."""
        return Fraction(self.use.cost, self.use.turns) if self.use.turns else None


@dataclass(frozen=True, slots=True)
class MarginPanel:
    """What the days earned and cost; the sums over days, tiers and models are the same."""

    mode: Mode
    total: Margin
    days: tuple[MarginOfDay, ...]
    tiers: tuple[MarginOfTier, ...]
    models: tuple[CostOfModel, ...]
    """The dearest first."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member in one UTC month; what a seat in a team costs is its owner's."""

    account: AccountId
    person: Person | None
    """None: erased."""
    tier: TierName
    """That there is now."""
    seen_at: datetime | None
    requests: int
    cost: Micros
    recurring: Fraction
    metered: Fraction
    others: Mapping[str, Fraction]
    """Recurring revenue of other currencies than US dollars, which is in no margin."""

    @property
    def revenue(self) -> Fraction:
        """US micro-dollars; most members never paid, and sums of fractions are slow."""
        return self.recurring + self.metered if self.metered else self.recurring

    @property
    def margin(self) -> Fraction:
        """What is left of it; negative for a loss."""
        return self.revenue - self.cost if self.revenue else Fraction(-self.cost)


@dataclass(frozen=True, slots=True)
class MembersPage:
    """A page of members that cost or brought in something in a month, or of those that were searched for."""

    month: date
    """Its first day."""
    rows: tuple[MemberRow, ...]
    total: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Past:
    """The days before, as far as the first view compares with them."""

    churn: LogoChurn
    conversations: int
    margin: Margin


@dataclass(frozen=True, slots=True)
class Overview:
    """The first view: everything at a glance, of one moment."""

    mode: Mode
    now: datetime
    days: Days
    revenue: RevenuePanel
    tiers: TiersPanel
    funnel: tuple[FunnelRow, ...]
    conversations: tuple[ConversationsOfDay, ...]
    margin: MarginPanel
    past: Past
    worst: tuple[MemberRow, ...]
    """This month's worst members."""
    vendors: VendorsPanel
    """Of the last 24 hours."""
    webhooks: WebhooksPanel
    limits: tuple[LimitLine, ...]
    backlog: BacklogSize
    pauses: tuple[Pause, ...]
