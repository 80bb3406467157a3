"""The export: all of it while it fits, never more than fits, and nobody waits while it is packed."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from io import BytesIO
from zipfile import ZipFile

import pytest

from bot import bundle
from bot.bundle import Bundle
from engine.archive import AT_ONCE, TURNS, Archive, Piece
from engine.domain import AccountId, Conversation, ConversationId, Micros, Person, Platform, TurnId
from engine.ledger import Tx
from engine.models import Usage
from engine.turns import Hold, Settlement
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE

ANN = Person(Platform.LOCAL, "", "ann")


def say(tx: Tx, account: AccountId, conversation: str, number: int, prompt: str) -> None:
    """One settled turn."""
    turn, at = TurnId(f"{conversation}.{number:03}"), NOON + number * MINUTE
    place, lease = ConversationId(conversation), at + MINUTE
    tx.hold(Hold(turn, account, place, "key", "quick", prompt, Micros(1), "process-1", at, lease))
    tx.settle(turn, Settlement("quick", "Yes.", Usage(), Micros(1), "end", lease))


async def said(store: Store, lengths: list[int], prompt: str = "Why?") -> None:
    """Ann's conversations, the first one first, of so many turns."""

    def work(tx: Tx) -> None:
        account = tx.lock_account(ANN, NOON).id
        for number, turns in enumerate(lengths):
            name, at = f"c{number:03}", NOON + number * MINUTE
            tx.open_conversation(Conversation(ConversationId(name), account, at, at, 0))
            for each in range(turns):
                say(tx, account, name, each, prompt)

    await store.transact(work)


async def unpacked(store: Store) -> tuple[list[str], str, bool, int]:
    """The turns in the JSON, the Markdown, whether all is there, and how long the file is."""
    content = await Bundle(Archive(store), ANN, NOON).packed()
    with ZipFile(BytesIO(content)) as file:
        told = json.loads(file.read("conversations.json"))
        text = file.read("conversations.md").decode()
    return [turn["turn"] for turn in told["turns"]], text, told["complete"], len(content)


async def test_every_turn_is_exported_once_and_newest_conversations_come_first(store: Store) -> None:
    lengths = [1, TURNS, 0, TURNS + 1, *[0] * 50, 2, 2 * TURNS, 3]
    await said(store, lengths)
    turns, text, complete, _ = await unpacked(store)
    newest = reversed(list(enumerate(lengths)))
    assert turns == [f"c{number:03}.{each:03}" for number, length in newest for each in range(length)]
    assert (complete, text.count("> Why?"), text.count("\n## ")) == (True, sum(lengths), 6)


async def test_few_units_read_many_short_conversations(store: Store) -> None:
    await said(store, [2] * 200)
    counting = Counting(store)
    pieces = [piece async for piece in Archive(counting).pieces(ANN)]
    assert len(pieces) == 200
    assert counting.reads <= 2 + 2 * 200 // TURNS + 1


class Counting(Store):
    """Counts the units that it runs."""

    def __init__(self, store: Store) -> None:
        self.__dict__.update(store.__dict__)
        self.reads = 0

    async def _run(self, *unit: object) -> object:
        self.reads += 1
        return await super()._run(*unit)  # type: ignore[arg-type]


async def test_what_does_not_fit_is_left_out_of_both_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MOST_BYTES", most := 400_000)
    await said(store, [30] * 2, random.Random(1).randbytes(20_000).hex())
    turns, text, complete, length = await unpacked(store)
    assert not complete
    assert 0 < len(turns) < 60
    assert text.count("\n> ") == len(turns)
    assert most / 2 < length <= most * 1.25


async def test_the_loop_goes_on_while_a_bundle_is_packed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set[threading.Thread]()

    def noted(turn: object) -> dict[str, object]:
        threads.add(threading.current_thread())
        return {"turn": str(turn)}

    monkeypatch.setattr(bundle, "plain", noted)
    await said(store, [1])
    await Bundle(Archive(store), ANN, NOON).packed()
    assert threads
    assert threading.main_thread() not in threads


async def test_only_some_are_in_memory_at_once(store: Store) -> None:
    await said(store, [1])
    archive = Watched(store)
    packing = [Bundle(archive, ANN, NOON).packed() for _ in range(4 * AT_ONCE)]
    assert len(await asyncio.gather(*packing)) == 4 * AT_ONCE
    assert archive.most <= AT_ONCE


class Watched(Archive):
    """Notes how many read it at once."""

    reading = most = 0

    async def pieces(self, person: Person) -> AsyncGenerator[Piece, None]:
        self.reading += 1
        self.most = max(self.most, self.reading)
        async with aclosing(super().pieces(person)) as pieces:
            async for piece in pieces:
                yield piece
        self.reading -= 1
