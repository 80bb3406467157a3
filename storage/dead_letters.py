"""Work that was given up, whatever it was, and its return to life."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.facts import Mode
from engine.terms import DeadLetter, LetterKind
from storage.session import Session

RETRY = ("retry_dead_customers", "retry_dead_duties", "retry_dead_reports")


class DeadLetters:
    """The part of JobsTx that is about dead letters, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def dead_letters(self, mode: Mode) -> Sequence[DeadLetter]:
        return [
            DeadLetter(LetterKind(row["kind"]), row["id"], row["error"], row["attempts"])
            for row in self._session.all("dead_letters", mode=mode)
        ]

    def count_dead(self, mode: Mode) -> int:
        row = self._session.one("count_dead", mode=mode)
        return row["dead"] if row else 0

    def retry_dead(self, mode: Mode, now: datetime, letter: str | None = None) -> int:
        return sum(self._session.run(each, mode=mode, now=now, letter=letter) for each in RETRY)
