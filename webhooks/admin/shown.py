"""Tables and charts as their templates take them: every value written out, every link an address."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from webhooks.admin.asked import Asked, View
from webhooks.admin.parts import Chart, Figure, Figures, Mood, Part
from webhooks.admin.tables import Column, Deal, Offer, Slice, Table
from webhooks.admin.units import Unit, Value, plain, written

TWO = 2
NOTHING_FITS = "Nothing fits what you are looking for."


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `link` sorts by it, `direction` is how it is sorted now."""

    title: str
    about: str
    number: bool
    link: str
    direction: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its texts, each with whether it is a number."""

    key: str
    mood: str
    cells: Sequence[tuple[str, bool]]
    deal: Deal | None


@dataclass(frozen=True, slots=True)
class Picker:
    """A filter as a choice: options are values with their words and whether they are chosen."""

    name: str
    title: str
    options: Sequence[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table on a page."""

    id: str
    title: str
    about: str
    heads: Sequence[Head]
    lines: Sequence[Line]
    count: str
    """`1 to 25 of 312`."""
    back: str
    on: str
    csv: str
    search: tuple[str, str, str] | None
    """Name, value and words of its field."""
    pickers: Sequence[Picker]
    kept: Sequence[tuple[str, str]]
    """Parameters that a form carries along."""
    reset: str
    empty: str
    deals: bool
    wide: bool
    offer: Offer | None
    kind: str = "table"

    @property
    def explained(self) -> Sequence[Head]:
        """The heads that are not plain."""
        return [each for each in self.heads if each.about]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart on a page: its numbers as rows of texts and of what is drawn."""

    chart: Chart
    heads: Sequence[Mapping[str, str]]
    rows: Sequence[tuple[str, Sequence[tuple[str, float | None]]]]
    goals: str
    csv: str
    kind: str = "chart"

    @property
    def id(self) -> str:
        """The chart's name on its page."""
        return self.chart.id


@dataclass(frozen=True, slots=True)
class Number:
    """A big number with the path of its small line, in a box of 100 by 28."""

    name: str
    value: str
    note: str
    change: str
    mood: Mood
    link: str
    path: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """A row of big numbers."""

    id: str
    title: str
    figures: Sequence[Number]
    about: str
    kind: str = "figures"


async def ready(part: Part, asked: Asked) -> object:
    """A part with everything that its template needs."""
    if isinstance(part, Table):
        return await grid(part, asked)
    if isinstance(part, Chart):
        return drawing(part, asked)
    if isinstance(part, Figures):
        return Numbers(part.id, part.title, [number(each) for each in part.figures], part.about)
    return part


def number(figure: Figure) -> Number:
    """A big number as its template takes it."""
    change, mood, link = figure.change, figure.mood, figure.link
    return Number(figure.name, figure.value, figure.note, change, mood, link, path(figure.trail))


def path(values: Sequence[float]) -> str:
    """A line through the values, from the left to the right; none for fewer than two, or nothing but 0."""
    if len(values) < TWO or not any(values):
        return ""
    least, most = min(0.0, *values), max(values)
    step, room = 100 / (len(values) - 1), (most - least) or 1.0
    points = [
        f"{place * step:.1f} {26 - (value - least) / room * 23:.1f}" for place, value in enumerate(values)
    ]
    return f"M{' L'.join(points)}"


async def grid(table: Table, asked: Asked) -> Grid:
    """A page of a table; one behind the last shows the last."""
    view = table.view(asked)
    found = await table.source.some(view, (view.page - 1) * table.size, table.size)
    last = max(1, -(-found.total // table.size))
    page = min(view.page, last)
    if page != view.page:
        found = await table.source.some(view, (page - 1) * table.size, table.size)
    narrowed = bool(view.search or view.chosen)
    return Grid(
        id=table.id,
        title=table.title,
        about=table.about,
        heads=[head(each, table, view, asked) for each in table.columns],
        lines=lines(found, table.columns),
        count=counted(found, page, table.size),
        back=turned(table, asked, page - 1) if page > 1 else "",
        on=turned(table, asked, page + 1) if page < last else "",
        csv=file_address(table.id, asked) if table.filed else "",
        search=(f"{table.id}-search", view.search, table.search) if table.search else None,
        pickers=pickers(table, view),
        kept=asked.kept(own(table)),
        reset=asked.address(**dict.fromkeys(own(table))) if narrowed else "",
        empty=NOTHING_FITS if narrowed else table.empty,
        deals=any(row.deal for row in found.rows),
        wide=table.wide,
        offer=table.offer,
    )


def head(column: Column, table: Table, view: View, asked: Asked) -> Head:
    """A column's head; the first click sorts numbers from the greatest, text from A."""
    link, direction = "", ""
    if column.sortable:
        current = view.sort == column.key
        direction = ("descending" if view.descending else "ascending") if current else "none"
        downwards = not view.descending if current else column.unit is not Unit.TEXT
        order = f"{'-' if downwards else ''}{column.key}"
        link = asked.address(**{f"{table.id}-sort": order, f"{table.id}-page": None})
    return Head(column.title, column.about, column.number, link, direction)


def lines(found: Slice, columns: Sequence[Column]) -> list[Line]:
    """The rows with their texts."""
    return [
        Line(
            row.key,
            row.mood,
            [(text_of(row.cells.get(each.key), each), each.number) for each in columns],
            row.deal,
        )
        for row in found.rows
    ]


def text_of(value: Value, column: Column) -> str:
    """A cell's text."""
    text = written(value, column.unit)
    grown = column.signed and not isinstance(value, str | datetime | None) and value > 0
    return f"+{text}" if grown else text


def counted(found: Slice, page: int, size: int) -> str:
    """Which rows these are."""
    if found.total <= size:
        return f"{found.total:,} row{'' if found.total == 1 else 's'}"
    first = (page - 1) * size + 1
    return f"{first:,} to {first + len(found.rows) - 1:,} of {found.total:,}"


def turned(table: Table, asked: Asked, page: int) -> str:
    """The address of another page."""
    return asked.address(**{f"{table.id}-page": str(page) if page > 1 else None})


def file_address(table: str, asked: Asked) -> str:
    """Where the whole table is a file, in the same order and of the same kind."""
    place = asked.path if asked.path.count("/") > 1 else f"{asked.path}/overview"
    return asked.address(f"{place}/{table}.csv", **{f"{table}-page": None})


def pickers(table: Table, view: View) -> list[Picker]:
    """The filters with what is chosen."""
    return [
        Picker(
            f"{table.id}-{each.key}",
            each.title,
            [("", "all", each.key not in view.chosen)]
            + [(value, words, view.chosen.get(each.key) == value) for value, words in each.options],
        )
        for each in table.choices
    ]


def own(table: Table) -> list[str]:
    """The parameters that narrow a table, and its page."""
    return [f"{table.id}-{each}" for each in ("search", "page", *(choice.key for choice in table.choices))]


def drawing(chart: Chart, asked: Asked) -> Drawing:
    """A chart with its numbers written out beside what is drawn."""
    heads = [
        {
            "title": each.name,
            "tone": each.tone,
            "unit": (each.unit or chart.unit).value,
            "shape": (each.shape or chart.shape).value,
            "axis": "other" if each.right else "y",
        }
        for each in chart.series
    ]
    rows = [
        (
            label,
            [
                (
                    written(each.values[place], each.unit or chart.unit),
                    plain(each.values[place], each.unit or chart.unit),
                )
                for each in chart.series
            ],
        )
        for place, label in enumerate(chart.labels)
    ]
    goals = [{"name": each.name, "value": plain(each.value, chart.unit)} for each in chart.goals]
    return Drawing(
        chart, heads, rows, json.dumps(goals), file_address(chart.id, asked) if chart.filed else ""
    )
