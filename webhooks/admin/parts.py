"""What pages are made of: big figures, charts, lists of what wants attention, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from webhooks.admin.tables import Cells, Column, Listed, Row, Table
from webhooks.admin.units import Unit, Value, percent, plain

TOO_LITTLE = 0.0005
"""A change that rounds to nothing is neither good nor bad."""


class Mood(StrEnum):
    """How something stands."""

    GOOD = "good"
    BAD = "bad"
    LEVEL = "level"


class Shape(StrEnum):
    """How a chart is drawn."""

    BARS = "bars"
    """Upright, one beside or on top of another."""
    ACROSS = "across"
    """Lying bars, for names that are long."""
    LINES = "lines"
    AREA = "area"
    """Lines that are filled and stand on each other."""
    TOLD = "told"
    """Not drawn: numbers of the table alone."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A big number: what it is, what it is now, and how that compares with the span before."""

    name: str
    value: str
    note: str = ""
    change: str = ""
    mood: Mood = Mood.LEVEL
    trail: Sequence[float] = ()
    """Its way through the span, for a small line."""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A row of big numbers."""

    id: str
    title: str
    figures: Sequence[Figure]
    about: str = ""
    """With what the changes compare."""
    kind: str = "figures"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One sentence that answers what a page is asked, and why it is so."""

    id: str
    title: str
    """The question."""
    words: str
    mood: Mood
    reasons: Sequence[str] = ()
    kind: str = "verdict"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that wants attention, or a word that all is well; `link` leads to more."""

    words: str
    mood: Mood
    link: str = ""
    link_words: str = ""


@dataclass(frozen=True, slots=True)
class Notices:
    """A list of them."""

    id: str
    title: str
    notices: Sequence[Notice]
    kind: str = "notices"


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one colour of bars; `tone` names a colour of the style sheet."""

    name: str
    values: Sequence[Value]
    tone: str
    unit: Unit | None = None
    """Another unit than the chart's."""
    shape: Shape | None = None
    """Another shape than the chart's."""
    right: bool = False
    """Drawn against an axis of its own at the right, which need not begin at 0."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A level to be kept, drawn as a line across."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, whose numbers are a table as well; `says` is one sentence for those who do not see it."""

    id: str
    title: str
    says: str
    head: str
    """What the labels are: Day, Hour, Step."""
    labels: Sequence[str]
    series: Sequence[Series]
    unit: Unit
    shape: Shape = Shape.BARS
    stacked: bool = False
    goals: Sequence[Goal] = ()
    empty: str = "There is nothing to draw yet."
    note: str = ""
    mood: Mood = Mood.LEVEL
    wide: bool = False
    filed: bool = True
    """Whether it can be had as a file."""
    kind: str = "chart"

    @property
    def drawn(self) -> bool:
        """Whether there is anything to see; beside a goal, 0 is."""
        values = [plain(value, self.unit) for each in self.series for value in each.values]
        return any(values) or bool(self.goals and any(value is not None for value in values))

    def table(self) -> Table:
        """Its numbers."""
        columns = [Column("label", self.head, sortable=False)]
        columns += [
            Column(str(number), each.name, each.unit or self.unit, sortable=False)
            for number, each in enumerate(self.series)
        ]
        rows = [Row(label, self._cells(place, label)) for place, label in enumerate(self.labels)]
        return Table(self.id, self.title, columns, Listed(rows), empty=self.empty)

    def _cells(self, place: int, label: str) -> Cells:
        values: dict[str, Value] = {str(n): each.values[place] for n, each in enumerate(self.series)}
        return {"label": label, **values}


@dataclass(frozen=True, slots=True)
class Form:
    """Where a draft is written or chosen as a file, and what was wrong with the last one."""

    id: str
    title: str
    about: str
    address: str
    text: str
    days: Sequence[tuple[int, bool]]
    """The spans, each with whether it is chosen."""
    begin: str
    """Leads to a form that holds what is in force."""
    words: str = ""
    """Why nothing is told."""
    problems: Sequence[str] = ()
    kind: str = "form"


Part = Verdict | Figures | Notices | Chart | Table | Form


def change(now: Value, before: Value, *, good_up: bool | None = True) -> tuple[str, Mood]:
    """How a number compares with that of the span before: `+12.5 %`, and whether that is good.

    `good_up` is None where neither way is good or bad.
    """
    a, b = plain(now, Unit.COUNT), plain(before, Unit.COUNT)
    if a is None or b is None or not (a or b):
        return "", Mood.LEVEL
    if not b:
        return "from none", Mood.LEVEL
    moved = (a - b) / abs(b)
    text = f"{'+' if moved > 0 else ''}{percent(moved)}"
    if good_up is None or abs(moved) < TOO_LITTLE:
        return text, Mood.LEVEL
    return text, Mood.GOOD if (moved > 0) is good_up else Mood.BAD


def of_all(parts: Sequence[Part], table: str) -> Table | None:
    """The table of that name on a page, a chart's numbers too."""
    for part in parts:
        if part.id == table and isinstance(part, Table | Chart):
            return part.table() if isinstance(part, Chart) else part
    return None
