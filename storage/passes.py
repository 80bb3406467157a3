"""Links into the dashboard, and the sessions that they begin."""

from __future__ import annotations

from datetime import datetime

from engine.passes import Link, LinkState, Session
from storage import session as units
from storage.session import moment


class Passes:
    """PassesTx on a session of the database."""

    def __init__(self, session: units.Session) -> None:
        self._session = session

    def ask_for_link(self, person: str, now: datetime, span_before: datetime, most: int) -> bool:
        return (
            self._session.run("ask_for_link", person=person, now=now, span_before=span_before, most=most) == 1
        )

    def add_link(self, digest: str, person: str, now: datetime, until: datetime) -> None:
        self._session.run("void_links", person=person)
        self._session.run("add_link", digest=digest, person=person, now=now, until=until)

    def link(self, digest: str) -> Link | None:
        row = self._session.one("entry_link", digest=digest)
        return Link(row["person"], moment(row["expires_at"]), LinkState(row["state"])) if row else None

    def use_link(self, digest: str, now: datetime) -> bool:
        return self._session.run("use_link", digest=digest, now=now) == 1

    def begin_session(self, digest: str, person: str, now: datetime, until: datetime) -> None:
        self._session.run("begin_session", digest=digest, person=person, now=now, until=until)

    def admin_session(self, digest: str, now: datetime) -> Session | None:
        row = self._session.one("admin_session", digest=digest, now=now)
        return Session(row["person"], moment(row["expires_at"])) if row else None

    def end_session(self, digest: str) -> bool:
        return self._session.run("end_session", digest=digest) == 1

    def end_sessions(self, person: str | None) -> int:
        if person is None:
            self._session.run("void_all_links")
            return self._session.run("end_all_sessions")
        self._session.run("void_links", person=person)
        return self._session.run("end_sessions_of", person=person)

    def forget_passes(self, asked_before: datetime, now: datetime) -> None:
        self._session.run("forget_links", asked_before=asked_before)
        self._session.run("forget_asked", asked_before=asked_before)
        self._session.run("forget_sessions", now=now)
