"""Monthly recurring revenue as its movements tell it: balances, sums by kind, churn; pure and exact."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from engine.domain import AccountId
from engine.figures import Movement, MovementKind

Balances = dict[tuple[AccountId, str], Fraction]
"""Micro-dollars a month by account and currency."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """All movements of a kind in a span."""

    kind: MovementKind
    count: int
    total: Fraction


@dataclass(slots=True)
class Tally:
    """What movements add up to, page by page."""

    span: Span
    opening: Balances = field(default_factory=lambda: defaultdict(Fraction))
    closing: Balances = field(default_factory=lambda: defaultdict(Fraction))
    present: Balances = field(default_factory=lambda: defaultdict(Fraction))
    """After all movements, those behind the span too."""
    counts: Counter[tuple[str, MovementKind]] = field(default_factory=Counter)
    totals: dict[tuple[str, MovementKind], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    unwilling: dict[AccountId, bool] = field(default_factory=dict)
    """Whether the last churn of an account in the span was failed or disputed payment."""

    def add(self, movements: Iterable[Movement]) -> None:
        """Take a page of movements; their order between accounts does not matter."""
        for each in movements:
            place = each.account, each.currency
            self.present[place] += each.delta
            if each.at < self.span.until:
                self.closing[place] += each.delta
            if each.at < self.span.since:
                self.opening[place] += each.delta
            elif each.at < self.span.until:
                self._moved(each)

    def _moved(self, movement: Movement) -> None:
        self.counts[movement.currency, movement.kind] += 1
        self.totals[movement.currency, movement.kind] += movement.delta
        if movement.kind is MovementKind.CHURN:
            self.unwilling[movement.account] = not movement.voluntary

    def moved(self, currency: str) -> tuple[Moved, ...]:
        """The movements of a currency by kind; their totals sum to its closing less its opening."""
        return tuple(
            Moved(kind, self.counts[currency, kind], self.totals.get((currency, kind), Fraction(0)))
            for kind in MovementKind
        )


@dataclass(frozen=True, slots=True)
class LogoChurn:
    """Accounts that brought in money when a span began, and those of them that no longer did at its end."""

    opening: int
    voluntary: int
    involuntary: int

    @property
    def lost(self) -> int:
        """All that were lost."""
        return self.voluntary + self.involuntary

    @property
    def rate(self) -> Fraction | None:
        """The share that was lost; None if there was nobody to lose."""
        return share(self.lost, self.opening)


@dataclass(frozen=True, slots=True)
class RevenueChurn:
    """What accounts that brought in money when a span began bring in less, or more, at its end."""

    opening: Fraction
    lost_willing: Fraction
    """Of accounts that left by choice."""
    lost_unwilling: Fraction
    """Of accounts whose payments failed or were disputed."""
    reduced: Fraction
    """Of accounts that stayed and pay less."""
    grown: Fraction

    @property
    def gross(self) -> Fraction | None:
        """The share lost and reduced."""
        return share(self.lost_willing + self.lost_unwilling + self.reduced, self.opening)

    @property
    def net(self) -> Fraction | None:
        """The same less growth; negative when growth outweighs it."""
        lost = self.lost_willing + self.lost_unwilling + self.reduced
        return share(lost - self.grown, self.opening)


def total(balances: Mapping[tuple[AccountId, str], Fraction], currency: str) -> Fraction:
    """What all accounts bring in of a currency."""
    return sum((amount for (_, each), amount in balances.items() if each == currency), Fraction(0))


def paying(balances: Mapping[tuple[AccountId, str], Fraction], currency: str | None = None) -> set[AccountId]:
    """Accounts that bring in money, of one currency or of any."""
    return {
        account
        for (account, each), amount in balances.items()
        if amount > 0 and (currency is None or each == currency)
    }


def logo_churn(tally: Tally) -> LogoChurn:
    """Accounts above 0 at the beginning and at 0 at the end, by why they left."""
    opening = paying(tally.opening)
    lost = opening - paying(tally.closing)
    unwilling = sum(tally.unwilling.get(account, False) for account in lost)
    return LogoChurn(len(opening), len(lost) - unwilling, unwilling)


def revenue_churn(tally: Tally, currency: str) -> RevenueChurn:
    """How the revenue of the accounts there at the beginning changed until the end."""
    lost = {False: Fraction(0), True: Fraction(0)}
    reduced = grown = Fraction(0)
    for (account, each), before in tally.opening.items():
        if each != currency or before <= 0:
            continue
        after = tally.closing[account, each]
        if after <= 0:
            lost[tally.unwilling.get(account, False)] += before
        else:
            reduced += max(before - after, Fraction(0))
            grown += max(after - before, Fraction(0))
    return RevenueChurn(total(tally.opening, currency), lost[False], lost[True], reduced, grown)


def share(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    """A part of a whole; None of nothing."""
    return Fraction(part) / whole if whole else None
