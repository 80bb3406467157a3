"""Calls owed to Stripe: owed once, claimed under a lease, done or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.facts import Mode
from engine.terms import Duty, DutyId, DutyKind
from storage.session import Row, Session


class Duties:
    """DutiesTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def owe_duty(self, duty: Duty, due: datetime) -> bool:
        owed = self._session.run(
            "owe_duty",
            id=duty.id,
            kind=duty.kind,
            mode=duty.mode,
            subject=duty.subject,
            attempts=duty.attempts,
            due=due,
        )
        return owed == 1

    def claim_duties(self, mode: Mode, now: datetime, lease_until: datetime, limit: int) -> Sequence[Duty]:
        rows = self._session.all("claim_duties", mode=mode, now=now, lease_until=lease_until, most=limit)
        return [duty_from(row) for row in rows]

    def duty_done(self, duty: DutyId, now: datetime) -> None:
        self._session.run("duty_done", id=duty, now=now)

    def duty_later(self, duty: DutyId, due: datetime, error: str) -> None:
        self._session.run("duty_later", id=duty, due=due, error=error)

    def duty_dead(self, duty: DutyId, error: str) -> None:
        self._session.run("duty_dead", id=duty, error=error)

    def drop_duty(self, duty: DutyId) -> None:
        self._session.run("drop_duty", id=duty)


def duty_from(row: Row) -> Duty:
    """A duty's row as the engine knows it."""
    return Duty(DutyId(row["id"]), DutyKind(row["kind"]), Mode(row["mode"]), row["subject"], row["attempts"])
