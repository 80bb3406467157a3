"""What is asked of a page: its address, the span of time, and how each of its tables is looked at."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from engine.charts import Days

DAYS = (7, 30, 90)
USUAL_DAYS = 30
MOST_SEARCH = 100
MOST_PAGES = 1_000_000
MONTHS_BACK = 12
A_DAY, A_MONTH = timedelta(days=1), timedelta(days=32)
"""The latter leads from the first of a month into the next one."""

NO_SPAN = "A span is a number of days (7d, 30d or 90d) or a month such as 2026-11."
NOT_BEGUN = "That month has not begun yet."
NO_PAGE = "Pages are counted from 1."

ONCE = frozenset({"retried"})
"""Parameters that no link carries along: what they say is said once."""

_PAGE = re.compile(r"[0-9]{1,7}")
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class View:
    """How a table is looked at: its order, what is searched, what is chosen, and which page (from 1)."""

    sort: str = ""
    descending: bool = False
    search: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    page: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A page as it is asked for; `query` are the parameters as they came."""

    path: str
    query: Mapping[str, str]
    now: datetime

    @property
    def span_name(self) -> str:
        """`7d`, `30d`, `90d` or a month."""
        return self.query.get("span", "") or f"{USUAL_DAYS}d"

    @property
    def days(self) -> Days:
        """The days of the span, today the last of them; or a month. HTTPBadRequest for another name."""
        name, today = self.span_name, self.today
        if month := _MONTH.fullmatch(name):
            first = date(int(month[1]), int(month[2]), 1)
            if first > today:
                raise web.HTTPBadRequest(text=NOT_BEGUN)
            return Days(first, min(today, (first + A_MONTH).replace(day=1) - A_DAY))
        if name not in {f"{days}d" for days in DAYS}:
            raise web.HTTPBadRequest(text=NO_SPAN)
        return Days.back(int(name[:-1]), self.now)

    @property
    def today(self) -> date:
        """The UTC day that it is."""
        return self.now.astimezone(UTC).date()

    @property
    def month(self) -> date:
        """The first day of the month that was chosen, or of this one."""
        return self.days.first if _MONTH.fullmatch(self.span_name) else self.today.replace(day=1)

    @property
    def span_words(self) -> str:
        """The span as it is said within a sentence."""
        name = self.span_name
        return f"{self.days.first:%B %Y}" if _MONTH.fullmatch(name) else f"the last {name[:-1]} days"

    def view(self, table: str, sort: str, sortable: frozenset[str], choices: frozenset[str]) -> View:
        """How a table is looked at; `sort` is its usual order, with a dash before it for descending.

        HTTPBadRequest for what cannot be sorted or counted.
        """
        order = self.query.get(f"{table}-sort", "") or sort
        key = order.removeprefix("-")
        if order and key not in sortable:
            raise web.HTTPBadRequest(text=f"There is no column {key[:40]!r} to sort by.")
        search = self.query.get(f"{table}-search", "").strip()[:MOST_SEARCH]
        chosen = {each: self.query.get(f"{table}-{each}", "") for each in sorted(choices)}
        number = self.query.get(f"{table}-page", "") or "1"
        if not _PAGE.fullmatch(number) or not 1 <= int(number) <= MOST_PAGES:
            raise web.HTTPBadRequest(text=NO_PAGE)
        chosen = {each: value for each, value in chosen.items() if value}
        return View(key, order.startswith("-"), search, chosen, int(number))

    def kept(self, without: Collection[str]) -> list[tuple[str, str]]:
        """The parameters that a form carries along: all that say something but those that it sets itself."""
        return [
            (name, value) for name, value in self.query.items() if value and name not in {*ONCE, *without}
        ]

    def address(self, path: str | None = None, **changes: str | None) -> str:
        """The same address with other parameters; None leaves one away, `_` stands for a dash."""
        renamed = {name.replace("_", "-"): value for name, value in changes.items()}
        named = {**dict(self.kept(())), **renamed}
        query = urlencode({name: value for name, value in named.items() if value})
        return f"{path or self.path}?{query}" if query else path or self.path

    def months(self) -> tuple[str, ...]:
        """The months that can be chosen, the newest first."""
        count = self.now.year * 12 + self.now.month - 1
        return tuple(f"{each // 12}-{each % 12 + 1:02d}" for each in range(count, count - MONTHS_BACK, -1))
