"""What was found when something was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.domain import AccountId, TurnId
from engine.screening import Finding, Looked
from storage.session import Session


class Screenings:
    """ScreeningTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def note_look(
        self, looked: Looked, *, account: AccountId | None = None, turn: TurnId | None = None
    ) -> None:
        self._session.run(
            "note_look",
            id=looked.id,
            about=looked.about,
            account=account,
            turn=turn,
            screen=looked.check,
            finding=looked.finding,
            categories=",".join(looked.categories),
            at=looked.at,
        )

    def looks_of(self, account: AccountId, since: datetime) -> int:
        row = self._session.one("looks_of", account=account, since=since)
        return int(row["looks"]) if row else 0

    def looks(self, since: datetime, until: datetime) -> Mapping[Finding, int]:
        rows = self._session.all("looks", since=since, until=until)
        return {Finding(row["finding"]): int(row["looks"]) for row in rows}
