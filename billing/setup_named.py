"""Prices that variables name: looked at, judged and left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from billing.client import StripeCaller
from billing.prices import Purchase, lookup_key, variable
from billing.remedies import PriceMissingError
from billing.setup_products import ACTIVE, Shelf
from billing.snapshots import Fields, plain
from billing.steps import Part
from billing.wanted import Wanted, WantedPrice, fault_of
from engine.domain import TierName


async def plan_named(caller: StripeCaller, wanted: Wanted) -> Part:
    """Nothing to do, and what is worth saying."""
    faults = named_faults(wanted, await read_named(caller, wanted))
    return Part(notes=(*left_alone(wanted), *faults))


async def read_named(caller: StripeCaller, wanted: Wanted) -> Mapping[Purchase, Fields | None]:
    """The prices that variables name; None for one that Stripe does not know."""
    found: dict[Purchase, Fields | None] = {}
    for purchase, (named, _) in wanted.named.items():
        found[purchase] = await _retrieve(caller, named)
    return found


async def _retrieve(caller: StripeCaller, price: str) -> Fields | None:
    try:
        return plain(
            await caller.call(
                lambda: caller.sdk.v1.prices.retrieve_async(price, {"expand": ["tiers", "product"]})
            )
        )
    except PriceMissingError:
        return None


def named_faults(wanted: Wanted, found: Mapping[Purchase, Fields | None]) -> Iterator[str]:
    """What is wrong with the prices that variables name, each with its mend."""
    for purchase, (named, asked) in wanted.named.items():
        price, name = found[purchase], variable(purchase)
        if price is None:
            unknown = f"{name} names {named}, which Stripe does not know in {wanted.mode} mode"
            yield f"{unknown}. Copy the id of a price of that mode."
            continue
        where = f"The price {named} ({name})"
        if not price[ACTIVE]:
            yield f"{where} is archived. Activate it, or name another."
        fault = fault_of({**price, "lookup_key": None}, asked)
        if fault:
            yield f"{where} {fault}. Make them agree, or unset {name} and run `python main.py stripe-setup`."


def sold(
    wanted: Wanted, shelf: Shelf, named: Mapping[Purchase, Fields | None]
) -> list[tuple[TierName, Fields]]:
    """The licensed prices that are as they should be, each with its tier; named ones as they are."""
    ours = [
        (price.tier, shelf[price.key])
        for price in wanted.prices
        if price.key in shelf and not price.terms.metered and is_right(shelf[price.key], price)
    ]
    theirs = [(tier, price) for (tier, _), price in named.items() if price is not None and price[ACTIVE]]
    return ours + theirs


def is_right(price: Fields, wanted: WantedPrice) -> bool:
    """Whether a price is on sale as config.toml says."""
    return bool(price[ACTIVE]) and fault_of(price, wanted.terms) is None


def left_alone(wanted: Wanted) -> Iterator[str]:
    """What is said about the prices that variables name."""
    for purchase, (named, _) in wanted.named.items():
        yield f"{variable(purchase)} names {named}: left alone, and {lookup_key(purchase)} is not made."
