"""How values are written on pages, drawn in charts and put into files."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

MICROS = 1_000_000
CENT = 10_000
A_SECOND = 1000
"""In milliseconds."""
NEARLY_ALL = Fraction(99, 100)
NOTHING = "-"
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""How cells begin that spreadsheets take for something to be worked out."""

Value = str | int | float | Fraction | datetime | None
"""What a cell holds: text, a number in its column's unit, a moment, or nothing."""


class Unit(StrEnum):
    """What the values of a column, an axis or a figure are."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"
    """Micro-dollars."""
    SHARE = "share"
    """A part of 1."""
    MILLIS = "millis"
    MOMENT = "moment"


NUMBERS = frozenset({Unit.COUNT, Unit.MONEY, Unit.SHARE, Unit.MILLIS})
MARKS = {Unit.MONEY: " (USD)", Unit.SHARE: " (%)", Unit.MILLIS: " (ms)", Unit.MOMENT: " (UTC)"}
"""What is said of a unit in the head of a file's column."""


def written(value: Value, unit: Unit = Unit.TEXT) -> str:
    """A value for people: `$1,234.56`, `99.95 %`, `1.2 s`, `2026-11-03 14:05`; a dash for nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, str):
        return value
    writers = {Unit.MONEY: dollars, Unit.SHARE: percent, Unit.MILLIS: duration}
    return writers.get(unit, count)(value)


def count(number: float | Fraction) -> str:
    """A whole number, with commas between thousands."""
    return f"{round(number):,}"


def dollars(micros: float | Fraction) -> str:
    """Micro-dollars with cents; four places for what is less than a cent and not nothing."""
    sign, size = "-" if micros < 0 else "", abs(Fraction(micros))
    if 0 < size < CENT:
        return f"{sign}${float(size / MICROS):.4f}"
    cents = int(size / CENT + Fraction(1, 2))
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def percent(share: float | Fraction) -> str:
    """A share with one place, with two where it is nearly everything and never rounded up to that."""
    part = Fraction(share)
    if NEARLY_ALL <= part < 1:
        return f"{int(part * 10_000) / 100} %"
    return f"{float(part * 100):,.1f} %"


def duration(millis: float | Fraction) -> str:
    """Milliseconds below a second, seconds above."""
    return f"{float(millis) / A_SECOND:,.1f} s" if millis >= A_SECOND else f"{round(millis)} ms"


def plain(value: Value, unit: Unit) -> float | None:
    """A number as it is drawn: dollars, percent, milliseconds, counts."""
    if value is None or isinstance(value, str | datetime):
        return None
    match unit:
        case Unit.MONEY:
            above, below = value.as_integer_ratio()  # no new Fraction: files have many cells
            return round(above / (below * MICROS), 6)
        case Unit.SHARE:
            return round(float(value) * 100, 4)
        case _:
            return round(float(value), 4)


def filed(value: Value, unit: Unit) -> str:
    """A value as a cell of a file: numbers stay numbers, moments are ISO 8601, text is no formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    number = plain(value, unit)
    return f"{number:.6f}".rstrip("0").rstrip(".") if number else "0"


def as_money(value: Value) -> str:
    """Micro-dollars, or a dash."""
    return written(value, Unit.MONEY)


def as_share(value: Value) -> str:
    """A part of 1 as percent, or a dash."""
    return written(value, Unit.SHARE)


def as_time(value: Value) -> str:
    """Milliseconds, or a dash."""
    return written(value, Unit.MILLIS)
