"""The daily reports that are owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from engine.briefs import Brief
from storage.session import EPOCH, Session


class Briefs:
    """BriefsTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def owe_briefs(self, day: date, destinations: Sequence[str], now: datetime) -> None:
        self._session.run("drop_older_briefs", day=day)
        for each in destinations:
            self._session.run("owe_brief", day=day, destination=each, now=now)

    def claim_brief(self, now: datetime, lease_until: datetime, destinations: Sequence[str]) -> Brief | None:
        here = f",{','.join(destinations)},"
        row = self._session.one("claim_brief", now=now, lease_until=lease_until, destinations=here)
        if row is None:
            return None
        return Brief(EPOCH.date() + timedelta(days=row["day"]), row["destination"], row["attempts"])

    def brief_sent(self, brief: Brief) -> None:
        self._end(brief, "sent", "")

    def brief_later(self, brief: Brief, due: datetime, error: str) -> None:
        self._session.run("brief_later", day=brief.day, destination=brief.destination, due=due, error=error)

    def brief_refused(self, brief: Brief, error: str) -> None:
        self._end(brief, "refused", error)

    def forget_briefs(self, before: date) -> None:
        self._session.run("forget_briefs", before=before)

    def _end(self, brief: Brief, state: str, error: str) -> None:
        self._session.run("end_brief", day=brief.day, destination=brief.destination, state=state, error=error)
