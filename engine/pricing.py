"""Tokens to micro-dollars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.domain import Micros
from engine.models import ModelSpec, Price, Usage
from engine.ports import PriceBook

MILLION = 1_000_000


def cost(price: Price | None, usage: Usage) -> Micros | None:
    """What tokens cost, rounded up to a micro-dollar; None without a price, which is not zero."""
    if price is None:
        return None
    written, thought = usage.cache_written_tokens, usage.reasoning_tokens
    fresh = max(0, usage.input_tokens - usage.cached_input_tokens - written)
    total = (
        fresh * price.input
        + usage.cached_input_tokens * price.cached_input
        + written * (price.input if price.cache_write is None else price.cache_write)
        + max(0, usage.output_tokens - thought) * price.output
        + thought * (price.output if price.reasoning is None else price.reasoning)
    )
    return Micros(-(-total // MILLION))


def total(parts: Sequence[Usage]) -> Usage:
    """The tokens of several requests together."""
    return Usage(
        sum(part.input_tokens for part in parts),
        sum(part.cached_input_tokens for part in parts),
        sum(part.output_tokens for part in parts),
        estimated=any(part.estimated for part in parts),
        cache_written_tokens=sum(part.cache_written_tokens for part in parts),
        reasoning_tokens=sum(part.reasoning_tokens for part in parts),
    )


def most(spec: ModelSpec, input_tokens: int, max_output: int) -> Micros:
    """The most that a turn may cost; an unpriced model holds nothing."""
    return cost(dearest(spec.price), Usage(input_tokens, 0, max_output)) or Micros(0)


def dearest(price: Price | None) -> Price | None:
    """The same price with every token at the most that one of its side may cost."""
    if price is None:
        return None
    read = max(price.input, price.cached_input, price.cache_write or 0)
    return Price(read, read, max(price.output, price.reasoning or 0))


def fill(models: Sequence[ModelSpec], book: PriceBook, at: datetime) -> tuple[ModelSpec, ...]:
    """The same models with their prices of that moment: config.toml's, else the book's."""
    return tuple(replace(spec, price=price_at(spec, book, at)) for spec in models)


def price_at(spec: ModelSpec, book: PriceBook, at: datetime) -> Price | None:
    """The price of a model at a moment; before the first one that config.toml gives, the book's."""
    told = [each.price for each in spec.prices if each.since <= at]
    return told[-1] if told else book.price(spec.provider, spec.vendor_id, at, spec.context)
