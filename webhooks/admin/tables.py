"""Tables that are sorted, searched, filtered and turned over by the parameters of an address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, runtime_checkable

from webhooks.admin.asked import Asked, View
from webhooks.admin.units import NUMBERS, Unit, Value

PAGE_ROWS = 25
HANDFUL = 5
"""Rows that are seen at one glance; what has no more needs no field to narrow it."""

Cells = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `about` explains its head where that is not plain."""

    key: str
    title: str
    unit: Unit = Unit.TEXT
    sortable: bool = True
    about: str = ""
    signed: bool = False
    """Whether it is a change, which is written with its sign."""

    @property
    def number(self) -> bool:
        """Whether its values stand at the right."""
        return self.unit in NUMBERS


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter: rows whose `key` is the chosen value; options are values with their words."""

    key: str
    title: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Deal:
    """A button of a row, which posts to an address of ours; `value` says what it is about."""

    address: str
    words: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """Values by column; `key` names the row as long as it lives, `mood` colours it."""

    key: str
    cells: Cells
    mood: str = ""
    deal: Deal | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A button for all rows of a table; `question` is asked before it can be pressed, `begin` opens that."""

    address: str
    begin: str
    question: str
    words: str


@dataclass(frozen=True, slots=True)
class Slice:
    """A page's rows, and how many there are in all."""

    rows: Sequence[Row]
    total: int


class Source(Protocol):
    """Where rows come from, in the order and of the kind that is asked for."""

    async def some(self, view: View, offset: int, limit: int) -> Slice:
        """A page of them."""
        ...


@runtime_checkable
class Whole(Source, Protocol):
    """One that is read in one go."""

    async def through(self, view: View, take: Callable[[Iterable[Row]], None]) -> None:
        """Have `take` go through every row that the view holds, in another thread, and at times once more."""
        ...


class Flowing(Source, Protocol):
    """One that is read little by little."""

    def all(self, view: View) -> AsyncIterator[Row]:
        """Every one that the view holds, whatever its page."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page; `sort` is its usual order, `empty` what is said instead of no rows."""

    id: str
    title: str
    columns: Sequence[Column]
    source: Flowing | Whole
    sort: str = ""
    empty: str = "There is nothing to show yet."
    about: str = ""
    search: str = ""
    """The words of the search field; none, no field."""
    choices: Sequence[Choice] = ()
    size: int = PAGE_ROWS
    filed: bool = True
    """Whether it can be had as a file."""
    wide: bool = True
    offer: Offer | None = None
    kind: str = "table"

    def view(self, asked: Asked) -> View:
        """How it is looked at; what has no field is not searched. HTTPBadRequest for what cannot be."""
        sortable = frozenset(each.key for each in self.columns if each.sortable)
        view = asked.view(self.id, self.sort, sortable, frozenset(each.key for each in self.choices))
        return view if self.search else replace(view, search="")


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows that are all at hand."""

    rows: Sequence[Row]
    searched: tuple[str, ...] = ()
    """The columns in which is searched."""
    _sorted: dict[str, Sequence[Row]] = field(default_factory=dict, repr=False, compare=False)

    async def some(self, view: View, offset: int, limit: int) -> Slice:
        found = self._found(view)
        return Slice(found[offset : offset + limit], len(found))

    async def all(self, view: View) -> AsyncIterator[Row]:
        for row in self._found(view):
            yield row

    def _found(self, view: View) -> Sequence[Row]:
        found = [row for row in self.rows if self._fits(row, view)]
        return ordered(found, view) if view.sort else found

    def _fits(self, row: Row, view: View) -> bool:
        wanted = view.search.casefold()
        texts = (str(row.cells.get(key) or "").casefold() for key in self.searched)
        if wanted and not any(wanted in text for text in texts):
            return False
        return all(str(row.cells.get(key)) == value for key, value in view.chosen.items())


def narrowing(words: str, rows: Sequence[Row]) -> str:
    """The words of a search field, where there are rows enough to look for one among them."""
    return words if len(rows) > HANDFUL else ""


def ordered(rows: Sequence[Row], view: View) -> Sequence[Row]:
    """Rows in the order of the view; those with nothing to go by stand last, whichever way."""
    holding = [row for row in rows if row.cells.get(view.sort) is not None]
    without = [row for row in rows if row.cells.get(view.sort) is None]
    holding.sort(key=lambda row: weight(row.cells[view.sort]), reverse=view.descending)
    return [*holding, *without]


def weight(value: Value) -> tuple[int, float | datetime | str]:
    """By what a value is sorted: numbers by size, moments by time, text without regard to case."""
    match value:
        case datetime():
            return 1, value
        case str() | None:
            return 2, (value or "").casefold()
        case _:
            return 0, float(value)
