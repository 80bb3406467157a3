"""What waits, and what is stuck."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.vitals import Vitals
from storage.session import Session, moment_or_none


class HouseVitals:
    """VitalsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def vitals(self, now: datetime) -> Vitals:
        row = self._session.one("vitals", now=now)
        if row is None:
            raise AssertionError("counts are always there")
        oldest = moment_or_none(row["oldest"])
        return Vitals(
            held_turns=row["held_turns"],
            backlog=row["backlog"],
            waiting=now - oldest if oldest else timedelta(0),
            dead_letters=row["dead_customers"] + row["dead_duties"] + row["dead_reports"],
            notices_owed=row["notices_owed"],
            alerts_owed=row["alerts_unseen"] + row["alerts_owed"],
            circuits_open=row["circuits_open"],
        )
