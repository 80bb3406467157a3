"""The models of config.toml as the operator sees them: who may use each, what it costs now and soon."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.catalogue import Catalogue
from engine.domain import TierName
from engine.models import DatedPrice, ModelSpec, Price
from engine.ports import PriceBook
from engine.pricing import price_at
from engine.settings import Settings

WIDTH = 100
NAME, CLASS, TOKENS, AMOUNT = 22, 9, 9, 10
MICROS = 1_000_000
KINDS = ("input", "cached", "write", "output", "reasoning")
"""Of tokens, each with a price of its own: read, read from a cache, put into one, written, thought."""


@dataclass(frozen=True, slots=True)
class Ware:
    """One model with its price of now."""

    spec: ModelSpec
    tiers: tuple[TierName, ...]
    """Those that may use it."""
    source: str
    """Where its price is written."""
    coming: DatedPrice | None
    wants: str | None
    """What would switch its vendor on, None if that is on."""


def wares(settings: Settings, book: PriceBook, now: datetime) -> list[Ware]:
    """Every model of config.toml, in its order."""
    return [ware(settings, book, now, spec) for spec in settings.shelf]


def ware(settings: Settings, book: PriceBook, now: datetime, spec: ModelSpec) -> Ware:
    """The same for one."""
    price = price_at(spec, book, now)
    priced = replace(spec, price=price)
    catalogue = Catalogue(settings.tiers, (priced,))
    own = any(each.since <= now for each in spec.prices)
    on = spec.provider in {row.name for row in settings.providers}
    return Ware(
        priced,
        tuple(tier.name for tier in catalogue.ranked() if catalogue.allows(tier, priced)),
        "config.toml" if own else "price book" if price else "unknown",
        next((each for each in spec.prices if each.since > now), None),
        None if on else settings.vendor_keys[spec.provider],
    )


def table(shown: Iterable[Ware], now: datetime) -> list[str]:
    """All of them in lines of at most 100 characters."""
    head = [cell("MODEL", NAME, left=True), cell("CLASS", CLASS, left=True)]
    head += [cell("WINDOW", TOKENS), cell("ANSWER", TOKENS)]
    head += [cell(kind.upper(), AMOUNT) for kind in KINDS]
    lines = [line.rstrip() for each in shown for line in (*row(each), "")]
    foot = f"Prices are USD for a million tokens at {now:%Y-%m-%d %H:%M} UTC."
    return [
        "".join(head).rstrip(),
        *lines,
        foot,
        "`main.py models --check` asks each of them with one token.",
    ]


def row(each: Ware) -> Iterator[str]:
    """One model: its figures, and below them what is said in words."""
    spec = each.spec
    if len(spec.name) >= NAME:
        yield spec.name
    cells = [cell(spec.name if len(spec.name) < NAME else "", NAME, left=True)]
    cells += [cell(spec.klass, CLASS, left=True), cell(f"{spec.context:,}", TOKENS)]
    cells += [cell(f"{spec.max_output:,}", TOKENS)]
    cells += [cell(amount, AMOUNT) for amount in amounts(spec.price)]
    yield "".join(cells).rstrip()
    for words in details(each):
        yield from textwrap.wrap(words, WIDTH, initial_indent="  ", subsequent_indent="      ")


def details(each: Ware) -> Iterator[str]:
    """What no column has room for."""
    spec = each.spec
    takes = ", ".join(["text", *sorted(spec.accepts)])
    reasons = spec.reasoning or "as the vendor has it"
    yield f"{spec.provider}: {spec.vendor_id}; takes {takes}; reasoning {reasons}"
    yield f"for {', '.join(each.tiers) or 'no tier'}; falls back on {', '.join(spec.fallback) or 'nothing'}"
    if each.source == "unknown":
        yield "price unknown: offered only to paying tiers without a cost ceiling"
    else:
        yield f"price from {'the ' if each.source == 'price book' else ''}{each.source}"
    if each.coming:
        later = zip(KINDS, amounts(each.coming.price), strict=True)
        told = ", ".join(f"{kind} {amount}" for kind, amount in later)
        yield f"from {each.coming.since:%Y-%m-%d} on: {told}"
    if each.wants is not None:
        yield f"OFF: {off(each)}"


def off(each: Ware) -> str:
    """Why a model is not offered, and how to change that."""
    if each.wants == "demo_models":
        return 'other models answer; demo_models = "always" in config.toml offers it beside them'
    return f"{each.wants} is not set"


def amounts(price: Price | None) -> list[str]:
    """A price in dollars, for each kind of token; dashes for none."""
    return [dollars(micros) for micros in by_kind(price).values()] if price else ["-"] * len(KINDS)


def by_kind(price: Price) -> Mapping[str, int]:
    """Micro-dollars for each kind of token, those without a price of their own at that of their side."""
    written = price.input if price.cache_write is None else price.cache_write
    thought = price.output if price.reasoning is None else price.reasoning
    return dict(zip(KINDS, (price.input, price.cached_input, written, price.output, thought), strict=True))


def dollars(micros: int) -> str:
    """Exactly, with two places at least: `0.075`, `3.00`."""
    whole, part = divmod(micros, MICROS)
    return f"{whole:,}.{f'{part:06d}'.rstrip('0'):0<2}"


def cell(text: str, width: int, *, left: bool = False) -> str:
    """Text in a column."""
    return f"{text:<{width}}" if left else f"{text:>{width}}"


def as_json(shown: Sequence[Ware]) -> list[Mapping[str, object]]:
    """The same for scripts: prices in whole micro-dollars for a million tokens."""
    return [
        {
            "name": each.spec.name,
            "provider": each.spec.provider,
            "id": each.spec.vendor_id,
            "class": each.spec.klass,
            "tiers": list(each.tiers),
            "context": each.spec.context,
            "max_output": each.spec.max_output,
            "accepts": sorted(each.spec.accepts),
            "reasoning": each.spec.reasoning,
            "price_micros": each.spec.price and by_kind(each.spec.price),
            "price_from": each.source,
            "price_coming": each.coming
            and {"from": each.coming.since.isoformat(), "micros": by_kind(each.coming.price)},
            "fallback": list(each.spec.fallback),
            "on": each.wants is None,
            "missing": each.wants,
        }
        for each in shown
    ]
