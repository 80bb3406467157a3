"""The arithmetic of recurring revenue: exact, discounted, and rounded by nobody on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.monthly import MICROS_A_CENT, discounted, interval_cents, micros, monthly
from tests.fakes.clock import NOON
from tests.fakes.stripe.amounts import price_amount

Fields = dict[str, Any]

TEAM: list[Fields] = [
    {"up_to": 5, "flat_amount_decimal": "2999", "unit_amount_decimal": "0"},
    {"up_to": None, "flat_amount_decimal": None, "unit_amount_decimal": "500"},
]


def price(amount: str | int = 899, interval: str = "month", count: int = 1, **changes: object) -> Fields:
    recurring = {"interval": interval, "interval_count": count, "usage_type": "licensed"}
    per_unit = {"billing_scheme": "per_unit", "unit_amount_decimal": str(amount)}
    return per_unit | {"recurring": recurring} | changes


def tiered(tiers: list[Fields], mode: str = "graduated") -> Fields:
    return price(billing_scheme="tiered", tiers_mode=mode, tiers=tiers)


def item(quantity: int | None = 1, **changes: Any) -> Fields:  # noqa: ANN401 - as `price` takes them
    return {"price": price(**changes)} | ({} if quantity is None else {"quantity": quantity})


def discount(end: datetime | None = None, duration: str = "forever", **coupon: object) -> Fields:
    off: Fields = {"percent_off": None, "amount_off": None, "duration": duration} | coupon
    return {"end": end and int(end.timestamp()), "source": {"type": "coupon", "coupon": off}}


def cents(items: list[Fields], *discounts: Fields) -> Fraction:
    return monthly(items, discounts, NOON) / MICROS_A_CENT


@pytest.mark.parametrize(
    ("sold", "shown"),
    [
        (item(amount=899), "899.00"),
        (item(amount=8900, interval="year"), "741.67"),
        (item(amount=29900, interval="year", quantity=5), "12458.33"),
        (item(amount=49900, interval="year"), "4158.33"),
        (item(amount=100, interval="week"), "434.52"),
        (item(amount=100, interval="day"), "3041.67"),
        (item(amount=2400, interval="month", count=3), "800.00"),
        (item(amount="0.5", quantity=3), "1.50"),
        (item(quantity=None, amount=899), "899.00"),
    ],
)
def test_a_month_of_a_price_is_exact_until_it_is_shown(sold: Fields, shown: str) -> None:
    assert f"{float(cents([sold])):.2f}" == shown


def test_a_thousand_yearly_subscriptions_come_to_what_a_thousand_years_would() -> None:
    assert sum(cents([item(amount=8900, interval="year")]) for _ in range(1000)) * 12 == 8_900_000


@pytest.mark.parametrize(("seats", "due"), [(1, 2999), (5, 2999), (6, 3499), (9, 4999)])
def test_seats_beyond_the_included_ones_cost_extra(seats: int, due: int) -> None:
    assert cents([{"price": tiered(TEAM), "quantity": seats}]) == due


def test_volume_tiers_price_every_unit_alike() -> None:
    tiers: list[Fields] = [
        {"up_to": 10, "unit_amount_decimal": "100"},
        {"up_to": None, "unit_amount_decimal": "80"},
    ]
    assert [interval_cents(tiered(tiers, "volume"), units) for units in (10, 11)] == [1000, 880]


def test_use_is_not_recurring() -> None:
    metered = price(500, recurring={"interval": "month", "interval_count": 1, "usage_type": "metered"})
    assert cents([item(amount=49900, interval="year"), {"price": metered}]) == Fraction(49900, 12)
    assert cents([{"price": price(500, recurring=None)}]) == 0


@pytest.mark.parametrize(
    ("off", "left"),
    [
        (discount(percent_off=25.0), 750),
        (discount(percent_off=33.333), Fraction(66667, 100)),
        (discount(amount_off=300), 700),
        (discount(amount_off=3000), 0),
        (discount(duration="once", percent_off=50.0), 1000),
        (discount(NOON + timedelta(days=1), "repeating", percent_off=50.0), 500),
        (discount(NOON, "repeating", percent_off=50.0), 1000),
        ({"end": None, "source": {"type": "coupon", "coupon": "not_expanded"}}, 1000),
    ],
)
def test_only_discounts_that_last_are_taken_off(off: Fields, left: Fraction) -> None:
    assert cents([item(amount=1000)], off) == left


def test_discounts_follow_each_other_and_an_amount_counts_once_an_invoice() -> None:
    assert cents([item(amount=1000)], discount(percent_off=50.0), discount(amount_off=100)) == 400
    yearly = [item(amount=10_000, interval="year"), item(amount=2_000, interval="year")]
    assert cents(yearly, discount(amount_off=1_200)) == Fraction(10_800, 12)


def test_a_rate_that_nobody_knows_yet_counts_nothing() -> None:
    assert cents([item(amount=1000, interval="decade")]) == 0


@pytest.mark.parametrize(("exact", "whole"), [("741.666", 7_420_000), ("10.5", 110_000), ("10.49", 100_000)])
def test_an_invoice_has_whole_cents(exact: str, whole: int) -> None:
    assert micros(Fraction(exact)) == whole


amounts = st.integers(0, 10**7)
four_amounts = st.lists(amounts, min_size=4)
tiers_up = st.lists(st.integers(1, 50), min_size=1, max_size=3, unique=True).map(sorted)


@given(
    tops=tiers_up,
    flats=st.lists(amounts, min_size=4),
    units=st.lists(amounts, min_size=4),
    n=st.integers(0, 90),
)
def test_tiers_come_to_what_stripe_would_charge(
    tops: list[int], flats: list[int], units: list[int], n: int
) -> None:
    tiers = [
        {"up_to": top, "flat_amount_decimal": str(flat), "unit_amount_decimal": str(unit)}
        for top, flat, unit in zip([*tops, None], flats, units, strict=False)
    ]
    for mode in ("graduated", "volume"):
        sold = tiered(tiers, mode)
        assert interval_cents(sold, n) == price_amount(sold, n)


@given(amount=amounts, quantity=st.integers(0, 500), count=st.integers(1, 12))
def test_a_year_of_months_is_a_year(amount: int, quantity: int, count: int) -> None:
    by_month = cents([item(amount=amount, quantity=quantity, interval="month", count=count)]) * 12
    by_year = cents([item(amount=amount, quantity=quantity, interval="year", count=count)]) * 144
    by_day = cents([item(amount=amount, quantity=quantity, interval="day", count=count)]) * 12
    assert by_month * count == Fraction(amount * quantity * 12)
    assert by_year == by_month
    assert by_day * count == Fraction(amount * quantity * 365)


@given(amount=amounts, percents=st.lists(st.decimals(0, 100, places=3), max_size=3), off=amounts)
def test_discounts_never_add_and_never_give_money(amount: int, percents: list[Any], off: int) -> None:
    coupons = [discount(percent_off=float(percent)) for percent in percents] + [discount(amount_off=off)]
    left = discounted(Fraction(amount), coupons, datetime(2026, 11, 24, tzinfo=UTC))
    assert 0 <= left <= amount
