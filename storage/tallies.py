"""Counts behind the operator's figures: gathered while a unit runs, written as the last that it does."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from fractions import Fraction
from functools import lru_cache

from engine.domain import AccountId, Micros, TierName
from engine.facts import Mode
from engine.figures import MovementKind
from engine.tallies import (
    Amounts,
    Balance,
    Counted,
    Key,
    Kind,
    RevenueDay,
    Turnover,
    Waiting,
    WaitingKind,
    day_of,
)
from storage.session import DAY, MrrKey, Row, Session, fraction, moment_or_none
from storage.spending import month_number

AT_ONCE = 4
"""Counts that one statement adds."""
NOTHING = (Key(Kind.NONE, "", 0), Amounts())


class Tallied:
    """TalliesTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def tally(self, *counted: Counted) -> None:
        self._session.tally(*counted)

    def tallies(
        self, kinds: Iterable[Kind], mode: str, since: int, until: int, step: int = 1
    ) -> Sequence[Counted]:
        return [
            counted_from(row)
            for kind in kinds
            for row in self._session.all("tallies", kind=kind, mode=mode, since=since, until=until, step=step)
        ]

    def revenue_days(self, mode: Mode, until: date) -> Sequence[RevenueDay]:
        return [revenue_day_from(row) for row in self._session.all("mrr_days", mode=mode, until=until)]

    def turnovers(self, mode: Mode, since: datetime, until: datetime) -> Sequence[Turnover]:
        rows = self._session.all("movements_between", mode=mode, since=since, until=until)
        return turnovers_from(rows)

    def balances(self, mode: Mode, until: date) -> Sequence[Balance]:
        rows = self._session.all("balances", mode=mode, until=day_start(until))
        return [balance_from(row) for row in rows]

    def balances_of_dearest(self, mode: Mode, until: date, month: date, limit: int) -> Sequence[Balance]:
        rows = self._session.all(
            "balances_of_dearest",
            mode=mode,
            until=day_start(until),
            month=month_number(month),
            most=limit,
        )
        return [balance_from(row) for row in rows]

    def metered_costs(self, mode: Mode, since: datetime, until: datetime) -> Mapping[AccountId, Micros]:
        rows = self._session.all("metered_costs", mode=mode, since=since, until=until)
        return {AccountId(row["account"]): Micros(int(row["cost"])) for row in rows}

    def waiting(self, mode: Mode, now: datetime) -> Sequence[Waiting]:
        rows = self._session.all("waiting", mode=mode, now=now)
        return [
            Waiting(WaitingKind(row["kind"]), row["waiting"], moment_or_none(row["oldest"])) for row in rows
        ]


def write_tallies(session: Session) -> None:
    """Write what a unit counted, in one order, after all else that it does.

    So whoever waits for one of these rows holds none that its holder wants, and waits for a commit alone.
    """
    for change in sorted(session.revenue.items()):
        add_revenue(session, *change)
    changes = [(key, amounts) for key, amounts in sorted(session.tallies.items()) if amounts != Amounts()]
    slot = random.randrange(session.slots) if changes else 0  # noqa: S311 - spreads writers, guards nothing
    for first in range(0, len(changes), AT_ONCE):
        add(session, changes[first : first + AT_ONCE], slot)


def add(session: Session, changes: Sequence[Counted], slot: int) -> None:
    """Add at most AT_ONCE counts with one statement, in this order."""
    filled = changes if len(changes) == 1 else [*changes, *[NOTHING] * (AT_ONCE - len(changes))]
    params: dict[str, str | int] = {"slot": slot}
    for number, (key, amounts) in enumerate(filled):
        params |= {
            f"kind_{number}": key.kind,
            f"mode_{number}": key.mode,
            f"period_{number}": key.period,
            f"tier_{number}": key.tier,
            f"provider_{number}": key.provider,
            f"model_{number}": key.model,
            f"detail_{number}": key.detail,
            f"times_{number}": amounts.times,
            f"turns_{number}": amounts.turns,
            f"unpriced_{number}": amounts.unpriced,
            f"input_tokens_{number}": amounts.input_tokens,
            f"output_tokens_{number}": amounts.output_tokens,
            f"cost_{number}": amounts.cost,
        }
    session.run("add_tally" if len(filled) == 1 else "add_tallies", **params)


def add_revenue(session: Session, key: MrrKey, change: tuple[int, int]) -> None:
    """Add what moved a tier's MRR on a day: how often, and by how many parts of a denominator."""
    mode, day, currency, tier, kind, denominator = key
    times, numerator = change
    if times or numerator:
        session.run(
            "add_mrr_day",
            mode=mode,
            day=day,
            currency=currency,
            tier=tier,
            kind=kind,
            denominator=denominator,
            times=times,
            numerator=numerator,
        )


def day_start(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=1024)
def difference(after: str, delta: str) -> Fraction:
    """What there was before something changed; there are few prices."""
    return fraction(after) - fraction(delta)


def turnovers_from(rows: Sequence[Row]) -> Sequence[Turnover]:
    """What movements, oldest first, come to by account and currency."""
    first: dict[tuple[str, str], Row] = {}
    last: dict[tuple[str, str], Row] = {}
    willing: dict[str, int] = {}
    for row in rows:
        place = row["account"], row["currency"]
        first.setdefault(place, row)
        last[place] = row
        if row["kind"] == MovementKind.CHURN:
            willing[place[0]] = row["voluntary"]
    return [
        Turnover(
            AccountId(account),
            currency,
            difference(began["mrr_after"], began["delta"]),
            fraction(last[account, currency]["mrr_after"]),
            willing.get(account) == 0,
        )
        for (account, currency), began in first.items()
    ]


def balance_from(row: Row) -> Balance:
    """A change of an account's MRR as the engine knows it."""
    return Balance(row["account"], row["moved_at"] // DAY, fraction(row["mrr_after"]), row["currency"])


def counted_from(row: Row) -> Counted:
    """A count as the engine knows it; PostgreSQL sums to a Decimal."""
    names = row["tier"], row["provider"], row["model"], row["detail"]
    key = Key(Kind(row["kind"]), row["mode"], row["first"], *names)
    sums = row["times"], row["turns"], row["unpriced"], row["input_tokens"], row["output_tokens"], row["cost"]
    return key, Amounts(*map(int, sums))


def revenue_day_from(row: Row) -> RevenueDay:
    """What moved the MRR, of one denominator, as the engine knows it."""
    amount = Fraction(row["numerator"], row["denominator"])
    tier = TierName(row["tier"])
    return RevenueDay(day_of(row["day"]), row["currency"], tier, row["kind"], row["times"], amount)
