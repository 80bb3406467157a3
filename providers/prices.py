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

    def price(self, provider: str, vendor_id: str, at: datetime) -> Price | None:
        try:
            _, model = get_snapshot().find_provider_model(
                vendor_id, None, PROVIDERS.get(provider, provider), None
            )
        except LookupError:
            return None
        return price_of(vars(model.get_prices(at)))


def price_of(listed: Mapping[str, object]) -> Price | None:
    """A price from the list's own fields, each in dollars per million tokens; None without both main ones.

    A write into a cache is never taken to cost less than a plain read: where the list says so, it has the
    price of storing instead.
    """
    read, written = _micros(listed.get("input_mtok")), _micros(listed.get("output_mtok"))
    if read is None or written is None:
        return None
    cached = _micros(listed.get("cache_read_mtok"))
    kept = _micros(listed.get("cache_write_mtok"))
    return Price(
        input=read,
        cached_input=read if cached is None else cached,
        output=written,
        cache_write=kept if kept is not None and kept > read else None,
        reasoning=_micros(listed.get("output_reasoning_mtok")),
    )


def _micros(dollars: object) -> int | None:
    """Micro-dollars of a price per million tokens; None if it is none that anybody could mean.

    Of a price that rises with the prompt it is the first one: config.toml keeps `context` below the step.
    """
    amount = dollars.base if isinstance(dollars, TieredPrices) else dollars
    if not isinstance(amount, Decimal) or not amount.is_finite() or not 0 <= amount <= MOST:
        return None
    return int((amount * MICROS).to_integral_value(ROUND_CEILING))
