"""What moved the revenue, and how far accounts came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from engine.domain import AccountId, TierName
from engine.facts import Mode
from engine.figures import FunnelStep, Movement, MovementKind, Reached
from engine.tallies import BALANCE, day_number, stepped
from storage.session import EPOCH, Row, Session, fraction, moment, span

BEFORE_ALL = (EPOCH, AccountId(""), 0)


class Figures:
    """The part of FiguresTx that is about movements, steps and accounts, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def mrr(self, account: AccountId, mode: Mode) -> Fraction:
        row = self._session.one("last_movement", account=account, mode=mode)
        return Fraction(row["mrr_after"]) if row else Fraction(0)

    def add_movement(self, movement: Movement) -> Movement:
        last = self._session.one("last_movement", account=movement.account, mode=movement.mode)
        numbered = replace(movement, number=last["number"] + 1 if last else 1)
        self._session.run(
            "add_movement",
            account=numbered.account,
            mode=numbered.mode,
            number=numbered.number,
            kind=numbered.kind,
            delta=numbered.delta,
            mrr_after=numbered.after,
            tier=numbered.tier,
            currency=numbered.currency,
            voluntary=numbered.voluntary,
            at=numbered.at,
        )
        self._moved(numbered, last)
        return numbered

    def _moved(self, movement: Movement, last: Row | None) -> None:
        """Count what moved, and what it took from one tier and gave to another."""
        mode, day = movement.mode.value, day_number(movement.at)
        place = movement.currency, movement.tier.value
        self._shift((mode, day, *place, movement.kind.value), 1, movement.delta)
        self._shift((mode, day, *place, BALANCE), int(movement.after > 0), movement.after)
        if last:
            before = Fraction(last["mrr_after"])
            self._shift((mode, day, last["currency"], last["tier"], BALANCE), -int(before > 0), -before)

    def _shift(self, key: tuple[str, int, str, str, str], times: int, amount: Fraction) -> None:
        self._session.tally_revenue((*key, amount.denominator), times, amount.numerator)

    def account_movements(self, account: AccountId, mode: Mode) -> Sequence[Movement]:
        rows = self._session.all("account_movements", account=account, mode=mode)
        return [movement_from(row) for row in rows]

    def movements(
        self, mode: Mode, after: tuple[datetime, AccountId, int] | None, limit: int
    ) -> Sequence[Movement]:
        at, account, number = after or BEFORE_ALL
        rows = self._session.all("movements", mode=mode, at=at, account=account, number=number, most=limit)
        return [movement_from(row) for row in rows]

    def reach(self, reached: Reached) -> bool:
        noted = self._session.run(
            "reach", account=reached.account, mode=reached.mode, step=reached.step, at=reached.at
        )
        if noted:
            self._session.tally(stepped(reached.mode, reached.step, reached.at))
        return noted == 1

    def reached(self, mode: Mode, since: datetime, until: datetime) -> Sequence[tuple[FunnelStep, int]]:
        rows = self._session.all("reached", mode=mode, since=since, until=until)
        counts = {row["step"]: row["accounts"] for row in rows}
        return [(step, counts.get(step, 0)) for step in FunnelStep]

    def journeys(
        self, mode: Mode, first: FunnelStep, last: FunnelStep, since: datetime, until: datetime
    ) -> Sequence[timedelta]:
        rows = self._session.all("journeys", mode=mode, first=first, last=last, since=since, until=until)
        return [span(row["took"]) for row in rows]

    def count_accounts(self) -> int:
        row = self._session.one("count_accounts")
        return row["accounts"] if row else 0


def movement_from(row: Row) -> Movement:
    """A movement's row as the engine knows it."""
    return Movement(
        number=row["number"],
        account=AccountId(row["account"]),
        mode=Mode(row["mode"]),
        kind=MovementKind(row["kind"]),
        delta=fraction(row["delta"]),
        after=fraction(row["mrr_after"]),
        tier=TierName(row["tier"]),
        currency=row["currency"],
        voluntary=bool(row["voluntary"]),
        at=moment(row["moved_at"]),
    )
