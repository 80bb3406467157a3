"""What is written down of a turn that has come to its end."""

from __future__ import annotations

from datetime import datetime

from engine import compaction
from engine.admission import Admission
from engine.ledger import Tx
from engine.overage import settle
from engine.turns import Exchange, Settlement


def write_down(tx: Tx, admission: Admission, settlement: Settlement) -> None:
    """Settle a turn that brought the member any text, and release one that did not, with what it cost."""
    turn, now = admission.turn, settlement.settled_at
    if settlement.answer.strip():
        owe_summary(tx, admission, settlement.answer, now)
        settle(tx, turn, settlement, admission.metered)
        if admission.kept:  # the account is locked by now
            tx.drop_question(admission.kept)
    else:
        tx.release(turn, settlement.outcome, now)
        tx.record_spend(turn, settlement)
        if admission.kept and admission.batch:
            tx.pass_question(turn)


def owe_summary(tx: Tx, admission: Admission, answer: str, now: datetime) -> None:
    """Owe a summary to a conversation that has grown long by an answer; before any purse is locked."""
    said = Exchange(admission.routes[0].completion.messages[-1].text, answer)
    if owed := compaction.owed(admission.growth, admission.conversation, admission.turn, said):
        tx.owe_summary(owed, now)
