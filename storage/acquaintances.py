"""How people want to be spoken to."""

from __future__ import annotations

from datetime import datetime

from engine.acquaintance import Acquaintance
from engine.domain import AccountId, Person
from storage.session import Session


class Acquaintances:
    """AcquaintanceTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def acquaintance(self, person: Person) -> Acquaintance | None:
        row = self._session.one(
            "acquaintance", platform=person.platform, workspace=person.workspace, member=person.user
        )
        return Acquaintance(row["language"], row["locale"], row["welcomed_at"] is not None) if row else None

    def set_locale(self, person: Person, locale: str) -> None:
        self._session.run(
            "set_locale",
            platform=person.platform,
            workspace=person.workspace,
            member=person.user,
            locale=locale,
        )

    def set_language(self, account: AccountId, language: str | None) -> None:
        self._session.run("set_language", id=account, language=language)

    def welcome(self, account: AccountId, now: datetime) -> bool:
        return self._session.run("welcome", id=account, now=now) == 1
