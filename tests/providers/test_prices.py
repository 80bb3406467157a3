"""Prices from the list that comes with genai-prices."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.domain import Price
from providers.prices import ListPrices
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize(
    ("provider", "vendor_id", "price"),
    [
        ("openai", "gpt-6.1-sol", Price(2_000_000, 100_000, 10_000_000)),
        ("anthropic", "claude-opus-5-5", Price(4_000_000, 200_000, 20_000_000)),
        ("gemini", "gemini-3.5-flash-lite", Price(300_000, 30_000, 2_500_000)),
        ("groq", "openai/gpt-oss-120b", Price(150_000, 75_000, 600_000)),
    ],
)
def test_a_price_is_in_micro_dollars_per_million_tokens(provider: str, vendor_id: str, price: Price) -> None:
    assert ListPrices(FakeClock()).price(provider, vendor_id) == price


def test_where_prices_rise_with_the_prompt_the_first_step_counts() -> None:
    assert ListPrices(FakeClock()).price("openai", "gpt-6-luna") == Price(100_000, 10_000, 500_000)


def test_without_a_cached_price_cached_tokens_cost_what_others_do() -> None:
    assert ListPrices(FakeClock()).price("openai", "gpt-4") == Price(30_000_000, 30_000_000, 60_000_000)


def test_a_price_that_changes_is_the_one_of_the_day() -> None:
    clock = FakeClock(datetime(2026, 11, 30, tzinfo=UTC))
    prices = ListPrices(clock)
    assert prices.price("gemini", "gemini-4-argon") == Price(2_000_000, 100_000, 10_000_000)
    clock.set(datetime(2026, 12, 2, tzinfo=UTC))
    assert prices.price("gemini", "gemini-4-argon") == Price(4_000_000, 200_000, 20_000_000)


@pytest.mark.parametrize(
    ("provider", "vendor_id"),
    [
        ("openai", "no-such-model"),
        ("nobody", "gpt-4"),
        ("demo", "demo-guide"),
        ("openai", "text-embedding-3-small"),
        ("openai", "whisper-1"),
    ],
)
def test_what_is_not_known_has_no_price(provider: str, vendor_id: str) -> None:
    assert ListPrices(FakeClock()).price(provider, vendor_id) is None
