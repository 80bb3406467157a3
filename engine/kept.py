"""Questions that a limit stopped, as they are kept until it is lifted: sealed, for a day, and few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.domain import AccountId, KeptId, TurnId


@dataclass(frozen=True, slots=True)
class SealedQuestion:
    """A question that nobody can read without the key; `place` is the channel that it was asked in."""

    id: KeptId
    account: AccountId
    place: str
    content: bytes = field(repr=False)
    asked_at: datetime
    until: datetime

    @property
    def about(self) -> str:
        """What it is sealed as: content that is moved to another row does not open."""
        return f"question/{self.account}/{self.id}"


class KeepingTx(Protocol):
    """Kept questions; whoever writes about one holds its account's lock."""

    def keep_question(self, question: SealedQuestion, most: int) -> None:
        """Keep it in place of the account's earlier one of its place, and of all but the newest `most`."""
        ...

    def kept_question(self, question: KeptId, now: datetime) -> SealedQuestion | None:
        """One that is kept at `now`, whosever it is."""
        ...

    def kept_questions(self, account: AccountId, now: datetime) -> Sequence[SealedQuestion]:
        """Those of an account that nothing answers yet, the newest first."""
        ...

    def question_waits(self, question: KeptId, account: AccountId, now: datetime) -> bool:
        """Whether it is that account's, is kept at `now`, and is neither answered nor being answered."""
        ...

    def answer_question(self, question: KeptId, turn: TurnId) -> None:
        """That turn answers it: while the turn is held or settled, the question does not wait."""
        ...

    def follow_question(self, about: TurnId, turn: TurnId) -> KeptId | None:
        """A turn is done again by another, which now answers its kept question, if it has one."""
        ...

    def pass_question(self, ended: TurnId) -> None:
        """A turn of a comparison brought no answer: one that is still held answers its kept question."""
        ...

    def drop_question(self, question: KeptId) -> None:
        """Keep it no longer."""
        ...

    def drop_questions(self, account: AccountId) -> int:
        """Keep none of an account's any longer; how many there were."""
        ...

    def drop_lapsed(self, now: datetime) -> int:
        """Forget those whose time is over; how many."""
        ...
