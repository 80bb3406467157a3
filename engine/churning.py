"""Who left in some days and who pays less, from those that moved in these days alone; pure and exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from engine.domain import AccountId
from engine.revenue import LogoChurn, RevenueChurn
from engine.tallies import Turnover

NOTHING = Fraction(0)
Ratio = tuple[int, int]
"""A fraction's parts, which are quick to look at and to count by."""


class Churns:
    """The same as `revenue.logo_churn` and `revenue_churn` tell of all movements there ever were.

    Whoever did not move is as at the beginning, which is not read; prices are few, and are added up by kind.
    """

    def __init__(self, turnovers: Iterable[Turnover]) -> None:
        """`turnovers` of the days."""
        self._unwilling: set[AccountId] = set()
        self._paid_before: set[AccountId] = set()
        self._pay_after: set[AccountId] = set()
        self._changes: Counter[tuple[str, Ratio, Ratio, bool]] = Counter()
        for each in turnovers:
            before, after = each.before.as_integer_ratio(), each.after.as_integer_ratio()
            if each.unwilling:
                self._unwilling.add(each.account)
            if before[0] > 0:
                self._paid_before.add(each.account)
                self._changes[each.currency, before, after, each.unwilling] += 1
            if after[0] > 0:
                self._pay_after.add(each.account)

    def logos(self, opening: int) -> LogoChurn:
        """Accounts that left, of so many that there were."""
        lost = self._paid_before - self._pay_after
        unwilling = len(lost & self._unwilling)
        return LogoChurn(opening, len(lost) - unwilling, unwilling)

    def revenue(self, currency: str, opening: Fraction) -> RevenueChurn:
        """What those that were there bring in less, or more, of what they brought in."""
        lost = {False: NOTHING, True: NOTHING}
        reduced = grown = NOTHING
        for (its, old, new, unwilling), times in self._changes.items():
            if its != currency:
                continue
            before, after = Fraction(*old), Fraction(*new)
            if after <= 0:
                lost[unwilling] += before * times
            else:
                reduced += max(before - after, NOTHING) * times
                grown += max(after - before, NOTHING) * times
        return RevenueChurn(opening, lost[False], lost[True], reduced, grown)
