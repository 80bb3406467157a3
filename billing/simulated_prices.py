"""What the simulated Stripe charges: the prices of config.toml."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from engine.domain import Interval, Micros, Tier, TierName
from engine.errors import TellOperatorError

CENT = 10_000
"""Micro-dollars; each line of an invoice is of whole cents."""
UNIT = 1_000
MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}


class SimulatedPrices:
    """Prices of the tiers; what is not described costs nothing."""

    def __init__(self, tiers: Mapping[TierName, Tier], markup: Decimal = Decimal(0)) -> None:
        self.tiers = tiers
        self.markup = Fraction(markup)

    def amount(self, tier: TierName, interval: Interval, quantity: int) -> Micros:
        """What one interval costs: the tier, and each seat beyond those that it includes."""
        rules = self.tiers.get(tier)
        if rules is None:
            return Micros(0)
        extra = max(0, quantity - rules.seats) * (rules.extra_seat(interval) or 0)
        return Micros(rules.price(interval) + extra)

    def check(self, tier: TierName, interval: Interval) -> None:
        """TellOperatorError if there are prices and none for this."""
        if self.tiers and not self.amount(tier, interval, 1):
            raise TellOperatorError(f"config.toml has no price for {tier} by the {interval}")

    def monthly(self, tier: TierName, interval: Interval, quantity: int) -> Fraction:
        """Micro-dollars a month."""
        return Fraction(self.amount(tier, interval, quantity), MONTHS[interval])

    def metered(self, units: int) -> Micros:
        """What so many units of the meter cost, in whole cents; a unit is 1/1000 USD of vendor cost."""
        return Micros(round(units * UNIT * self.markup / CENT) * CENT)
