"""What was earned and what it cost, from counts and movements; pure and exact.

Recurring revenue is earned by the day: what accounts bring in a month at the end of a UTC day, divided by the
days of that month. Money stays a fraction until somebody shows it.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from engine.charts import (
    CostOfModel,
    CurrencyRevenue,
    Days,
    Margin,
    MarginOfDay,
    MarginOfTier,
    MarginPanel,
    RevenueOfDay,
    RevenuePanel,
    TierKey,
    TiersOfDay,
    Use,
)
from engine.churning import Churns
from engine.domain import AccountId, Micros, TierName
from engine.facts import Mode
from engine.figures import MovementKind
from engine.revenue import Moved
from engine.tallies import BALANCE, Amounts, Balance, Counted, Kind, RevenueDay, day_number, day_of

USD = "usd"
NOTHING = Fraction(0)
Standing = Mapping[TierName, tuple[int, Fraction]]
"""Accounts that pay, and what they bring in a month, by tier."""
Earned = Mapping[str, Fraction]
"""By currency."""


def days_in_month(day: date) -> int:
    """How many days its month has."""
    return monthrange(day.year, day.month)[1]


def standings(rows: Iterable[RevenueDay], currency: str, days: Days) -> tuple[Standing, Sequence[Standing]]:
    """How tiers stood before the first day, and at the end of each."""
    changes: defaultdict[date, list[RevenueDay]] = defaultdict(list)
    held: dict[TierName, tuple[int, Fraction]] = {}
    for row in rows:
        if row.kind == BALANCE and row.currency == currency:
            if row.day < days.first:
                apply(held, row)
            else:
                changes[row.day].append(row)
    opening, closings = dict(held), []
    for day in days.all:
        for row in changes.get(day, ()):
            apply(held, row)
        closings.append(dict(held))
    return opening, closings


def apply(held: dict[TierName, tuple[int, Fraction]], row: RevenueDay) -> None:
    """Let a tier gain or lose what a day's row says."""
    accounts, amount = held.get(row.tier, (0, NOTHING))
    held[row.tier] = accounts + row.times, amount + row.amount


def amount(standing: Standing) -> Fraction:
    """What all tiers bring in a month."""
    return sum((each for _, each in standing.values()), NOTHING)


def accounts(standing: Standing) -> int:
    """Accounts that pay, in all tiers."""
    return sum(count for count, _ in standing.values())


def revenue_panel(
    mode: Mode, days: Days, today: date, rows: Sequence[RevenueDay], churns: Churns
) -> RevenuePanel:
    """Everything about recurring revenue; `rows` are all up to today, `churns` those of the days."""
    others = sorted({row.currency for row in rows} - {USD})
    currencies = [currency_revenue(each, days, today, rows, churns) for each in (USD, *others)]
    return RevenuePanel(mode, tuple(currencies), churns.logos(paying(rows, days)))


def paying(rows: Iterable[RevenueDay], days: Days) -> int:
    """Accounts that paid before the first day."""
    return sum(row.times for row in rows if row.kind == BALANCE and row.day < days.first)


def currency_revenue(
    currency: str, days: Days, today: date, rows: Sequence[RevenueDay], churns: Churns
) -> CurrencyRevenue:
    """That of one currency."""
    opening, closings = standings(rows, currency, days)
    now = standings(rows, currency, Days(today, today))[1][0]
    moved: defaultdict[date, dict[MovementKind, Fraction]] = defaultdict(dict)
    for row in rows:
        if row.kind != BALANCE and row.currency == currency:
            kind = MovementKind(row.kind)
            moved[row.day][kind] = moved[row.day].get(kind, NOTHING) + row.amount
    found = tuple(
        RevenueOfDay(day, mrr := amount(held), moved.get(day, {}), mrr / days_in_month(day), accounts(held))
        for day, held in zip(days.all, closings, strict=True)
    )
    churn = churns.revenue(currency, amount(opening))
    by_tier = {tier: each for tier, (_, each) in now.items() if each}
    kinds = moved_by_kind(currency, days, rows)
    return CurrencyRevenue(currency, amount(opening), amount(now), by_tier, found, kinds, churn)


def moved_by_kind(currency: str, days: Days, rows: Iterable[RevenueDay]) -> tuple[Moved, ...]:
    """All movements of the days, by kind."""
    counts: Counter[str] = Counter()
    totals: defaultdict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        if row.currency == currency and days.first <= row.day <= days.last:
            counts[row.kind] += row.times
            totals[row.kind] += row.amount
    return tuple(Moved(kind, counts[kind], totals[kind]) for kind in MovementKind)


def tiers_by_day(
    days: Days, today: date, rows: Sequence[RevenueDay], changes: Sequence[Counted]
) -> tuple[TiersOfDay, tuple[TiersOfDay, ...]]:
    """Who pays and who has which tier, now and at the end of each day; both without free."""
    having: defaultdict[date, dict[TierName, int]] = defaultdict(dict)
    for key, amounts in changes:
        known = having[day_of(key.period)]
        known[TierName(key.tier)] = known.get(TierName(key.tier), 0) + amounts.times
    span = Days(days.first, max(days.last, today))
    currencies = {row.currency for row in rows} | {USD}
    paying = [standings(rows, each, span)[1] for each in currencies]
    held: dict[TierName, int] = defaultdict(int)
    for day in sorted(having):
        if day < days.first:
            add(held, having[day])
    found = []
    for number, day in enumerate(span.all):
        add(held, having.get(day, {}))
        counts: defaultdict[TierName, int] = defaultdict(int)
        for each in paying:
            add(counts, {tier: count for tier, (count, _) in each[number].items()})
        found.append(TiersOfDay(day, paid(counts), paid(held)))
    now = next(each for each in found if each.day == today)
    return now, tuple(found[: len(days.all)])


def add(counts: dict[TierName, int], more: Mapping[TierName, int]) -> None:
    """Add counts to others."""
    for tier, count in more.items():
        counts[tier] = counts.get(tier, 0) + count


def paid(counts: Mapping[TierName, int]) -> Mapping[TierName, int]:
    """Those of tiers that are bought, as far as there are any."""
    return {tier: counts[tier] for tier in TierName if tier is not TierName.FREE and counts.get(tier)}


def use_of(amounts: Amounts) -> Use:
    """Counted use, as it is shown."""
    return Use(
        amounts.times,
        amounts.turns,
        amounts.unpriced,
        amounts.input_tokens,
        amounts.output_tokens,
        Micros(amounts.cost),
    )


def tier_key(name: str) -> TierKey:
    """The tier of a count."""
    return TierName(name) if name else None


def margin_panel(
    mode: Mode, days: Days, rows: Sequence[RevenueDay], counts: Sequence[Counted], markup: Fraction
) -> MarginPanel:
    """What the days earned and cost; `counts` are those of USAGE and METERED."""
    by_day: defaultdict[date, Amounts] = defaultdict(Amounts)
    by_tier: defaultdict[TierKey, Amounts] = defaultdict(Amounts)
    by_model: defaultdict[tuple[str, str], Amounts] = defaultdict(Amounts)
    metered: defaultdict[date | TierKey, Fraction] = defaultdict(Fraction)
    for key, amounts in counts:
        day, tier = day_of(key.period), tier_key(key.tier)
        if key.kind is Kind.METERED:
            metered[day] += amounts.cost * markup
            metered[tier] += amounts.cost * markup
        else:
            by_day[day] += amounts
            by_tier[tier] += amounts
            by_model[key.provider, key.model] += amounts
    _, closings = standings(rows, USD, days)
    earned: defaultdict[TierKey, Fraction] = defaultdict(Fraction)
    found = []
    for day, held in zip(days.all, closings, strict=True):
        for tier, (_, each) in held.items():
            earned[tier] += each / days_in_month(day)
        recognised = amount(held) / days_in_month(day)
        found.append(MarginOfDay(day, Margin(recognised, metered[day], use_of(by_day[day]))))
    tiers = tuple(
        MarginOfTier(tier, Margin(earned[tier], metered[tier], use_of(by_tier[tier])))
        for tier in (*TierName, None)
        if earned[tier] or metered[tier] or by_tier[tier] != Amounts()
    )
    return MarginPanel(mode, whole(found), tuple(found), tiers, models(by_model))


def whole(days: Sequence[MarginOfDay]) -> Margin:
    """All days together."""
    uses = [each.margin.use for each in days]
    use = Use(
        sum(each.requests for each in uses),
        sum(each.turns for each in uses),
        sum(each.unpriced for each in uses),
        sum(each.input_tokens for each in uses),
        sum(each.output_tokens for each in uses),
        Micros(sum(each.cost for each in uses)),
    )
    recurring = sum((each.margin.recurring for each in days), NOTHING)
    return Margin(recurring, sum((each.margin.metered for each in days), NOTHING), use)


def models(by_model: Mapping[tuple[str, str], Amounts]) -> tuple[CostOfModel, ...]:
    """Models by what they cost, the dearest first."""
    found = [CostOfModel(*names, use_of(amounts)) for names, amounts in by_model.items()]
    return tuple(
        sorted(found, key=lambda each: (-each.use.cost, -each.use.requests, each.provider, each.model))
    )


def earned_by_account(balances: Iterable[Balance], days: Days) -> Mapping[AccountId, Earned]:
    """What each account's MRR earned on days of one month; accounts that earned nothing are left out.

    `balances` are by account, oldest first, and those after the days may be among them.
    """
    month, first, end = days_in_month(days.first), day_number(days.first), day_number(days.last) + 1
    found: defaultdict[AccountId, dict[str, Fraction]] = defaultdict(dict)
    for each, after in pairwise((*balances, None)):
        until = after.day if after and each and after.account == each.account else end
        if each and each.mrr and (length := min(end, until) - max(first, each.day)) > 0:
            of, earned = found[each.account], part(*each.mrr.as_integer_ratio(), length, month)
            known = of.get(each.currency)
            of[each.currency] = known + earned if known else earned
    return found


@lru_cache(maxsize=4096)
def part(numerator: int, denominator: int, length: int, month: int) -> Fraction:
    """What so many days of a month earn of an MRR; there are few prices, and numbers are found sooner."""
    return Fraction(numerator * length, denominator * month)
