"""Turns at reading Stripe, and what the clock starts."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.facts import Mode
from storage.session import Session, moment

FARTHEST = timedelta(minutes=1)
"""Nobody waits that long for a turn."""


class Jobs:
    """The part of JobsTx that is about turns and jobs, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take_turn(self, mode: Mode, now: datetime, spacing: timedelta) -> datetime:
        row = self._session.one("take_turn", mode=mode, now=now, spacing=spacing, farthest=FARTHEST)
        if row is None:
            raise AssertionError("an upsert returns its row")
        return moment(row["taken_at"])

    def begin_job(self, name: str, now: datetime, lease_until: datetime) -> str | None:
        row = self._session.one("begin_job", name=name, now=now, lease_until=lease_until)
        return str(row["note"]) if row else None

    def end_job(self, name: str, note: str, due: datetime) -> None:
        self._session.run("end_job", name=name, note=note, due=due)
