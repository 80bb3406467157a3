"""What prices come to, in exact fractions: an interval of a price, and a month of a subscription."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from engine.domain import Micros

Fields = Mapping[str, Any]
Rhythm = tuple[str, int]

MICROS_A_CENT = 10_000
A_MONTH = {"day": Fraction(365, 12), "week": Fraction(365, 84), "month": Fraction(1), "year": Fraction(1, 12)}
"""How many intervals a month has, in a year of 365 days."""
WHOLE = 100


def is_metered(price: Fields) -> bool:
    """Whether a price is paid by use and not by quantity."""
    return bool((price.get("recurring") or {}).get("usage_type") == "metered")


def interval_cents(price: Fields, quantity: int) -> Fraction:
    """What a quantity of a licensed price costs each interval, in cents; `tiers` has to be expanded."""
    if price.get("billing_scheme") != "tiered":
        return _amount(price, "unit_amount") * quantity
    tiers: Sequence[Fields] = price.get("tiers") or ()
    if price.get("tiers_mode") == "volume":
        fits = (tier for tier in tiers if tier.get("up_to") is None or quantity <= tier["up_to"])
        return _of_tier(next(fits), quantity)
    return _graduated(tiers, quantity)


def discounted(cents: Fraction, discounts: Iterable[Fields], now: datetime) -> Fraction:
    """An invoice after the discounts that last: `forever`, and `repeating` until its end; never below 0."""
    for coupon in _lasting(discounts, now):
        if coupon.get("percent_off") is not None:
            cents -= cents * Fraction(str(coupon["percent_off"])) / WHOLE
        cents -= coupon.get("amount_off") or 0
    return max(cents, Fraction(0))


def monthly(items: Iterable[Fields], discounts: Iterable[Fields], now: datetime) -> Fraction:
    """Micro-dollars a month of a subscription's licensed items, lasting discounts taken off, without tax.

    What is due together is one invoice, so an `amount_off` counts once for each rhythm of payment.
    """
    lasting = list(discounts)
    invoices: defaultdict[Rhythm, Fraction] = defaultdict(Fraction)
    for item in items:
        price: Fields = item["price"]
        if price.get("recurring") and not is_metered(price):
            invoices[_rhythm(price)] += interval_cents(price, _quantity(item))
    return sum(
        (
            discounted(cents, lasting, now) * A_MONTH.get(interval, Fraction(0)) / count * MICROS_A_CENT
            for (interval, count), cents in invoices.items()
        ),
        Fraction(0),
    )


def micros(cents: Fraction) -> Micros:
    """Micro-dollars of an amount as an invoice has it: in whole cents, halves up."""
    return Micros(int(cents + Fraction(1, 2)) * MICROS_A_CENT)


def _graduated(tiers: Sequence[Fields], quantity: int) -> Fraction:
    """Each tier that is reached costs its flat amount, and each unit what its own tier says."""
    total, below = Fraction(0), 0
    for tier in tiers:
        top = quantity if tier.get("up_to") is None else min(quantity, tier["up_to"])
        if top > below or below == quantity == 0:
            total += _of_tier(tier, top - below)
        if top == quantity:
            break
        below = top
    return total


def _of_tier(tier: Fields, units: int) -> Fraction:
    return _amount(tier, "flat_amount") + _amount(tier, "unit_amount") * units


def _amount(fields: Fields, name: str) -> Fraction:
    """The exact amount if Stripe gives one, else the whole one."""
    exact = fields.get(f"{name}_decimal")
    return Fraction(str(exact if exact is not None else fields.get(name) or 0))


def _quantity(item: Fields) -> int:
    quantity = item.get("quantity")
    return 1 if quantity is None else int(quantity)


def _rhythm(price: Fields) -> Rhythm:
    recurring: Fields = price["recurring"]
    return recurring["interval"], recurring.get("interval_count") or 1


def _lasting(discounts: Iterable[Fields], now: datetime) -> Iterable[Fields]:
    for discount in discounts:
        coupon = (discount.get("source") or {}).get("coupon")
        running = discount.get("end") is None or discount["end"] > now.timestamp()
        if isinstance(coupon, Mapping) and running and coupon["duration"] in {"forever", "repeating"}:
            yield coupon
