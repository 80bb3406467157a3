"""How values are written on pages, drawn in charts and put into files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.admin.units import FORMULA, Unit, Value, filed, plain, written

NOON = datetime(2026, 11, 3, 14, 5, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, Unit.MONEY, "-"),
        (0, Unit.MONEY, "$0.00"),
        (8_990_000, Unit.MONEY, "$8.99"),
        (1_234_567_890_000, Unit.MONEY, "$1,234,567.89"),
        (-4_995_000, Unit.MONEY, "-$5.00"),
        (4_200, Unit.MONEY, "$0.0042"),
        (Fraction(89_000_000, 12), Unit.MONEY, "$7.42"),
        (Fraction(1, 8), Unit.SHARE, "12.5 %"),
        (Fraction(9_989_99, 1_000_000), Unit.SHARE, "99.89 %"),
        (Fraction(99_999, 100_000), Unit.SHARE, "99.99 %"),
        (1, Unit.SHARE, "100.0 %"),
        (Fraction(-1, 4), Unit.SHARE, "-25.0 %"),
        (840, Unit.MILLIS, "840 ms"),
        (1840, Unit.MILLIS, "1.8 s"),
        (48_201, Unit.COUNT, "48,201"),
        (NOON, Unit.MOMENT, "2026-11-03 12:05"),
        ("<b>", Unit.TEXT, "<b>"),
    ],
)
def test_values_are_written_for_people(value: Value, unit: Unit, words: str) -> None:
    assert written(value, unit) == words


@pytest.mark.parametrize(
    ("value", "unit", "cell"),
    [
        (None, Unit.MONEY, ""),
        (8_990_000, Unit.MONEY, "8.99"),
        (-1, Unit.MONEY, "-0.000001"),
        (100_000_000, Unit.MONEY, "100"),
        (Fraction(1, 8), Unit.SHARE, "12.5"),
        (0, Unit.COUNT, "0"),
        (1_000, Unit.COUNT, "1000"),
        (NOON, Unit.MOMENT, "2026-11-03T12:05:00Z"),
        ("-1", Unit.TEXT, "'-1"),
        ("\t=1", Unit.TEXT, "'\t=1"),
    ],
)
def test_cells_of_files_keep_their_numbers(value: Value, unit: Unit, cell: str) -> None:
    assert filed(value, unit) == cell


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    cell = filed(text, Unit.TEXT)
    assert not cell.startswith(FORMULA)
    assert cell.removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("first", "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
def test_what_spreadsheets_work_out_has_an_apostrophe_before_it(first: str) -> None:
    assert filed(f"{first}1", Unit.TEXT) == f"'{first}1"


@given(st.integers(-(10**15), 10**15))
def test_an_amount_in_a_file_is_that_amount(micros: int) -> None:
    assert Fraction(filed(micros, Unit.MONEY)) * 1_000_000 == micros


def test_what_is_no_number_is_not_drawn() -> None:
    assert plain(None, Unit.MONEY) is None
    assert plain("premium", Unit.TEXT) is None
    assert plain(datetime(2026, 11, 3, tzinfo=UTC), Unit.MOMENT) is None
    assert plain(8_990_000, Unit.MONEY) == 8.99
