"""Holds end with their answers, even when the database was away just then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

import pytest

from engine import chat as chatting
from engine.domain import Answered, Delta
from engine.errors import TryAgainError
from engine.ledger import Tx
from storage.store import Store
from tests.engine.conftest import BOB, Hall, last

T = TypeVar("T")


class Leaving:
    """A store that can go away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False
        self.read = store.read

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run the unit, if the database is there."""
        if self.away:
            raise TryAgainError("away")
        return await self._store.transact(work)


async def test_a_turn_that_could_not_be_settled_is_let_go_though_its_process_stays_busy(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chatting, "SETTLE_TRIES", 1)
    store = Leaving(hall.store)
    hall.store = store  # type: ignore[assignment]
    chat = hall.chat()
    async with aclosing(chat.ask(hall.ask())) as events:
        async for event in events:
            store.away = store.away or isinstance(event, Delta)
    store.away = False
    hall.one.pause = 1
    busy = asyncio.create_task(last(chat, hall.ask(person=BOB)))
    await hall.one.waiting.wait()
    for _ in range(5):
        hall.clock.advance(timedelta(seconds=15))
        await chat.renew()
    hall.one.pause = None
    assert isinstance(await last(chat, hall.ask()), Answered)
    hall.one.go.set()
    assert isinstance(await busy, Answered)
