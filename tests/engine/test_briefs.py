"""When the report of a day comes: once for each day, at its hour, on days of 23 and 25 hours too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.briefs import ONE_DAY, Reporting

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hour", "day", "moment"),
    [
        (8, date(2026, 11, 26), "2026-11-27T07:00"),
        (8, date(2026, 7, 1), "2026-07-02T06:00"),
        (2, date(2026, 3, 28), "2026-03-29T01:00"),  # 02:00 is skipped: at 03:00 summer time
        (2, date(2026, 10, 24), "2026-10-25T00:00"),  # 02:00 comes twice: the first one
        (0, date(2026, 7, 1), "2026-07-02T00:00"),  # midnight in Berlin is before the day is over
    ],
)
def test_it_comes_at_its_hour_by_the_clock_of_the_zone(hour: int, day: date, moment: str) -> None:
    assert Reporting(hour, BERLIN).moment(day) == at(moment)


def test_where_the_morning_comes_before_the_day_is_over_it_waits() -> None:
    assert Reporting(8, ZoneInfo("Asia/Tokyo")).moment(date(2026, 11, 26)) == at("2026-11-27T00:00")


def test_it_is_about_the_newest_day_whose_report_is_due() -> None:
    reporting = Reporting(8, BERLIN)
    assert reporting.day(at("2026-11-28T06:59:59")) == date(2026, 11, 26)
    assert reporting.day(at("2026-11-28T07:00")) == date(2026, 11, 27)


@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
)
def test_every_day_is_told_once_and_in_order_after_it_is_over(zone: str, hour: int, day: date) -> None:
    reporting = Reporting(hour, ZoneInfo(zone))
    moment, following = reporting.moment(day), reporting.moment(day + ONE_DAY)
    over = datetime(day.year, day.month, day.day, tzinfo=UTC) + ONE_DAY
    assert over <= moment < following
    assert moment <= over + timedelta(hours=36)
    assert reporting.day(moment) == day
    assert reporting.day(following - timedelta(microseconds=1)) == day
    assert reporting.day(moment - timedelta(microseconds=1)) == day - ONE_DAY
