"""Recorded use, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import Micros
from engine.recorded import Recorded
from engine.turns import TurnState
from storage.session import Row, Session, moment, moment_or_none
from storage.spending import entry_from

BEFORE_ALL = -1


class Rerun:
    """RecordedTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def recorded(
        self, since: datetime, until: datetime, after: tuple[datetime, int] | None, limit: int
    ) -> Sequence[Recorded]:
        at, number = after or (since, BEFORE_ALL)
        rows = self._session.all(
            "recorded", since=max(since, at), until=until, at=at, number=number, most=limit
        )
        return [recorded_from(row) for row in rows]


def recorded_from(row: Row) -> Recorded:
    """A row as the engine knows it."""
    entry = entry_from(row)
    return Recorded(
        number=row["number"],
        turn=entry.turn,
        account=entry.account,
        tier=entry.tier,
        purse=entry.purse,
        purpose=entry.purpose,
        charge=entry.charge,
        began_at=moment(row["began_at"]),
        conversation=row["conversation"],
        opened_at=moment_or_none(row["opened_at"]),
        batch=row["batch"],
        state=TurnState(row["state"]) if row["state"] else None,
        asked=row["asked_model"] or entry.charge.model,
        held=Micros(row["estimate"] or 0),
        on_credit=bool(row["on_credit"]),
    )
