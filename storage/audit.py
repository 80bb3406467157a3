"""What operators did."""

from __future__ import annotations

from collections.abc import Sequence

from engine.audit import Actor, Deed, Entry, Origin
from storage.session import Row, Session, moment

AFTER_ALL = 2**62


class Audit:
    """AuditTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def note(self, entry: Entry) -> None:
        self._session.run(
            "note_deed",
            at=entry.at,
            actor=entry.actor.name,
            origin=entry.actor.origin,
            deed=entry.deed,
            subject=entry.subject,
            detail=entry.detail,
        )

    def deeds(self, before: int | None, limit: int) -> Sequence[Entry]:
        rows = self._session.all("deeds", before=AFTER_ALL if before is None else before, most=limit)
        return [entry_from(row) for row in rows]


def entry_from(row: Row) -> Entry:
    """An entry's row as the engine knows it."""
    actor = Actor(row["actor"], Origin(row["origin"]))
    at, deed = moment(row["at"]), Deed(row["deed"])
    return Entry(at, actor, deed, row["subject"], row["detail"], row["number"])
