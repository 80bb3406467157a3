"""Conversations, the places that lead to them, and what was said."""

from __future__ import annotations

from collections.abc import Sequence

from engine.context import HISTORY_CHARACTERS
from engine.domain import AccountId, Conversation, ConversationId, TurnId
from engine.ledger import Tx
from engine.turns import Exchange
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, conversation, hold, settlement


def found_at(tx: Tx, owner: AccountId, places: Sequence[str]) -> Conversation | None:
    """The conversation that these places lead to."""
    branch = tx.find_branch(owner, places)
    return branch.conversation if branch else None


async def test_the_first_place_that_leads_somewhere_decides(store: Store) -> None:
    def work(tx: Tx) -> list[str | None]:
        owner, old, new = account(tx), conversation(tx, "old"), conversation(tx, "new")
        tx.bind(owner, old, ["thread", "message 1"])
        tx.bind(owner, new, ["message 2"])
        tries: tuple[list[str], ...] = (["message 2", "thread"], ["message 3", "thread"], ["message 3"], [])
        return [found.id if (found := found_at(tx, owner, places)) else None for places in tries]

    assert await store.transact(work) == ["new", "old", None, None]


async def test_a_place_leads_each_account_to_its_own_conversation(store: Store) -> None:
    def work(tx: Tx) -> list[Conversation | None]:
        made = conversation(tx, "of ann")
        tx.bind(account(tx, ANN), made, ["thread"])
        found = [found_at(tx, account(tx, person), ["thread"]) for person in (ANN, BEN)]
        return [*found, tx.conversation(made)]

    of_ann, of_ben, made = await store.transact(work)
    assert of_ann == made
    assert of_ben is None


async def test_a_place_can_be_bound_anew_and_unbound(store: Store) -> None:
    def work(tx: Tx) -> list[str | None]:
        owner, seen = account(tx), []
        for name in ("old", "new"):
            tx.bind(owner, conversation(tx, name), ["dm", "message"])
            seen.append(found_at(tx, owner, ["dm"]))
        tx.unbind(owner, ["dm", "never bound"])
        seen += [found_at(tx, owner, ["dm"]), found_at(tx, owner, ["message"])]
        return [found.id if found else None for found in seen]

    assert await store.transact(work) == ["old", "new", None, "new"]


async def test_a_conversation_is_read_back_as_it_was_stored(store: Store) -> None:
    def work(tx: Tx) -> tuple[Conversation | None, Conversation | None]:
        name = conversation(tx)
        hold(tx, "t", at=NOON + MINUTE)
        return tx.conversation(name), tx.conversation(ConversationId("none"))

    found, missing = await store.transact(work)
    assert missing is None
    assert found
    assert (found.id, found.started_at, found.last_at, found.live_turns) == ("c", NOON, NOON + MINUTE, 1)


async def test_history_is_the_way_to_a_turn_oldest_first_without_its_siblings(store: Store) -> None:
    def work(tx: Tx) -> tuple[list[Exchange], int]:
        conversation(tx)
        for name, parent in (("a", None), ("b", "a"), ("other", "a"), ("c", "b")):
            hold(tx, name, parent=parent)
            tx.settle(TurnId(name), settlement(f"answer {name}"))
        return list(tx.history(TurnId("c"), 2)), len(tx.history(TurnId("c"), 10))

    latest, all_of_them = await store.transact(work)
    assert latest == [Exchange("prompt of b", "answer b"), Exchange("prompt of c", "answer c")]
    assert all_of_them == 3


async def test_no_more_of_a_history_is_read_than_a_model_could_be_sent(store: Store) -> None:
    def work(tx: Tx) -> list[str]:
        conversation(tx)
        for number in range(6):
            hold(tx, f"t{number}", parent=f"t{number - 1}" if number else None)
            tx.settle(TurnId(f"t{number}"), settlement(str(number) * (HISTORY_CHARACTERS // 3)))
        return [exchange.answer[0] for exchange in tx.history(TurnId("t5"), 10)]

    assert await store.transact(work) == ["3", "4", "5"]


async def test_a_place_leads_to_the_newest_answer_and_a_message_to_its_own(store: Store) -> None:
    def work(tx: Tx) -> list[str | None]:
        owner, where = account(tx), conversation(tx)
        for number, (name, parent) in enumerate((("a", None), ("b", "a"), ("held", "b"))):
            hold(tx, name, parent=parent, at=NOON + number * MINUTE)
            tx.bind(owner, where, [f"message {name}"], TurnId(name))
        tx.bind(owner, where, ["thread", "message a"])
        seen = [tip(tx, owner, "thread")]
        for name in ("a", "b"):
            tx.settle(TurnId(name), settlement())
            seen.append(tip(tx, owner, "thread"))
        return [*seen, *(tip(tx, owner, f"message {name}") for name in ("a", "b", "held"))]

    assert await store.transact(work) == [None, "a", "b", "a", "b", "b"]


def tip(tx: Tx, owner: AccountId, place: str) -> str | None:
    """The turn that a question at this place goes on from."""
    branch = tx.find_branch(owner, [place])
    assert branch
    return branch.tip
