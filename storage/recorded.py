"""Recorded use, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.domain import Micros, TierName
from engine.facts import Mode
from engine.recorded import Metered, Recorded
from engine.spending import Purpose
from engine.turns import Charge, TurnState
from storage.session import Row, Session, moment, moment_or_none
from storage.spending import usage_from

BEFORE_ALL = -1
TIERS: Mapping[str | None, TierName | None] = {
    "": None,
    None: None,
    **{each.value: each for each in TierName},
}
STATES: Mapping[str | None, TurnState | None] = {None: None, **{each.value: each for each in TurnState}}
PURPOSES: Mapping[str, Purpose] = {each.value: each for each in Purpose}


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

    def metered_in(self, mode: Mode, since: datetime, until: datetime) -> Sequence[Metered]:
        rows = self._session.all("metered_in", mode=mode, since=since, until=until)
        return [Metered(row["account"], Micros(int(row["cost"])), moment(row["last"])) for row in rows]


def recorded_from(row: Row) -> Recorded:
    """A row as the engine knows it; there may be a hundred thousand, so names are looked up, not made."""
    model, held = row["model"], row["estimate"]
    return Recorded(
        row["number"],
        row["turn"],
        row["account"],
        TIERS[row["tier"]],
        row["purse"],
        PURPOSES[row["purpose"]],
        Charge(model, row["provider"], usage_from(row), row["cost"]),
        moment(row["began_at"]),
        row["conversation"],
        moment_or_none(row["opened_at"]),
        row["batch"],
        STATES[row["state"]],
        row["asked_model"] or model,
        Micros(held or 0),
        on_credit=bool(row["on_credit"]),
        ended=bool(row["ended"]),
    )
