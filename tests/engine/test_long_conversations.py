"""A conversation of 500 turns: what is sent is right, and a question costs no more than in a short one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.admission import Admission, admit
from engine.context import HISTORY_TURNS, RETOLD
from engine.domain import Answered, Person, Redo, TurnId
from engine.ledger import Tx
from engine.models import Finish, Usage
from engine.summaries import OwedSummary
from engine.turns import Settlement
from tests.engine.conftest import ALICE, QUICK, Hall, last
from tests.engine.gauge import Gauge, gauged
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE, conversation, hold

LENGTH = 500


def grown(tx: Tx, name: str, turns: int, person: Person = ALICE, every: int | None = None) -> None:
    """A conversation of so many turns; with `every`, that many turns after the other are summed up."""
    where, parent = conversation(tx, name, person, NOON - timedelta(days=1)), None
    for number in range(turns):
        at = NOON - (turns - number) * MINUTE
        parent = hold(tx, f"{name}{number}", name, person, at, parent=parent)
        finish = Finish.LENGTH if number == turns - 1 else Finish.END
        tx.settle(parent, Settlement("quick", f"answer {number}. {'x' * 300}", Usage(), None, finish, at))
        if every and number % every == every - 1:
            tx.owe_summary(OwedSummary(where, parent, "quick", 1), NOON)
            task = tx.claim_summary(NOON, NOON, "a")
            assert task
            tx.summary_made(task, parent, f"Up to {number}.", NOON)
    tx.bind(tx.lock_account(person, NOON).id, where, [name])


@pytest.fixture
async def roomy(hall: Hall) -> Hall:
    """A hall without limits of turns, where Alice has a short conversation and one of 500 turns."""
    hall.free(turns_per_conversation=None, requests_per_minute=None, concurrent=None, cost_ceiling_month=None)
    return hall


async def admitted(hall: Hall, place: str, patch: pytest.MonkeyPatch) -> Gauge:
    """What it takes to admit one more question there."""
    desk, ask = hall.chat().desk, hall.ask("And now?", anchors=(place,))
    turn = TurnId(f"next in {place}")
    with gauged(patch) as gauge:
        outcome = await hall.store.transact(lambda tx: admit(tx, desk, ask, turn, hall.clock.now()))
    assert isinstance(outcome, Admission), outcome
    await hall.store.transact(lambda tx: tx.release(turn, "busy", NOON))
    return gauge


async def test_admitting_reads_as_much_at_turn_500_as_at_turn_250(
    roomy: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is what a model could be sent, and no more."""

    def talks(tx: Tx) -> None:
        grown(tx, "half", LENGTH // 2)
        grown(tx, "whole", LENGTH)

    await roomy.store.transact(talks)
    half, whole = [await admitted(roomy, name, monkeypatch) for name in ("half", "whole")]
    assert (half.statements, half.rows) == (whole.statements, whole.rows)
    assert whole.rows <= HISTORY_TURNS + whole.statements
    assert whole.characters <= 3 * QUICK.context + 5000
    assert abs(whole.work - half.work) <= half.work // 50


async def test_with_summaries_it_reads_as_much_at_turn_500_as_at_turn_50(
    roomy: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talks(tx: Tx) -> None:
        grown(tx, "short", 45, every=20)
        grown(tx, "whole", LENGTH + 5, every=20)

    await roomy.store.transact(talks)
    short, whole = [await admitted(roomy, name, monkeypatch) for name in ("short", "whole")]
    assert (short.statements, short.rows) == (whole.statements, whole.rows)
    assert whole.rows <= 6 + whole.statements
    assert abs(whole.work - short.work) <= short.work // 20 + 2


async def test_stopping_there_reads_what_is_being_answered_and_not_what_was(
    roomy: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talks(tx: Tx) -> None:
        grown(tx, "whole", LENGTH)
        hold(tx, "running", "whole", ALICE, NOON)

    await roomy.store.transact(talks)
    with gauged(monkeypatch) as gauge:
        assert await roomy.chat().stop_at(ALICE, ["whole"]) == 1
    assert gauge.rows <= 2 * gauge.statements
    assert gauge.characters <= 1000


async def test_the_newest_turns_are_sent_in_order_with_the_last_summary(roomy: Hall) -> None:
    await roomy.store.transact(lambda tx: grown(tx, "whole", LENGTH, every=40))
    await last(roomy.chat(), roomy.ask("And now?", anchors=("whole",)))
    sent = roomy.one.seen[-1].messages
    assert RETOLD in sent[0].text
    assert "Up to 479." in sent[0].text
    assert [each.text for each in sent[2::2]] == [
        *(f"prompt of whole{n}" for n in range(480, 500)),
        "And now?",
    ]
    assert [each.text.partition(".")[0] for each in sent[3::2]] == [f"answer {n}" for n in range(480, 500)]


async def test_without_summaries_as_many_as_fit_are_sent(roomy: Hall) -> None:
    await roomy.store.transact(lambda tx: grown(tx, "whole", LENGTH))
    await last(roomy.chat(), roomy.ask("And now?", anchors=("whole",)))
    *said, newest = [each.text for each in roomy.one.seen[-1].messages[::2]]
    assert newest == "And now?"
    assert said == [f"prompt of whole{n}" for n in range(LENGTH - len(said), LENGTH)]
    assert 40 < len(said) < HISTORY_TURNS


async def test_a_branch_from_long_ago_knows_its_own_way_and_its_own_summary(roomy: Hall) -> None:
    def talk(tx: Tx) -> None:
        grown(tx, "whole", LENGTH, every=40)
        owner = tx.lock_account(ALICE, NOON).id
        found = tx.find_branch(owner, ["whole"])
        assert found
        tx.bind(owner, found.conversation.id, ["message"], TurnId("whole130"))

    await roomy.store.transact(talk)
    await last(roomy.chat(), roomy.ask("Go back.", anchors=("message", "whole")))
    sent = roomy.one.seen[-1].messages
    assert "Up to 119." in sent[0].text
    assert [each.text for each in sent[2::2]] == [
        *(f"prompt of whole{n}" for n in range(120, 131)),
        "Go back.",
    ]


@pytest.mark.parametrize(
    ("redo", "asked", "newest"),
    [(Redo.REGENERATE, "prompt of whole499", 498), (Redo.CONTINUE, "Your last", 499)],
)
async def test_the_last_answer_of_many_can_be_given_again_and_continued(
    roomy: Hall, redo: Redo, asked: str, newest: int
) -> None:
    await roomy.store.transact(lambda tx: grown(tx, "whole", LENGTH, every=40))
    wish = replace(roomy.ask(""), redo=redo, about=TurnId("whole499"))
    answered = await last(roomy.chat(), wish)
    assert isinstance(answered, Answered)
    assert answered.standing.turn == LENGTH + 1
    *_, before, _, last_asked = roomy.one.seen[-1].messages
    assert before.text == f"prompt of whole{newest}"
    assert last_asked.text.startswith(asked)
