"""The page of limits: how many questions they stopped, whose and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from engine.charts import Days
from engine.domain import RefusalReason, TierName
from engine.gauges import LimitLine
from engine.panels import Panels
from webhooks.admin.asked import Asked
from webhooks.admin.parts import Chart, Figure, Figures, Part, Series, Shape, change
from webhooks.admin.series import TONES, day_words, tier_words, tone_of
from webhooks.admin.tables import Choice, Column, Listed, Row, Table
from webhooks.admin.units import Unit, written

MOST_REASONS = 7
REASONS: Mapping[RefusalReason, str] = {
    RefusalReason.COMPARE: "Models in a comparison",
    RefusalReason.MODEL_LOCKED: "Model of a higher tier",
    RefusalReason.NO_IMAGES: "No model for images",
    RefusalReason.NO_PDF: "No model for PDFs",
    RefusalReason.CONVERSATIONS: "Conversations a day",
    RefusalReason.TURNS: "Turns of a conversation",
    RefusalReason.RATE: "Questions a minute",
    RefusalReason.CONCURRENT: "Answers at once",
    RefusalReason.COST: "Cost ceiling of the tier",
    RefusalReason.TEAM_COST: "Share of a team's budget",
    RefusalReason.BUDGET: "Budget of the house",
    RefusalReason.FREE_BUDGET: "Budget for free members",
    RefusalReason.BUDGET_HELD: "Budget, held by answers",
    RefusalReason.CHANNEL: "Rules of a channel",
    RefusalReason.ROLE: "Rules of a role",
    RefusalReason.MODEL_HERE: "Rules about models",
    RefusalReason.POOL: "Conversations of a place",
    RefusalReason.TOO_LONG: "Longer than the model takes",
}
EMPTY = "No limit stopped a question in these days."
COLUMNS = (
    Column("reason", "Limit"),
    Column("tier", "Tier"),
    Column("times", "Times", Unit.COUNT),
    Column("last", "Last on"),
)


class Limits:
    """Builds the page."""

    def __init__(self, panels: Panels) -> None:
        self._panels = panels

    async def build(self, asked: Asked) -> Sequence[Part]:
        """By day and limit, by tier, and every pair of them."""
        days = asked.days
        lines = await self._panels.limits(days)
        before = await self._panels.limits(days.before)
        return [
            numbers(lines, before, len(days.all)),
            by_day(lines, days),
            by_tier(lines, days),
            by_limit(lines),
            pairs(lines),
        ]


def words(reason: RefusalReason) -> str:
    """A limit's name; what has none here goes by its own."""
    return REASONS.get(reason) or reason.value.replace("_", " ").capitalize()


def numbers(lines: Sequence[LimitLine], before: Sequence[LimitLine], days: int) -> Figures:
    """How often, and of whom."""

    def of(tiers: frozenset[TierName], found: Sequence[LimitLine]) -> int:
        return sum(each.times for each in found if each.tier in tiers)

    everybody, free = frozenset(TierName), frozenset({TierName.FREE})
    figures = [
        Figure(
            name,
            written(of(tiers, lines), Unit.COUNT),
            note,
            *change(of(tiers, lines), of(tiers, before), good_up=None),
        )
        for name, tiers, note in (
            ("Limits reached", everybody, "questions that were not asked"),
            ("By free members", free, "each is an offer of a tier"),
            ("By paying members", everybody - free, "those who may feel cheated"),
        )
    ]
    return Figures("numbers", "Limits in short", figures, f"Changes are against the {days} days before.")


def by_day(lines: Sequence[LimitLine], days: Days, *, wide: bool = True) -> Chart:
    """The most frequent limits by day, and all others together."""
    totals = Counter[RefusalReason]()
    cells = Counter[tuple[date, RefusalReason]]()
    for each in lines:
        totals[each.reason] += each.times
        cells[each.day, each.reason] += each.times
    reasons = [reason for reason, _ in totals.most_common(MOST_REASONS)]
    said = f"{words(reasons[0])} stopped most: {totals[reasons[0]]:,}." if reasons else EMPTY
    series = [
        Series(words(reason), [cells[day, reason] for day in days.all], tone)
        for reason, tone in zip(reasons, TONES, strict=False)
    ]
    if rest := totals.keys() - set(reasons):
        summed = [sum(cells[day, reason] for reason in rest) for day in days.all]
        series.append(Series("Others", summed, TONES[-1]))
    return Chart(
        "by-day",
        "Limits reached by day",
        said,
        "Day",
        [day_words(day) for day in days.all],
        series,
        Unit.COUNT,
        stacked=True,
        wide=wide,
        empty=EMPTY,
    )


def by_tier(lines: Sequence[LimitLine], days: Days) -> Chart:
    """The same by tier."""
    cells = Counter[tuple[date, TierName]]()
    for each in lines:
        cells[each.day, each.tier] += each.times
    return Chart(
        "by-tier",
        "Whose questions",
        f"{sum(cells.values()):,} questions were stopped.",
        "Day",
        [day_words(day) for day in days.all],
        [
            Series(tier_words(tier), [cells[day, tier] for day in days.all], tone_of(tier))
            for tier in TierName
        ],
        Unit.COUNT,
        stacked=True,
        empty=EMPTY,
    )


def by_limit(lines: Sequence[LimitLine]) -> Chart:
    """Which limits, in all."""
    totals = Counter[RefusalReason]()
    for each in lines:
        totals[each.reason] += each.times
    most = totals.most_common(MOST_REASONS)
    return Chart(
        "by-limit",
        "Which limits",
        ", ".join(f"{words(reason)} {times:,}" for reason, times in most) or EMPTY,
        "Limit",
        [words(reason) for reason, _ in most],
        [Series("Times", [times for _, times in most], "soft")],
        Unit.COUNT,
        Shape.ACROSS,
        empty=EMPTY,
    )


def pairs(lines: Sequence[LimitLine]) -> Table:
    """Every limit of every tier."""
    times = Counter[tuple[RefusalReason, TierName]]()
    last: dict[tuple[RefusalReason, TierName], date] = {}
    for each in lines:
        key = each.reason, each.tier
        times[key] += each.times
        last[key] = max(last.get(key, each.day), each.day)
    rows = [
        Row(
            f"{reason}-{tier}",
            {
                "reason": words(reason),
                "tier": tier_words(tier),
                "times": count,
                "last": last[reason, tier].isoformat(),
            },
        )
        for (reason, tier), count in times.items()
    ]
    tiers = Choice("tier", "Tier", [(tier_words(each), tier_words(each)) for each in TierName])
    return Table(
        "limits",
        "Limits and tiers",
        COLUMNS,
        Listed(rows, ("reason",)),
        sort="-times",
        choices=(tiers,) if rows else (),
        empty=EMPTY,
    )
