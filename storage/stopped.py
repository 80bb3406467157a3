"""Whom and what the operator has stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.blocks import Block
from engine.domain import AccountId
from engine.pauses import Pause
from storage.people import person_from
from storage.session import Session, moment, moment_or_none


class Stopped:
    """BlocksTx and PausesTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def block(self, account: AccountId, since: datetime, why: str) -> None:
        self._session.run("block", id=account, since=since, why=why)

    def unblock(self, account: AccountId) -> bool:
        return self._session.run("unblock", id=account) == 1

    def blocked(self) -> Sequence[Block]:
        return [
            Block(person_from(row), moment(row["blocked_at"]), row["blocked_why"])
            for row in self._session.all("blocked")
        ]

    def pauses(self, now: datetime) -> Sequence[Pause]:
        return [
            Pause(row["what"], moment(row["since"]), moment_or_none(row["until"]), row["why"])
            for row in self._session.all("pauses", now=now)
        ]

    def pause(self, pause: Pause) -> None:
        self._session.run("pause", what=pause.what, since=pause.since, until=pause.until, why=pause.why)

    def resume(self, what: str, now: datetime) -> bool:
        row = self._session.one("resume", what=what)
        until = moment_or_none(row["until"]) if row else None
        return row is not None and (until is None or until > now)
