"""Runs named statements for one unit of work, whatever the database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, Protocol, TypeVar

from engine.tallies import Amounts, Counted, Key
from storage.statements import Statements

T = TypeVar("T")
Value = str | int | bytes | None
Param = Value | datetime | date | timedelta | Fraction
Params = Mapping[str, Value]

MrrKey = tuple[str, int, str, str, str, int]
"""Mode, day, currency, tier, kind and denominator."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
"""Microseconds."""


class Row(Protocol):
    """One row of a result, read by column name."""

    def __getitem__(self, column: str, /) -> Any:  # noqa: ANN401 - who reads a column knows its type
        """The value of a column."""
        ...


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly; TypeError for a moment without a time zone."""
    return (moment - EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """What `micros` wrote, as an aware UTC datetime."""
    return EPOCH + value * _MICROSECOND


def moment_or_none(value: int | None) -> datetime | None:
    """The same for a column that may be empty."""
    return None if value is None else moment(value)


def day_number(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - EPOCH.toordinal()


def span(value: int) -> timedelta:
    """That many microseconds."""
    return value * _MICROSECOND


@lru_cache(maxsize=1024)
def fraction(text: str) -> Fraction:
    """What a fraction was written as; there are few prices, and reading one takes long."""
    return Fraction(text)


def _microseconds(value: timedelta) -> int:
    return value // _MICROSECOND


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _text(value: str) -> str:
    """Text that both databases take: PostgreSQL refuses NUL, and neither can encode half a surrogate pair."""
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


_WRITERS: Mapping[type, Callable[[Any], Value]] = {
    int: int,
    str: _text,
    bool: int,
    datetime: micros,
    date: day_number,
    timedelta: _microseconds,
    Fraction: _ratio,
}


AS_THEY_ARE = frozenset({int, bytes, type(None)})


def storable(value: Param) -> Value:
    """A parameter as the drivers take it: enums and fractions as text, time as numbers."""
    writer = _WRITERS.get(type(value))
    if writer is not None:
        return writer(value)
    return str(value) if isinstance(value, StrEnum) else value  # type: ignore[return-value]  # moments are exact types


def ready(params: Mapping[str, Param]) -> Params:
    """Parameters as the drivers take them; a question has some hundred."""
    return {
        key: value if type(value) in AS_THEY_ARE else storable(value)  # type: ignore[misc]  # see storable
        for key, value in params.items()
    }


class Session(ABC):
    """Statements of one unit of work; unusable once the unit has ended."""

    driver_error: ClassVar[type[Exception]]
    slots: ClassVar[int] = 1
    """Rows that a count is spread over, where several units may write at once."""

    def __init__(self, statements: Statements, *, writable: bool) -> None:
        """`writable` tells a unit of `transact` from one of `read`."""
        self._statements = statements
        self._ended = False
        self.writable = writable
        self.failure: Exception | None = None
        self.tallies: dict[Key, Amounts] = {}
        """What the unit has counted, and has still to be written."""
        self.revenue: dict[MrrKey, tuple[int, int]] = {}
        """So with what moved the MRR: how often, and the parts of a denominator."""
        self.locked: set[str] = set()
        """Turns whose accounts the unit has locked."""

    def end(self) -> None:
        """Refuse all further use, also by what the unit's function may have left behind."""
        self._ended = True

    def all(self, name: str, /, **params: Param) -> list[Row]:
        """Every row of a named statement."""
        return self._guarded(self._fetch, name, params)

    def one(self, name: str, /, **params: Param) -> Row | None:
        """The one row of a named statement, if there is one."""
        rows = self._guarded(self._fetch, name, params)
        return rows[0] if rows else None

    def run(self, name: str, /, **params: Param) -> int:
        """Execute a named statement that returns no rows; how many it changed."""
        return self._guarded(self._change, name, params)

    def tally(self, *counted: Counted) -> None:
        """Count with this unit."""
        for key, amounts in counted:
            known = self.tallies.get(key)
            self.tallies[key] = known + amounts if known else amounts

    def tally_revenue(self, key: MrrKey, times: int, numerator: int) -> None:
        """The same for what moved the MRR."""
        known = self.revenue.get(key, (0, 0))
        self.revenue[key] = known[0] + times, known[1] + numerator

    def _guarded(self, execute: Callable[[str, Params], T], name: str, params: Mapping[str, Param]) -> T:
        if self._ended:
            message = "this unit of work has ended: its Tx cannot be used any more"
            raise RuntimeError(message)
        try:
            return execute(self._statements[name], ready(params))
        except self.driver_error as error:
            self.failure = error
            raise

    @abstractmethod
    def _fetch(self, sql: str, params: Params) -> list[Row]:
        """Execute and read to the end."""

    @abstractmethod
    def _change(self, sql: str, params: Params) -> int:
        """Execute and count the changed rows."""
