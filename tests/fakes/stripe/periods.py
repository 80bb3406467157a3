"""Billing periods: when one that starts now ends, and where a later item joins its subscription's rhythm."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from tests.fakes.stripe.wire import Json

_MONTHS = {"month": 1, "year": 12}
_SECONDS = {"day": 86_400, "week": 7 * 86_400}
_MONTHS_A_YEAR = 12


def months_later(start: int, months: int, day: int | None = None) -> int:
    """The same moment of the day so many months on; on `day`, or the last one if the month is too short."""
    begin = datetime.fromtimestamp(start, UTC)
    year, month = divmod(begin.year * _MONTHS_A_YEAR + begin.month - 1 + months, _MONTHS_A_YEAR)
    last = calendar.monthrange(year, month + 1)[1]
    return int(begin.replace(year=year, month=month + 1, day=min(day or begin.day, last)).timestamp())


def period_end(start: int, recurring: Json, anchor: int | None = None) -> int:
    """The end of a period that starts then; the anchor brings the 31st back after a short month."""
    count: int = recurring["interval_count"]
    if recurring["interval"] in _SECONDS:
        return start + _SECONDS[recurring["interval"]] * count
    day = datetime.fromtimestamp(start if anchor is None else anchor, UTC).day
    return months_later(start, _MONTHS[recurring["interval"]] * count, day)


def next_end(anchor: int, recurring: Json, now: int) -> int:
    """The first end after now of the periods that are counted from the anchor."""
    end = anchor
    while end <= now:
        end = period_end(end, recurring, anchor)
    return end


def same_interval(one: Json, other: Json) -> bool:
    """Whether two prices are billed in the same rhythm."""
    names = ("interval", "interval_count")
    return all(one["recurring"][name] == other["recurring"][name] for name in names)


def period_of(item: Json) -> tuple[int, int]:
    """Start and end of an item's current period in Unix seconds."""
    return item["current_period_start"], item["current_period_end"]
