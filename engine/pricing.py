"""Tokens to micro-dollars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.domain import Micros
from engine.models import ModelSpec, Price, Usage
from engine.ports import PriceBook

MILLION = 1_000_000


def cost(price: Price | None, usage: Usage) -> Micros | None:
    """What tokens cost, rounded up to a micro-dollar; None without a price, which is not zero."""
    if price is None:
        return None
    fresh = max(0, usage.input_tokens - usage.cached_input_tokens)
    total = (
        fresh * price.input
        + usage.cached_input_tokens * price.cached_input
        + usage.output_tokens * price.output
    )
    return Micros(-(-total // MILLION))


def most(spec: ModelSpec, input_tokens: int, max_output: int) -> Micros:
    """The most that a turn may cost; an unpriced model holds nothing."""
    return cost(spec.price, Usage(input_tokens, 0, max_output)) or Micros(0)


def fill(models: Sequence[ModelSpec], book: PriceBook) -> tuple[ModelSpec, ...]:
    """The same models, with the book's price where config.toml gives none."""
    return tuple(
        spec if spec.price else replace(spec, price=book.price(spec.provider, spec.vendor_id))
        for spec in models
    )
