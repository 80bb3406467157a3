"""Prices from the list that comes with genai-prices."""

from __future__ import annotations

import sys
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import Tier, TieredPrices

from engine.models import Price
from providers.prices import PROVIDERS, ListPrices, price_of
from tests.fakes.clock import NOON

WINDOW = 200_000
CONFIG = Path(__file__).parents[2] / "config.toml"


@pytest.mark.parametrize(
    ("provider", "vendor_id", "price"),
    [
        ("openai", "gpt-6.1-sol", Price(2_000_000, 100_000, 10_000_000, cache_write=2_500_000)),
        ("anthropic", "claude-opus-5-5", Price(4_000_000, 200_000, 20_000_000, cache_write=5_000_000)),
        ("gemini", "gemini-3.5-flash-lite", Price(300_000, 30_000, 2_500_000)),
        ("perplexity", "sonar-deep-research", Price(2_000_000, 2_000_000, 8_000_000, reasoning=3_000_000)),
        ("groq", "openai/gpt-oss-120b", Price(150_000, 75_000, 600_000)),
    ],
)
def test_a_price_is_in_micro_dollars_per_million_tokens(provider: str, vendor_id: str, price: Price) -> None:
    assert ListPrices().price(provider, vendor_id, NOON, WINDOW) == price


def test_where_prices_rise_with_the_prompt_it_is_the_one_that_a_models_window_can_come_to() -> None:
    first = Price(100_000, 10_000, 500_000, cache_write=125_000)
    second = Price(200_000, 20_000, 750_000, cache_write=250_000)
    for context, price in ((200_000, first), (272_000, first), (272_001, second), (1_000_000, second)):
        assert ListPrices().price("openai", "gpt-6-luna", NOON, context) == price


def test_without_a_cached_price_cached_tokens_cost_what_others_do() -> None:
    assert ListPrices().price("openai", "gpt-4", NOON, WINDOW) == Price(30_000_000, 30_000_000, 60_000_000)


def test_a_price_that_changes_is_the_one_of_the_day() -> None:
    before, after = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)
    prices = ListPrices()
    assert prices.price("gemini", "gemini-4-argon", before, WINDOW) == Price(2_000_000, 100_000, 10_000_000)
    assert prices.price("gemini", "gemini-4-argon", after, WINDOW) == Price(4_000_000, 200_000, 20_000_000)


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
    assert ListPrices().price(provider, vendor_id, NOON, WINDOW) is None


@pytest.mark.parametrize(
    "odd", [Decimal(-1), Decimal("NaN"), Decimal("Infinity"), Decimal(10_001), 2.5, "2", None]
)
def test_a_price_that_nobody_could_mean_is_none(odd: object) -> None:
    good = {"input_mtok": Decimal(2), "output_mtok": Decimal(10)}
    plain = Price(2_000_000, 2_000_000, 10_000_000)
    assert price_of(good, WINDOW) == plain
    assert [price_of({**good, name: odd}, WINDOW) for name in good] == [None, None]
    extras = ("cache_read_mtok", "cache_write_mtok", "output_reasoning_mtok")
    assert [price_of({**good, name: odd}, WINDOW) for name in extras] == [plain] * 3


def test_a_tiered_price_is_judged_by_each_step_in_reach() -> None:
    tiers = [Tier(start=200_000, price=Decimal(4))]
    listed = {
        "input_mtok": TieredPrices(base=Decimal(2), tiers=tiers),
        "output_mtok": Decimal("0.0000001"),
        "cache_write_mtok": TieredPrices(base=Decimal("-2.5"), tiers=tiers),
    }
    assert price_of(listed, WINDOW) == Price(2_000_000, 2_000_000, 1), "what is above nothing is rounded up"
    assert price_of(listed, WINDOW + 1) == Price(4_000_000, 4_000_000, 1)
    odd = TieredPrices(base=Decimal(2), tiers=[Tier(start=200_000, price=Decimal("NaN"))])
    assert price_of({**listed, "input_mtok": odd}, WINDOW + 1) is None


def test_writing_into_a_cache_costs_no_less_than_reading_afresh() -> None:
    listed = {"input_mtok": Decimal(2), "output_mtok": Decimal(10), "cache_write_mtok": Decimal("0.08")}
    assert price_of(listed, WINDOW) == Price(2_000_000, 2_000_000, 10_000_000)


def test_every_model_of_the_shipped_configuration_has_a_price_that_does_not_rise_within_its_window() -> None:
    models = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["models"]
    sold = {name: table for name, table in models.items() if "price" not in table}
    assert {table["provider"] for table in sold.values()} == {"openai", "anthropic", "gemini"}
    for name, table in sold.items():
        price = ListPrices().price(table["provider"], table["id"], NOON, table["context"])
        assert price, f"{name} has no price"
        assert price.input < price.output
        assert table["context"] <= step(PROVIDERS.get(table["provider"], table["provider"]), table["id"])


def step(provider: str, vendor_id: str) -> int:
    """The prompt's length from which a token costs more."""
    _, model = get_snapshot().find_provider_model(vendor_id, None, provider, None)
    price = vars(model.get_prices(NOON))["input_mtok"]
    return min(tier.start for tier in price.tiers) if isinstance(price, TieredPrices) else sys.maxsize
