"""The simulated Stripe's objects and the playground's messages."""

from __future__ import annotations

from dataclasses import replace

from engine.ledger import Tx
from engine.simulated import LocalMessage, SimulatedObject
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE

SUB = SimulatedObject("sim_sub_1", "subscription", "sim_cus_1", '{"status": "active"}')


async def test_an_object_is_added_once_and_replaced_by_putting(store: Store) -> None:
    changed = replace(SUB, body="{}")

    def work(tx: Tx) -> tuple[bool, bool]:
        added = tx.add_object(SUB), tx.add_object(changed)
        assert tx.get_object(SUB.id) == SUB
        tx.put_object(changed)
        return added

    assert await store.transact(work) == (True, False)
    assert await store.read(lambda tx: tx.get_object(SUB.id)) == changed


async def test_objects_are_listed_by_kind_and_owner_oldest_first_and_dropped(store: Store) -> None:
    def work(tx: Tx) -> list[list[str]]:
        for name, owner in (("b", "x"), ("a", "y"), ("c", "x")):
            tx.put_object(SimulatedObject(name, "session", owner, "{}"))
        tx.put_object(SUB)
        tx.put_object(SimulatedObject("b", "session", "x", "changed"))
        lists = [tx.objects("session"), tx.objects("session", "x"), tx.objects("nothing")]
        for name in ("b", "never there"):
            tx.drop_object(name)
        return [[each.id for each in some] for some in [*lists, tx.objects("session")]]

    assert await store.transact(work) == [["b", "a", "c"], ["b", "c"], [], ["a", "c"]]


async def test_a_missing_object_and_a_missing_message_are_none(store: Store) -> None:
    assert await store.transact(lambda tx: (tx.get_object("x"), tx.get_local("x"))) == (None, None)


async def test_a_message_keeps_its_place_and_time_when_it_changes(store: Store) -> None:
    first = LocalMessage("1", "general", "bot", None, {"text": "so \0 far \ud83d", "buttons": [1]}, NOON)
    final = replace(first, body={"text": "done"}, audience="local:ann")

    def work(tx: Tx) -> LocalMessage | None:
        tx.put_local(first)
        assert tx.get_local("1") == first
        tx.put_local(LocalMessage("2", "general", "bot", None, {}, None))
        tx.put_local(replace(final, at=NOON + MINUTE))
        assert [message.id for message in tx.local_messages("local:ann", 10)] == ["1", "2"]
        return tx.get_local("1")

    assert await store.transact(work) == final


async def test_a_person_sees_the_last_messages_for_all_and_for_them(store: Store) -> None:
    def work(tx: Tx) -> list[list[str]]:
        for number, audience in enumerate([None, "local:ann", "local:ben", None, "local:ann"]):
            tx.put_local(LocalMessage(str(number), "general", "bot", audience, {}, NOON))
        seen = [tx.local_messages(*of) for of in (("local:ann", 10), ("local:ben", 10), ("local:ann", 2))]
        return [[message.id for message in some] for some in seen]

    assert await store.transact(work) == [["0", "1", "3", "4"], ["0", "2", "3"], ["3", "4"]]
