"""What vendors charge, from the price list that genai-prices carries; it is never fetched anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from engine.models import Price

PROVIDERS: Mapping[str, str] = {"gemini": "google", "xai": "x-ai"}
"""Where the list calls a provider by another name than we do."""
MICROS = 1_000_000
MOST = 10_000
"""Dollars per million tokens; the dearest model that ever was took 600."""


class ListPrices:
    """The price list, whose prices may depend on the date and the time of day."""

    def price(self, provider: str, vendor_id: str, at: datetime, context: int) -> Price | None:
        try:
            _, model = get_snapshot().find_provider_model(
                vendor_id, None, PROVIDERS.get(provider, provider), None
            )
        except LookupError:
            return None
        return price_of(vars(model.get_prices(at)), context)


def price_of(listed: Mapping[str, object], context: int) -> Price | None:
    """A price from the list's own fields, each in dollars per million tokens; None without both main ones.

    Of one that rises with the prompt it is the dearest that a prompt of so many tokens can come to.

    A write into a cache is never taken to cost less than a plain read: where the list says so, it has the
    price of storing instead.
    """

    def price(name: str) -> int | None:
        return _highest(listed.get(name), context)

    read, written = price("input_mtok"), price("output_mtok")
    if read is None or written is None:
        return None
    cached = price("cache_read_mtok")
    kept = price("cache_write_mtok")
    return Price(
        input=read,
        cached_input=read if cached is None else cached,
        output=written,
        cache_write=kept if kept is not None and kept > read else None,
        reasoning=price("output_reasoning_mtok"),
    )


def _highest(dollars: object, context: int) -> int | None:
    if not isinstance(dollars, TieredPrices):
        return _micros(dollars)
    steps = [dollars.base, *(tier.price for tier in dollars.tiers if tier.start < context)]
    known = [micros for micros in map(_micros, steps) if micros is not None]
    return max(known) if len(known) == len(steps) else None


def _micros(dollars: object) -> int | None:
    """Micro-dollars of a price per million tokens; None if it is none that anybody could mean."""
    if not isinstance(dollars, Decimal) or not dollars.is_finite() or not 0 <= dollars <= MOST:
        return None
    return int((dollars * MICROS).to_integral_value(ROUND_CEILING))
