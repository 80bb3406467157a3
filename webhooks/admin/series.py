"""What several pages draw: the same charts with the same colours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from engine.charts import ConversationsOfDay, CostOfModel, CurrencyRevenue, MarginPanel, TierKey, TiersOfDay
from engine.domain import TierName
from engine.figures import STEPS, MovementKind
from engine.reports import FunnelRow
from webhooks.admin.parts import Chart, Series, Shape
from webhooks.admin.units import Unit, Value, as_money

TONES = ("one", "two", "three", "four", "five", "six", "seven", "eight")
"""Colours for what has none of its own, such as models."""
MOST_BARS = 8
PAID = (TierName.PREMIUM, TierName.TEAM, TierName.PRO)
MOVEMENTS = (
    MovementKind.NEW,
    MovementKind.EXPANSION,
    MovementKind.REACTIVATION,
    MovementKind.CONTRACTION,
    MovementKind.CHURN,
)


def day_words(day: date) -> str:
    """A day as an axis names it."""
    return f"{day:%b} {day.day}"


def hour_words(at: datetime) -> str:
    """An hour as an axis names it."""
    return f"{at:%b} {at.day}, {at:%H:%M}"


def hours_between(hours: Collection[datetime]) -> list[datetime]:
    """Every hour from the first to the last, so that an axis of them is even."""
    if not hours:
        return []
    first, hour = min(hours), timedelta(hours=1)
    return [first + each * hour for each in range((max(hours) - first) // hour + 1)]


def millis(span: timedelta | None) -> Value:
    """Milliseconds, or nothing."""
    return None if span is None else span / timedelta(milliseconds=1)


def tier_words(tier: TierKey) -> str:
    """A tier's name; what no tier asked for is the house's own."""
    return tier.title() if tier else "No tier"


def tone_of(tier: TierKey) -> str:
    """A tier's colour."""
    return tier.value if tier else "eight"


def revenue_chart(revenue: CurrencyRevenue, *, wide: bool = True) -> Chart:
    """MRR by day, and above and below the line what moved it."""
    days = revenue.days
    series = [
        Series(kind.title(), [each.moved.get(kind, Fraction(0)) for each in days], kind.value)
        for kind in MOVEMENTS
    ]
    says = (
        f"MRR was {as_money(revenue.opening)} before these days and {as_money(revenue.closing)} after them."
    )
    return Chart(
        "mrr",
        "MRR and what moved it",
        says,
        "Day",
        [day_words(each.day) for each in days],
        [
            *series,
            Series(
                "MRR (axis at the right)", [each.mrr for each in days], "line", shape=Shape.LINES, right=True
            ),
        ],
        Unit.MONEY,
        stacked=True,
        wide=wide,
        empty="Nobody has paid yet. The first payment begins this line.",
    )


def tiers_chart(days: Sequence[TiersOfDay]) -> Chart:
    """Those who bring in money, by tier."""
    last = days[-1].paying if days else {}
    told = ", ".join(f"{last.get(tier, 0)} {tier}" for tier in PAID)
    return Chart(
        "tiers",
        "Paying members by tier",
        f"On the last day these pay: {told}.",
        "Day",
        [day_words(each.day) for each in days],
        [Series(tier.title(), [each.paying.get(tier, 0) for each in days], tier.value) for tier in PAID],
        Unit.COUNT,
        Shape.AREA,
        stacked=True,
        empty="Nobody pays yet.",
    )


def conversations_chart(days: Sequence[ConversationsOfDay]) -> Chart:
    """Conversations by the tier with which they began."""
    tiers: list[TierKey] = [*TierName]
    if any(each.by_tier.get(None) for each in days):
        tiers.append(None)
    total = sum(each.total for each in days)
    return Chart(
        "conversations",
        "Conversations by tier",
        f"{total:,} conversations in {len(days)} days.",
        "Day",
        [day_words(each.day) for each in days],
        [
            Series(tier_words(tier), [each.by_tier.get(tier, 0) for each in days], tone_of(tier))
            for tier in tiers
        ],
        Unit.COUNT,
        stacked=True,
        empty="Nobody has asked anything in these days.",
    )


def margin_chart(panel: MarginPanel, *, wide: bool = False) -> Chart:
    """What each day earned, cost and left."""
    days, total = panel.days, panel.total
    says = (
        f"Earned {as_money(total.revenue)}, paid {as_money(total.use.cost)} to vendors, "
        f"{as_money(total.margin)} are left."
    )
    return Chart(
        "margin",
        "Revenue, cost and margin by day",
        says,
        "Day",
        [day_words(each.day) for each in days],
        [
            Series("Revenue", [each.margin.revenue for each in days], "revenue"),
            Series("Vendor cost", [each.margin.use.cost for each in days], "cost"),
            Series("Margin", [each.margin.margin for each in days], "margin", shape=Shape.LINES),
        ],
        Unit.MONEY,
        wide=wide,
        empty="Nothing was earned or spent in these days.",
    )


def funnel_chart(rows: Sequence[FunnelRow]) -> Chart:
    """How many accounts came to each step, and what part of the step before that is."""
    first, last = rows[0].accounts if rows else 0, rows[-2].accounts if len(rows) > 1 else 0
    rates: list[Value] = [each.rate for each in rows]
    return Chart(
        "funnel",
        "From a limit to a paid tier",
        f"{first:,} accounts hit a limit for the first time, {last:,} got a paid tier.",
        "Step",
        [STEPS[each.step].capitalize() for each in rows],
        [
            Series("Accounts", [each.accounts for each in rows], "soft"),
            Series("Of the step before", rates, "soft", Unit.SHARE, Shape.TOLD),
        ],
        Unit.COUNT,
        Shape.ACROSS,
        empty="Nobody came to a limit in these days.",
    )


def models_chart(models: Sequence[CostOfModel]) -> Chart:
    """The dearest models."""
    dearest = models if len(models) <= MOST_BARS + 1 else models[:MOST_BARS]
    costs: list[Value] = [each.use.cost for each in dearest]
    names = [each.model for each in dearest]
    if rest := models[len(dearest) :]:
        names.append(f"{len(rest)} others")
        costs.append(sum(each.use.cost for each in rest))
    says = f"{names[0]} costs most: {as_money(costs[0])}." if names else "No model was asked."
    return Chart(
        "models",
        "Cost by model",
        says,
        "Model",
        names,
        [Series("Vendor cost", costs, "cost")],
        Unit.MONEY,
        Shape.ACROSS,
        empty="No vendor has charged anything in these days.",
    )
