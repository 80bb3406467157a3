"""A draft beside what is in force, as parts of a page: whatever the console tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from engine.domain import TierName
from engine.what_if import ASSUMED, NOBODY, SOMEBODY, WHY, Comparison, Half, Line, limit_words
from webhooks.admin.parts import Chart, Figure, Figures, Mood, Notice, Notices, Part, Series, change
from webhooks.admin.tables import Cells, Column, Listed, Row, Table
from webhooks.admin.units import Unit, Value, as_money, written

ALL = 10_000
"""Rows: such tables are not turned over, since nothing of them is kept."""
WHOLE, HOUSE = "All tiers", "the house"
MONEY = ("cost", "revenue", "margin")


def beside(unit: Unit) -> tuple[Column, ...]:
    """Today, draft and change."""
    return Column("today", "Today", unit), Column("draft", "Draft", unit), changed("change", "Change", unit)


def changed(key: str, title: str, unit: Unit) -> Column:
    """How much more or less something is in the draft."""
    return Column(key, title, unit, signed=True)


AMOUNTS = (Column("tier", "Tier"), Column("what", "What"), *beside(Unit.MONEY))
ANSWERS = (
    Column("tier", "Tier"),
    *beside(Unit.COUNT),
    Column("members", "Members", Unit.COUNT),
    Column("paying", "Subscriptions", Unit.COUNT),
)
MODELS = (
    Column("model", "Model"),
    Column("today", "Cost today", Unit.MONEY),
    Column("draft", "Cost, draft", Unit.MONEY),
    changed("change", "Change of cost", Unit.MONEY),
    Column("asked", "Requests today", Unit.COUNT),
    Column("asks", "Requests, draft", Unit.COUNT),
    changed("asked-change", "Change of requests", Unit.COUNT),
)
LIMITS = (
    Column("limit", "Limit"),
    Column("times", "Questions refused", Unit.COUNT),
    Column("members", "Members", Unit.COUNT),
)
SWAPS = (
    Column("model", "Instead of"),
    Column("other", "Answers"),
    Column("why", "Why"),
    Column("times", "Times", Unit.COUNT),
)
AFFECTED = (
    Column("member", "Member"),
    Column("blocked", "Refused", Unit.COUNT),
    Column("stepped", "Stepped down", Unit.COUNT),
)


def parts_of(found: Comparison, days: int) -> list[Part]:
    """Everything that is told, the most important first."""
    return [
        figures(found, days),
        chart(found, days),
        answers(found),
        amounts(found),
        models(found.today, found.draft),
        limits(found),
        swaps(found),
        affected(found),
        Notices("assumed", "What is taken for granted", [Notice(each, Mood.LEVEL) for each in ASSUMED]),
    ]


def figures(found: Comparison, days: int) -> Figures:
    """The draft in big numbers."""
    before, after = found.today.whole, found.draft.whole
    numbers = [
        figure("Cost", before.cost, after.cost, good_up=False),
        figure("Revenue", before.revenue, after.revenue, good_up=True),
        figure("Margin", before.margin, after.margin, good_up=True),
        Figure(
            "Members who would notice",
            f"{found.blocked_members:,} refused",
            f"{found.stepped_members:,} stepped down to a cheaper model",
            mood=Mood.BAD if found.blocked_members else Mood.GOOD,
        ),
    ]
    return Figures("numbers", "The draft in numbers", numbers, f"The last {days} days, beside today's rules.")


def figure(name: str, before: Value, after: Value, *, good_up: bool) -> Figure:
    """An amount under the draft, and how it compares."""
    moved, mood = change(after, before, good_up=good_up)
    return Figure(name, written(after, Unit.MONEY), f"today {written(before, Unit.MONEY)}", moved, mood)


def chart(found: Comparison, days: int) -> Chart:
    """Cost, revenue and margin, one beside the other."""
    before, after = found.today.whole, found.draft.whole
    told = "; ".join(
        f"{name} {as_money(amount(before, name))} today, {as_money(amount(after, name))} under the draft"
        for name in MONEY
    )
    return Chart(
        "beside",
        f"Today and the draft, the last {days} days",
        f"Cost, revenue and margin: {told}.",
        "What",
        [each.capitalize() for each in MONEY],
        [
            Series("Today", [amount(before, each) for each in MONEY], "free"),
            Series("Draft", [amount(after, each) for each in MONEY], "one"),
        ],
        Unit.MONEY,
        empty="There was no use and no subscription in these days.",
        wide=True,
    )


def answers(found: Comparison) -> Table:
    """Questions that are answered, by tier."""
    rows = [
        Row(
            name,
            {
                "tier": name,
                "members": before.members,
                "paying": before.paying,
                **compared(before.turns, after.turns),
            },
        )
        for name, before, after in lines(found)
    ]
    return whole("answers", "Questions answered, by tier", ANSWERS, rows)


def amounts(found: Comparison) -> Table:
    """Money, by tier."""
    rows = [
        Row(
            f"{name}-{what}",
            {
                "tier": name,
                "what": what.capitalize(),
                **compared(amount(before, what), amount(after, what)),
            },
        )
        for name, before, after in lines(found)
        for what in MONEY
    ]
    return whole("amounts", "Cost, revenue and margin, by tier", AMOUNTS, rows)


def models(today: Half, draft: Half) -> Table:
    """Requests and cost, by model."""
    rows = []
    for name in dict.fromkeys([*today.models, *draft.models]):
        (asked, cost), (asks, costs) = (side.models.get(name, (0, 0)) for side in (today, draft))
        requests: Cells = {"asked": asked, "asks": asks, "asked-change": asks - asked}
        rows.append(Row(name, {"model": name, **requests, **compared(cost, costs)}))
    return whole("models", "Requests and cost, by model", MODELS, rows, "No model was asked in these days.")


def limits(found: Comparison) -> Table:
    """What would be refused that was answered."""
    rows = [
        Row(
            each.reason.value,
            {"limit": limit_words(each.reason).capitalize(), "times": each.times, "members": each.members},
        )
        for each in found.blocked
    ]
    nobody = "Nobody would be refused anything that was answered."
    about = (
        f"Beside {found.refused:,} questions that were refused when they were asked, and are not asked again."
    )
    return whole("limits", "Refused, by limit", LIMITS, rows, nobody, about if found.refused else "")


def swaps(found: Comparison) -> Table:
    """Which models answer instead of others."""
    rows = [
        Row(
            f"{before}-{after}-{why}",
            {"model": before, "other": after, "why": WHY[why].capitalize(), "times": times},
        )
        for before, after, why, times in found.swaps
    ]
    return whole("swaps", "Answered by another model", SWAPS, rows, "Every model answers as it did.")


def affected(found: Comparison) -> Table:
    """Who would notice most."""
    rows = [
        Row(
            str(number),
            {"member": str(each.person or SOMEBODY), "blocked": each.blocked, "stepped": each.stepped},
        )
        for number, each in enumerate(found.worst)
    ]
    return whole("affected", "Members who would notice most", AFFECTED, rows, "Nobody would notice anything.")


def lines(found: Comparison) -> Iterable[tuple[str, Line, Line]]:
    """All tiers together, then each, on both sides."""
    yield WHOLE, found.today.whole, found.draft.whole
    names: dict[TierName | None, None] = dict.fromkeys([*found.today.tiers, *found.draft.tiers])
    for name in names:
        before, after = (side.tiers.get(name, NOBODY) for side in (found.today, found.draft))
        yield (name.value if name else HOUSE), before, after


def amount(line: Line, what: str) -> Fraction:
    """One of a line's amounts."""
    return {"cost": Fraction(line.cost), "revenue": line.revenue, "margin": line.margin}[what]


def compared(before: Fraction | int, after: Fraction | int) -> Cells:
    """Cells of today, draft and change."""
    return {"today": before, "draft": after, "change": after - before}


def whole(
    id_: str, title: str, columns: Sequence[Column], rows: Sequence[Row], empty: str = "", about: str = ""
) -> Table:
    """A table that is shown as a whole."""
    words = empty or "There was no use in these days."
    return Table(id_, title, columns, Listed(rows), empty=words, about=about, size=ALL)
