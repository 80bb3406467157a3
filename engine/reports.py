"""The operator's figures: recurring revenue and its movements, churn, funnel, tiers, metered use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from engine.applying import PAYING
from engine.catalogue import Wares, access, bought
from engine.domain import AccountId, TierName
from engine.facts import Access, AccessReason, Claims, DisputeStage, Mode, Subscription
from engine.figures import FunnelStep, Movement
from engine.ledger import Tx
from engine.pauses import Pause
from engine.ports import Clock, Store
from engine.revenue import (
    LogoChurn,
    Moved,
    RevenueChurn,
    Span,
    Tally,
    logo_churn,
    paying,
    revenue_churn,
    share,
    total,
)
from engine.screening import Finding
from engine.sealing import UNIT
from engine.teams import access_of

PAGE = 500
TRAILING = timedelta(days=30)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Revenue:
    """Recurring revenue of one currency: exact micro-dollars (or their like) a month, without tax and use."""

    currency: str
    opening: Fraction
    """At the beginning of the span."""
    closing: Fraction
    """At its end: the opening and all movements."""
    mrr: Fraction
    """Now."""
    committed: Fraction
    """Now, without what is going to be cancelled."""
    pipeline: Fraction
    """What trials will bring if they go on."""
    at_risk: Fraction
    """The part of the MRR whose payment is failing."""
    unrecorded: Fraction
    """What subscriptions say beyond the movements; 0 but for a moment."""
    movements: tuple[Moved, ...]
    paying: int
    """Accounts that bring in money now."""
    churn: RevenueChurn

    @property
    def arpu(self) -> Fraction | None:
        """Average revenue of a paying account."""
        return share(self.mrr, self.paying)


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """Accounts that came to a step for the first time in the span, as a share of the step before."""

    step: FunnelStep
    accounts: int
    rate: Fraction | None


@dataclass(frozen=True, slots=True)
class SubscriptionStats:
    """Everything at a glance, of one mode; modes never mix."""

    mode: Mode
    span: Span
    now: datetime
    revenues: tuple[Revenue, ...]
    """By currency; at least US dollars."""
    churn: LogoChurn
    funnel: tuple[FunnelRow, ...]
    time_to_upgrade: timedelta | None
    """Median from the first limit hit to a paid tier, of those who came there in the span."""
    tiers: Mapping[TierName, int]
    """Accounts by the tier they have now, by a seat, a grant or their own, lowest first."""
    trials: int
    past_due: int
    disputed: int
    """Accounts with an open dispute."""
    granted: int
    """Accounts that have their tier by a grant alone: they bring no revenue."""
    usage_revenue: Fraction
    """Micro-dollars of metered use reported in the trailing 30 days."""
    looks: Mapping[Finding, int]
    """What came of looking at questions, instructions and personas, in all modes."""
    pauses: Sequence[Pause] = ()
    """What is paused now."""


@dataclass(frozen=True, slots=True)
class Holding:
    """An account's access now."""

    access: Access
    claims: Claims


class Reports:
    """Reads the figures page by page, at any size of the books."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        wares: Wares,
        mode: Mode = Mode.LIVE,
        markup: Decimal = Decimal(0),
    ) -> None:
        """`markup` is what 1 USD of metered vendor cost is sold for."""
        self._store = store
        self._clock = clock
        self._wares = wares
        self._mode = mode
        self._markup = markup

    async def get_subscription_stats(self, since: datetime, until: datetime) -> SubscriptionStats:
        """All figures; movements, churn and funnel are those of `since <= time < until`."""
        span, now, mode = Span(since, until), self._clock.now(), self._mode
        tally = await self._tally(span)
        holdings, given = await self._holdings(now), await self._given(now)

        def work(tx: Tx) -> SubscriptionStats:
            tiers = Counter(each.access.tier for each in holdings)
            for own, found in given:
                tiers[own] -= 1
                tiers[found.tier] += 1
            tiers[TierName.FREE] = tx.count_accounts() - sum(
                count for tier, count in tiers.items() if tier is not TierName.FREE
            )
            units = tx.usage_revenue_units(mode, now - TRAILING, now + INSTANT)
            return SubscriptionStats(
                mode=mode,
                span=span,
                now=now,
                revenues=revenues(tally, holdings),
                churn=logo_churn(tally),
                funnel=funnel(tx.reached(mode, since, until)),
                time_to_upgrade=median(
                    tx.journeys(mode, FunnelStep.LIMIT_HIT, FunnelStep.ACTIVATED, since, until)
                ),
                tiers={tier.name: tiers[tier.name] for tier in self._wares.today.ranked()},
                trials=counted(holdings, AccessReason.TRIAL),
                past_due=counted(holdings, AccessReason.GRACE),
                granted=sum(found.reason is AccessReason.GRANTED for _, found in given),
                disputed=sum(each.claims.has(DisputeStage.OPEN) for each in holdings),
                usage_revenue=units * UNIT * Fraction(self._markup),
                looks=tx.looks(since, until),
                pauses=tx.pauses(now),
            )

        return await self._store.read(work)

    async def _tally(self, span: Span) -> Tally:
        tally, mode = Tally(span), self._mode
        after: tuple[datetime, AccountId, int] | None = None
        while True:
            page = await self._movements(mode, after)
            tally.add(page)
            if len(page) < PAGE:
                return tally
            after = page[-1].at, page[-1].account, page[-1].number

    async def _movements(
        self, mode: Mode, after: tuple[datetime, AccountId, int] | None
    ) -> Sequence[Movement]:
        return await self._store.read(lambda tx: tx.movements(mode, after, PAGE))

    async def _holdings(self, now: datetime) -> Sequence[Holding]:
        """The access of every account that has or had a subscription."""
        known: defaultdict[AccountId, list[Subscription]] = defaultdict(list)
        after = ""
        while page := await self._subscriptions(after):
            for account, sub in page:
                known[account].append(sub)
            after = page[-1][1].id
        accounts = list(known)
        found: list[Holding] = []
        for start in range(0, len(accounts), PAGE):
            claims = await self._claims(accounts[start : start + PAGE])
            found += [Holding(access(known[account], now, its), its) for account, its in claims]
        return found

    async def _given(self, now: datetime) -> Sequence[tuple[TierName, Access]]:
        """What each account with a seat or a grant has of its own, and what it has all in all."""
        mode, catalogue = self._mode, self._wares.today

        def read(tx: Tx, accounts: Sequence[AccountId]) -> Iterable[tuple[AccountId, TierName, Access]]:
            return [
                (each, bought(tx.holdings(each, mode), now).tier, access_of(tx, catalogue, each, mode, now))
                for each in accounts
            ]

        pages: tuple[Callable[[Tx, str], Sequence[AccountId]], ...] = (
            lambda tx, after: tx.seated(mode, after, PAGE),
            lambda tx, after: tx.granted_accounts(mode, now, after, PAGE),
        )
        found: dict[AccountId, tuple[TierName, Access]] = {}
        for page in pages:
            after = ""
            while rows := await self._store.read(lambda tx: read(tx, page(tx, after))):  # noqa: B023 - run before
                after = max(account for account, _, _ in rows)
                found.update((account, (own, access)) for account, own, access in rows)
        return list(found.values())

    async def _subscriptions(self, after: str) -> Sequence[tuple[AccountId, Subscription]]:
        return await self._store.read(lambda tx: tx.known_subscriptions(self._mode, after, PAGE))

    async def _claims(self, accounts: Sequence[AccountId]) -> Sequence[tuple[AccountId, Claims]]:
        return await self._store.read(lambda tx: [(each, tx.claims(each, self._mode)) for each in accounts])


def revenues(tally: Tally, holdings: Sequence[Holding]) -> tuple[Revenue, ...]:
    """The revenue of every currency that there is, and of US dollars."""
    named = {currency for _, currency in tally.present} | {each.currency for each in selling(holdings)}
    return tuple(revenue(tally, holdings, currency) for currency in sorted({*named, "usd"}))


def revenue(tally: Tally, holdings: Sequence[Holding], currency: str) -> Revenue:
    """What movements and subscriptions say of one currency."""
    own = [each for each in holdings if (sub := each.access.subscription) and sub.currency == currency]
    lasting = [each for each in own if (sub := each.access.subscription) and sub.cancel_at is None]
    mrr = total(tally.present, currency)
    return Revenue(
        currency=currency,
        opening=total(tally.opening, currency),
        closing=total(tally.closing, currency),
        mrr=mrr,
        committed=brought(lasting, PAYING),
        pipeline=brought(lasting, {AccessReason.TRIAL}),
        at_risk=brought(own, {AccessReason.GRACE}),
        unrecorded=brought(own, PAYING) - mrr,
        movements=tally.moved(currency),
        paying=len(paying(tally.present, currency)),
        churn=revenue_churn(tally, currency),
    )


def selling(holdings: Sequence[Holding]) -> Sequence[Subscription]:
    """The subscriptions that decide about an access that pays or may come to pay."""
    reasons = {*PAYING, AccessReason.TRIAL}
    return [
        each.access.subscription
        for each in holdings
        if each.access.subscription and each.access.reason in reasons
    ]


def brought(holdings: Sequence[Holding], reasons: frozenset[AccessReason] | set[AccessReason]) -> Fraction:
    """What subscriptions bring a month where the access has one of these reasons."""
    subs = (each.access.subscription for each in holdings if each.access.reason in reasons)
    return sum((sub.mrr for sub in subs if sub), Fraction(0))


def counted(holdings: Sequence[Holding], reason: AccessReason) -> int:
    """Accounts whose access has that reason."""
    return sum(each.access.reason is reason for each in holdings)


def funnel(reached: Sequence[tuple[FunnelStep, int]]) -> tuple[FunnelRow, ...]:
    """Every step in order, with its share of the one before."""
    counts = dict(reached)
    rows, before = [], 0
    for step in FunnelStep:
        accounts = counts.get(step, 0)
        rows.append(FunnelRow(step, accounts, share(accounts, before)))
        before = accounts
    return tuple(rows)


def median(durations: Sequence[timedelta]) -> timedelta | None:
    """The middle of sorted durations, or the mean of the two in the middle."""
    if not durations:
        return None
    half = len(durations) // 2
    return (durations[half] + durations[-half - 1]) / 2


def last_days(days: int, now: datetime) -> tuple[datetime, datetime]:
    """The span of so many days that ends with this very moment."""
    return now - timedelta(days=days), now + INSTANT


def month(name: str) -> tuple[datetime, datetime]:
    """The span of a UTC month named like `2026-10`; ValueError for another name."""
    try:
        start = datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        message = f"{name!r} is not a month; write one like 2026-10"
        raise ValueError(message) from error
    return start, (start + timedelta(days=32)).replace(day=1)
