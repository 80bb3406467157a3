"""Questions that a limit stopped, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import AccountId, KeptId, TurnId
from engine.kept import SealedQuestion
from storage.session import Row, Session, moment


class KeptQuestions:
    """KeepingTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def keep_question(self, question: SealedQuestion, most: int) -> None:
        kept = {"id": question.id, "account": question.account, "place": question.place}
        self._session.run(
            "keep_question",
            **kept,
            content=question.content,
            asked_at=question.asked_at,
            until=question.until,
        )
        self._session.run("drop_older_questions", **kept, most=most)

    def kept_question(self, question: KeptId, now: datetime) -> SealedQuestion | None:
        row = self._session.one("kept_question", id=question, now=now)
        return question_from(row) if row else None

    def kept_questions(self, account: AccountId, now: datetime) -> Sequence[SealedQuestion]:
        return [question_from(row) for row in self._session.all("kept_questions", account=account, now=now)]

    def question_waits(self, question: KeptId, account: AccountId, now: datetime) -> bool:
        row = self._session.one("question_waits", id=question, account=account, now=now)
        return bool(row and row["waits"])

    def answer_question(self, question: KeptId, turn: TurnId) -> None:
        self._session.run("answer_question", id=question, turn=turn)

    def follow_question(self, about: TurnId, turn: TurnId) -> KeptId | None:
        row = self._session.one("follow_question", about=about, turn=turn)
        return KeptId(row["id"]) if row else None

    def pass_question(self, ended: TurnId) -> None:
        self._session.run("pass_question", ended=ended)

    def drop_question(self, question: KeptId) -> None:
        self._session.run("drop_question", id=question)

    def drop_questions(self, account: AccountId) -> int:
        return self._session.run("drop_questions", account=account)

    def drop_lapsed(self, now: datetime) -> int:
        return self._session.run("drop_lapsed", now=now)


def question_from(row: Row) -> SealedQuestion:
    """A question's row as the engine knows it."""
    return SealedQuestion(
        KeptId(row["id"]),
        AccountId(row["account"]),
        row["place"],
        bytes(row["content"]),
        moment(row["asked_at"]),
        moment(row["until"]),
    )
