"""What things cost, in whole cents: quantities of a price with its tiers, parts of a period, discounts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from tests.fakes.stripe.wire import Json

_WHOLE_PERCENT = 100


def cents(amount: Fraction) -> int:
    """The nearest whole cent; halves go away from zero."""
    size = int(abs(amount) + Fraction(1, 2))
    return size if amount >= 0 else -size


def price_amount(price: Json, quantity: int) -> int:
    """What so many units of a price cost for a whole period."""
    if price["billing_scheme"] == "tiered":
        tiers = price["tiers"]
        graduated = price["tiers_mode"] == "graduated"
        return cents(_graduated(tiers, quantity) if graduated else _volume(tiers, quantity))
    return cents(_unit(price) * quantity)


def item_amount(item: Json) -> int:
    """What a licensed item costs for a whole period; a metered one is not known in advance."""
    return 0 if is_metered(item["price"]) else price_amount(item["price"], item.get("quantity", 1))


def is_metered(price: Json) -> bool:
    """Whether usage and not a quantity is billed."""
    return bool(price["recurring"] and price["recurring"]["usage_type"] == "metered")


def part(amount: int, period: tuple[int, int], since: int) -> int:
    """The part of an amount for the seconds of its period from `since` to the end."""
    start, end = period
    return cents(Fraction(amount * (end - max(start, min(since, end))), end - start))


def _unit(priced: Mapping[str, object]) -> Fraction:
    exact = priced.get("unit_amount_decimal")
    return Fraction(Decimal(str(exact if exact is not None else priced.get("unit_amount") or 0)))


def _flat(tier: Json) -> Fraction:
    exact = tier.get("flat_amount_decimal")
    return Fraction(Decimal(str(exact if exact is not None else tier.get("flat_amount") or 0)))


def _graduated(tiers: list[Json], quantity: int) -> Fraction:
    """Each unit at the rate of the tier it falls in, and the flat amount of each tier that is entered."""
    total, below = Fraction(0), 0
    for tier in tiers:
        upto = quantity if tier["up_to"] is None else min(quantity, tier["up_to"])
        if upto > below or (below == 0 and quantity == 0):
            total += _flat(tier) + _unit(tier) * (upto - below)
        below = max(below, upto)
        if below >= quantity:
            break
    return total


def _volume(tiers: list[Json], quantity: int) -> Fraction:
    tier = next(one for one in tiers if one["up_to"] is None or quantity <= one["up_to"])
    return _flat(tier) + _unit(tier) * quantity


def discounted(amount: int, coupon: Json) -> int:
    """How much a coupon takes off an amount, never more than all of it; nothing off a credit in cents."""
    if coupon["percent_off"] is not None:
        return cents(Fraction(str(coupon["percent_off"])) * amount / _WHOLE_PERCENT)
    off: int = coupon["amount_off"]
    return max(0, min(off, amount))
