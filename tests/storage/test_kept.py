"""Kept questions as rows, and how news of a payment finds them."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.domain import AccountId, Kept, KeptId
from engine.facts import Mode
from engine.kept import SealedQuestion
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, conversation, hold, notice

DAY = timedelta(days=1)


def keep(tx: Tx, name: str, owner: AccountId, at: datetime = NOON) -> SealedQuestion:
    """Keep one of an account, in a channel of its own."""
    question = SealedQuestion(KeptId(name), owner, f"place of {name}", b"sealed", at, at + DAY)
    tx.keep_question(question, 3)
    return question


def told(tx: Tx, number: int, now: datetime) -> list[Kept | None]:
    """What a notice says that waits: owed and claimed, and once more when it was kept for a command."""
    owed = notice(account(tx), f"key {number}", at=now)
    tx.owe(owed)
    (claimed,) = tx.claim_notices(Mode.TEST, now, now + MINUTE, ["local"], 10)
    tx.keep_notice(claimed.id)
    (taken,) = tx.take_kept(owed.account, Mode.TEST, now)
    return [claimed.kept, taken.kept]


async def test_a_notice_names_its_own_accounts_newest_question_that_waits(store: Store) -> None:
    def work(tx: Tx) -> list[list[Kept | None]]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        keep(tx, "older", ann)
        keep(tx, "newer", ann, NOON + MINUTE)
        keep(tx, "ben's", ben, NOON + 2 * MINUTE)
        found = [told(tx, 1, NOON + 2 * MINUTE)]
        conversation(tx)
        tx.answer_question(KeptId("newer"), hold(tx, "turn"))
        return [*found, told(tx, 2, NOON + 2 * MINUTE), told(tx, 3, NOON + DAY)]

    newer, older = Kept(KeptId("newer"), NOON + MINUTE + DAY), Kept(KeptId("older"), NOON + DAY)
    assert await store.transact(work) == [[newer, newer], [older, older], [None, None]]


async def test_what_is_kept_is_read_back_as_it_was_stored(store: Store) -> None:
    def work(tx: Tx) -> bool:
        question = keep(tx, "one", account(tx))
        known = tx.kept_question(question.id, NOON)
        return known == question and list(tx.kept_questions(question.account, NOON)) == [question]

    assert await store.transact(work)
