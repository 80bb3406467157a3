"""What operators did."""

from __future__ import annotations

from collections.abc import Sequence

from engine.audit import Actor, Deed, DeedOrder, Entry, Origin, Wanted
from storage.session import Row, Session, moment

AFTER_ALL = 2**62
ESCAPED = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


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

    def find_deeds(self, wanted: Wanted, skip: int, limit: int) -> Sequence[Entry]:
        found = {"deed": wanted.deed, "pattern": pattern(wanted), "skip": skip, "most": limit}
        if wanted.order is DeedOrder.TIME:
            rows = self._session.all("oldest_deeds" if wanted.rising else "newest_deeds", **found)
        else:
            way = {"word": wanted.order, "rising": int(wanted.rising)}
            rows = self._session.all("sorted_deeds", **way, **found)
        return [entry_from(row) for row in rows]

    def count_deeds(self, wanted: Wanted) -> int:
        row = self._session.one("count_deeds", deed=wanted.deed, pattern=pattern(wanted))
        return row["deeds"] if row else 0


def pattern(wanted: Wanted) -> str:
    """What the text of an entry is like, in small letters."""
    return f"%{wanted.text.strip().lower().translate(ESCAPED)}%"


def entry_from(row: Row) -> Entry:
    """An entry's row as the engine knows it."""
    actor = Actor(row["actor"], Origin(row["origin"]))
    at, deed = moment(row["at"]), Deed(row["deed"])
    return Entry(at, actor, deed, row["subject"], row["detail"], row["number"])
