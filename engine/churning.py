"""Who left in some days and who pays less, from the movements of these days alone; pure and exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from engine.domain import AccountId
from engine.figures import Movement, MovementKind
from engine.revenue import LogoChurn, RevenueChurn

NOTHING = Fraction(0)


class Churns:
    """The same as `revenue.logo_churn` and `revenue_churn` tell of all movements there ever were.

    Whoever did not move is as at the beginning, which is not read; prices are few, and are added up by kind.
    """

    def __init__(self, movements: Iterable[Movement]) -> None:
        """`movements` of the days, oldest first."""
        first: dict[tuple[AccountId, str], Movement] = {}
        last: dict[tuple[AccountId, str], Movement] = {}
        self._unwilling: dict[AccountId, bool] = {}
        for each in movements:
            place = each.account, each.currency
            first.setdefault(place, each)
            last[place] = each
            if each.kind is MovementKind.CHURN:
                self._unwilling[each.account] = not each.voluntary
        self._paid_before: set[AccountId] = set()
        self._pay_after: set[AccountId] = set()
        self._changes: Counter[tuple[str, Fraction, Fraction, bool]] = Counter()
        for (account, currency), began in first.items():
            before, after = began.after - began.delta, last[account, currency].after
            if before > 0:
                self._paid_before.add(account)
                self._changes[currency, before, after, self._unwilling.get(account, False)] += 1
            if after > 0:
                self._pay_after.add(account)

    def logos(self, opening: int) -> LogoChurn:
        """Accounts that left, of so many that there were."""
        lost = self._paid_before - self._pay_after
        unwilling = sum(self._unwilling.get(account, False) for account in lost)
        return LogoChurn(opening, len(lost) - unwilling, unwilling)

    def revenue(self, currency: str, opening: Fraction) -> RevenueChurn:
        """What those that were there bring in less, or more, of what they brought in."""
        lost = {False: NOTHING, True: NOTHING}
        reduced = grown = NOTHING
        for (its, before, after, unwilling), times in self._changes.items():
            if its != currency:
                continue
            if after <= 0:
                lost[unwilling] += before * times
            else:
                reduced += max(before - after, NOTHING) * times
                grown += max(after - before, NOTHING) * times
        return RevenueChurn(opening, lost[False], lost[True], reduced, grown)
