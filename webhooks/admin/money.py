"""The page of money: recurring revenue and what moved it, what was earned, spent and left."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from engine.charts import CurrencyRevenue, Margin, MarginPanel, RevenuePanel
from engine.figures import MovementKind
from engine.panels import Panels
from webhooks.admin.asked import Asked
from webhooks.admin.parts import Chart, Figure, Figures, Part, Series, Shape, change
from webhooks.admin.series import (
    MOVEMENTS,
    PAID,
    day_words,
    margin_chart,
    revenue_chart,
    tier_words,
)
from webhooks.admin.tables import Cells, Column, Listed, Row, Table, narrowing
from webhooks.admin.units import Unit, Value, as_money, as_share, plain

WHAT = {
    MovementKind.NEW: "New: pays for the first time",
    MovementKind.EXPANSION: "Expansion: pays more",
    MovementKind.REACTIVATION: "Reactivation: came back",
    MovementKind.CONTRACTION: "Contraction: pays less",
    MovementKind.CHURN: "Churn: pays no longer",
}
MARGIN = (
    Column("margin", "Margin", Unit.MONEY),
    Column("share", "Of revenue", Unit.SHARE),
    Column("revenue", "Revenue", Unit.MONEY),
    Column("cost", "Vendor cost", Unit.MONEY),
    Column("recurring", "Recurring", Unit.MONEY, about="The part of the MRR that these days earned"),
    Column("metered", "Metered", Unit.MONEY),
    Column("requests", "Requests", Unit.COUNT),
)


class Money:
    """Builds the page."""

    def __init__(self, panels: Panels) -> None:
        self._panels = panels

    async def build(self, asked: Asked) -> Sequence[Part]:
        """Revenue first, then what it cost."""
        days, before = asked.days, asked.days.before
        revenue, margin = await self._panels.revenue(days), await self._panels.margin(days)
        past = await self._panels.revenue(before), await self._panels.margin(before)
        compared = f"Changes are against the {len(before.all)} days before."
        return [
            Figures("numbers", "Money in short", numbers(revenue, margin, *past), compared),
            revenue_chart(revenue.usd),
            lost_and_won(revenue.usd),
            tier_revenue(revenue.usd),
            movements(revenue.usd),
            churn(revenue),
            margin_chart(margin, wide=True),
            margin_by_tier(margin),
            margin_by_day(margin),
            *([other_currencies(revenue)] if len(revenue.currencies) > 1 else ()),
        ]


def numbers(
    revenue: RevenuePanel, margin: MarginPanel, revenue_before: RevenuePanel, margin_before: MarginPanel
) -> list[Figure]:
    """Eight numbers with their changes."""
    usd = revenue.usd
    paying = usd.days[-1].paying if usd.days else 0
    each = usd.closing / paying if paying else None
    return [
        Figure(
            "MRR",
            as_money(usd.closing),
            f"{paying:,} paying, {as_money(each)} each",
            *change(usd.closing, usd.opening),
            [plain(day.mrr, Unit.MONEY) or 0.0 for day in usd.days],
        ),
        *left(margin, margin_before),
        *gone(revenue, revenue_before),
        Figure("A year at this MRR", as_money(usd.closing * 12), "twelve times the MRR"),
    ]


def left(panel: MarginPanel, past: MarginPanel) -> list[Figure]:
    """What was earned, what it cost, and what is left of it."""
    now, before = panel.total, past.total
    cost = change(now.use.cost, before.use.cost, good_up=False)
    return [
        Figure("Revenue", as_money(now.revenue), metered(now), *change(now.revenue, before.revenue)),
        Figure("Vendor cost", as_money(now.use.cost), unpriced(now), *cost),
        Figure("Margin", as_money(now.margin), part_of_revenue(now), *change(now.margin, before.margin)),
    ]


def gone(revenue: RevenuePanel, past: RevenuePanel) -> list[Figure]:
    """Who and what was lost."""
    now, before = revenue.usd.churn, past.usd.churn
    accounts = change(revenue.churn.rate, past.churn.rate, good_up=False)
    gross, net = change(now.gross, before.gross, good_up=False), change(now.net, before.net, good_up=False)
    return [
        Figure("Members lost", as_share(revenue.churn.rate), lost(revenue), *accounts),
        Figure("Revenue lost, gross", as_share(now.gross), "of the MRR at the beginning", *gross),
        Figure("Revenue lost, net", as_share(now.net), "negative: growth outweighs it", *net),
    ]


def lost(revenue: RevenuePanel) -> str:
    """Who left, and why."""
    churned = revenue.churn
    return f"{churned.lost:,} of {churned.opening:,}: {churned.voluntary:,} by choice"


def metered(margin: Margin) -> str:
    """How much of the revenue is metered use."""
    return f"{as_money(margin.metered)} of it metered"


def unpriced(margin: Margin) -> str:
    """What is not in the cost."""
    return (
        f"without {margin.use.unpriced:,} unpriced requests"
        if margin.use.unpriced
        else f"{margin.use.requests:,} requests"
    )


def part_of_revenue(margin: Margin) -> str:
    """What is left as a part of what was earned."""
    return "nothing was earned" if margin.share is None else f"{as_share(margin.share)} of revenue"


def lost_and_won(usd: CurrencyRevenue) -> Chart:
    """What came and what went, day by day."""
    won = (MovementKind.NEW, MovementKind.EXPANSION, MovementKind.REACTIVATION)
    gone = (MovementKind.CONTRACTION, MovementKind.CHURN)
    days = usd.days

    def summed(kinds: Sequence[MovementKind]) -> list[Value]:
        return [sum((day.moved.get(kind, Fraction(0)) for kind in kinds), Fraction(0)) for day in days]

    came = sum((each.total for each in usd.moved if each.kind in won), Fraction(0))
    went = sum((each.total for each in usd.moved if each.kind in gone), Fraction(0))
    return Chart(
        "won",
        "Won and lost",
        f"{as_money(came)} of MRR were won and {as_money(-went)} were lost.",
        "Day",
        [day_words(each.day) for each in days],
        [Series("Won", summed(won), "new"), Series("Lost", summed(gone), "churn")],
        Unit.MONEY,
        stacked=True,
        empty="Nothing moved in these days.",
    )


def tier_revenue(usd: CurrencyRevenue) -> Chart:
    """MRR by tier, now."""
    tiers = [tier for tier in PAID if usd.by_tier.get(tier)]
    told = ", ".join(f"{tier} {as_money(usd.by_tier[tier])}" for tier in tiers)
    return Chart(
        "by-tier",
        "MRR by tier, now",
        f"{told or 'No tier'} a month.",
        "Tier",
        [tier_words(each) for each in tiers],
        [Series("MRR", [usd.by_tier[tier] for tier in tiers], "soft")],
        Unit.MONEY,
        Shape.ACROSS,
        empty="Nobody pays yet.",
    )


def movements(usd: CurrencyRevenue) -> Table:
    """What moved the MRR, by kind."""
    found = {each.kind: each for each in usd.moved}
    rows = [
        Row(kind.value, {"kind": WHAT[kind], "count": found[kind].count, "total": found[kind].total})
        for kind in MOVEMENTS
        if kind in found and found[kind].count
    ]
    columns = (
        Column("kind", "What moved it"),
        Column("count", "Times", Unit.COUNT),
        Column("total", "MRR", Unit.MONEY),
    )
    empty = "Nothing moved in these days."
    return Table("movements", "Movements", columns, Listed(rows), empty=empty, wide=False)


def churn(revenue: RevenuePanel) -> Table:
    """Who left, by choice or not."""
    logo, money = revenue.churn, revenue.usd.churn
    rows: list[tuple[str, int | None, Fraction | int]] = [
        ("At the beginning", logo.opening, money.opening),
        ("Lost by choice", logo.voluntary, money.lost_willing),
        ("Lost to failed or disputed payments", logo.involuntary, money.lost_unwilling),
        ("Stayed and pays less", None, money.reduced),
        ("Stayed and pays more", None, money.grown),
    ]
    columns = (
        Column("what", "Members at the beginning"),
        Column("accounts", "Accounts", Unit.COUNT),
        Column("mrr", "MRR", Unit.MONEY),
    )
    listed = [Row(what, {"what": what, "accounts": accounts, "mrr": mrr}) for what, accounts, mrr in rows]
    return Table(
        "churn",
        "Churn",
        columns,
        Listed(listed if logo.opening else []),
        empty="Nobody paid when these days began.",
        wide=False,
    )


def margin_cells(margin: Margin) -> Cells:
    """What is told of a day or a tier."""
    return {
        "revenue": margin.revenue,
        "recurring": margin.recurring,
        "metered": margin.metered,
        "cost": margin.use.cost,
        "margin": margin.margin,
        "share": margin.share,
        "requests": margin.use.requests,
    }


def margin_by_tier(panel: MarginPanel) -> Table:
    """Revenue by the tier that is paid for, cost by the tier that asked."""
    rows = [
        Row(
            tier_words(each.tier),
            {"tier": tier_words(each.tier), **margin_cells(each.margin)},
            loss(each.margin),
        )
        for each in panel.tiers
    ]
    return Table(
        "tiers",
        "Margin by tier",
        (Column("tier", "Tier"), *MARGIN),
        Listed(rows, ("tier",)),
        sort="margin",
        search=narrowing("Find a tier", rows),
        about="Revenue of the tier that is paid for, cost of the tier that asked. The worst first.",
        empty="Nothing was earned or spent in these days.",
    )


def margin_by_day(panel: MarginPanel) -> Table:
    """The same by day."""
    rows = [
        Row(
            each.day.isoformat(),
            {"day": each.day.isoformat(), **margin_cells(each.margin)},
            loss(each.margin),
        )
        for each in panel.days
    ]
    return Table(
        "days",
        "Margin by day",
        (Column("day", "Day (UTC)"), *MARGIN),
        Listed(rows, ("day",)),
        sort="-day",
        search=narrowing("Find a day, such as 2026-11-28", rows),
        size=31,
    )


def loss(margin: Margin) -> str:
    """Losses want to be seen."""
    return "bad" if margin.margin < 0 else ""


def other_currencies(revenue: RevenuePanel) -> Table:
    """MRR that is not in US dollars; it is in no margin."""
    rows = [
        Row(
            each.currency,
            {
                "currency": each.currency.upper(),
                "mrr": each.mrr / 1_000_000,
                "opening": each.opening / 1_000_000,
            },
        )
        for each in revenue.currencies[1:]
    ]
    columns = (
        Column("currency", "Currency"),
        Column("mrr", "MRR now", Unit.COUNT),
        Column("opening", "At the beginning", Unit.COUNT),
    )
    return Table(
        "currencies",
        "Other currencies",
        columns,
        Listed(rows),
        about="Whole units; these are in none of the figures above.",
    )
