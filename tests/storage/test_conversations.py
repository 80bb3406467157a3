"""Conversations, the places that lead to them, and what was said."""

from __future__ import annotations

from engine.domain import Conversation, ConversationId, TurnId
from engine.ledger import Tx
from engine.turns import Exchange
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, conversation, hold, settlement


async def test_the_first_place_that_leads_somewhere_decides(store: Store) -> None:
    def work(tx: Tx) -> list[str | None]:
        owner, old, new = account(tx), conversation(tx, "old"), conversation(tx, "new")
        tx.bind(owner, old, ["thread", "message 1"])
        tx.bind(owner, new, ["message 2"])
        tries: tuple[list[str], ...] = (["message 2", "thread"], ["message 3", "thread"], ["message 3"], [])
        return [found.id if (found := tx.find_conversation(owner, places)) else None for places in tries]

    assert await store.transact(work) == ["new", "old", None, None]


async def test_a_place_leads_each_account_to_its_own_conversation(store: Store) -> None:
    def work(tx: Tx) -> list[Conversation | None]:
        made = conversation(tx, "of ann")
        tx.bind(account(tx, ANN), made, ["thread"])
        found = [tx.find_conversation(account(tx, person), ["thread"]) for person in (ANN, BEN)]
        return [*found, tx.conversation(made)]

    of_ann, of_ben, made = await store.transact(work)
    assert of_ann == made
    assert of_ben is None


async def test_a_place_can_be_bound_anew_and_unbound(store: Store) -> None:
    def work(tx: Tx) -> list[str | None]:
        owner, seen = account(tx), []
        for name in ("old", "new"):
            tx.bind(owner, conversation(tx, name), ["dm", "message"])
            seen.append(tx.find_conversation(owner, ["dm"]))
        tx.unbind(owner, ["dm", "never bound"])
        seen += [tx.find_conversation(owner, ["dm"]), tx.find_conversation(owner, ["message"])]
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


async def test_history_is_the_last_settled_turns_with_an_answer_oldest_first(store: Store) -> None:
    def work(tx: Tx) -> tuple[list[Exchange], int]:
        conversation(tx)
        for number in range(6):
            hold(tx, f"t{number}", at=NOON + number * MINUTE)
        for number, answer in ((0, "a0"), (1, ""), (2, "a2"), (3, "a3")):
            tx.settle(TurnId(f"t{number}"), settlement(answer))
        tx.release(TurnId("t4"), "stopped", NOON)
        name = ConversationId("c")
        return list(tx.history(name, 2)), len(tx.history(name, 10))

    latest, all_of_them = await store.transact(work)
    assert latest == [Exchange("prompt of t2", "a2"), Exchange("prompt of t3", "a3")]
    assert all_of_them == 3
