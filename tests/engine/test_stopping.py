"""Stop reaches every process, and answers of lost ones are mended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

import pytest

from engine.admission import LEASE
from engine.chat import Chat
from engine.domain import (
    Answered,
    Ask,
    ChatEvent,
    Failed,
    FailureReason,
    Platform,
    Refusal,
    Started,
    TurnId,
)
from engine.errors import GoneError, TellOperatorError, TryAgainError
from engine.ledger import Tx
from engine.mending import PATIENCE, Mending
from storage.store import Store
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture

T = TypeVar("T")


async def read(chat: Chat, ask: Ask, begun: asyncio.Queue[TurnId]) -> ChatEvent:
    """Read an answer to its end, and tell which turn it is as soon as it begins."""
    end: ChatEvent | None = None
    async with aclosing(chat.ask(ask)) as events:
        async for end in events:
            if isinstance(end, Started):
                begun.put_nowait(end.turn)
    assert end
    return end


async def test_stop_reaches_the_process_that_writes_the_answer(hall: Hall) -> None:
    await last(hall.chat(), hall.ask(person=BOB))
    hall.one.pause = 1
    chat, other = hall.chat(), hall.chat("process-2")
    begun = asyncio.Queue[TurnId]()
    reading = asyncio.create_task(read(chat, hall.ask(), begun))
    turn = await begun.get()
    await hall.one.waiting.wait()
    assert not await other.stop(turn, BOB)
    await chat.heed()
    assert await other.stop(turn, ALICE)
    assert await other.stop(turn, ALICE)
    await other.heed()
    assert not reading.done()
    await chat.heed()
    end = await reading
    assert isinstance(end, Failed)
    assert (end.reason, end.text, end.counted) == (FailureReason.STOPPED, "Hello ", True)
    assert not await other.stop(turn, ALICE)
    assert not await chat.stop(turn, ALICE)


async def test_a_comparison_is_stopped_as_a_whole_from_any_process_and_nothing_else_is(hall: Hall) -> None:
    hall.free(concurrent=None)
    hall.one.pause = hall.two.pause = 0
    chat, begun, turns, ends = hall.chat(), asyncio.Queue[TurnId](), list[TurnId](), dict[int, ChatEvent]()
    other = asyncio.create_task(read(chat, hall.ask(), begun))
    await begun.get()
    async with aclosing(chat.compare(hall.ask(), ("quick", "spare"))) as events:
        async for found in events:
            assert isinstance(found, tuple)
            ends[found[0]] = found[1]
            if isinstance(found[1], Started):
                turns.append(found[1].turn)
            if isinstance(found[1], Started) and len(turns) == 2:
                assert await hall.chat("process-2").stop(turns[0], ALICE)
                await chat.heed()
                hall.one.go.set()
                hall.two.go.set()
    assert [end.reason for end in ends.values() if isinstance(end, Failed)] == [FailureReason.STOPPED] * 2
    assert isinstance(await other, Answered)


async def test_all_answers_of_one_are_stopped_wherever_they_are_written(hall: Hall) -> None:
    hall.free(concurrent=None)
    hall.one.pause = 0
    here, there = hall.chat(), hall.chat("process-2")
    asks = [(here, hall.ask()), (there, hall.ask()), (there, hall.ask(person=BOB))]
    begun = asyncio.Queue[TurnId]()
    reading = [asyncio.create_task(read(chat, ask, begun)) for chat, ask in asks]
    for _ in asks:
        await begun.get()
    assert await here.stop_all(ALICE) == 2
    await there.heed()
    ends = await asyncio.gather(*reading[:2])
    assert [end.reason for end in ends if isinstance(end, Failed)] == [FailureReason.STOPPED] * 2
    hall.one.go.set()
    assert isinstance(await reading[2], Answered)
    assert await here.stop_all(ALICE) == 0


async def test_stopping_gives_back_no_rate(hall: Hall) -> None:
    hall.free(requests_per_minute=1)
    hall.one.pause = 0
    chat, other = hall.chat(), hall.chat("process-2")
    reading = asyncio.create_task(last(chat, hall.ask()))
    await hall.one.waiting.wait()
    await other.stop_all(ALICE)
    await chat.heed()
    assert isinstance(await reading, Failed)
    assert isinstance(await last(chat, hall.ask()), Refusal)


class Surface:
    """Notes what it is to mend; raises what it is told to."""

    def __init__(self) -> None:
        self.mended: list[tuple[str, TurnId]] = []
        self.error: Exception | None = None

    async def mend(self, place: str, turn: TurnId, locale: str | None = None) -> None:
        """Note it; the language does not matter here."""
        del locale
        self.mended.append((place, turn))
        if self.error:
            raise self.error


async def lost(hall: Hall, place: str) -> TurnId:
    """A turn whose process is gone while its answer is shown."""
    hall.one.pause = 0
    chat = hall.chat("gone")
    events = chat.ask(hall.ask())
    started = await anext(events)
    assert isinstance(started, Started)
    await chat.bind(ALICE, started.conversation, ["shown"], started.turn, shown_at=place)
    hall.clock.advance(LEASE)
    LOST.append(events)
    return started.turn


LOST: list[object] = []
"""Streams that nobody closes: their processes are gone."""


def mending(hall: Hall) -> tuple[Mending, Surface]:
    """A process that mends, and its surface."""
    found, surface = Mending(hall.store, hall.clock), Surface()
    found.menders[Platform.LOCAL] = surface
    return found, surface


async def test_a_lost_answer_is_mended_once_and_stop_releases_it(hall: Hall) -> None:
    turn = await lost(hall, "message 7")
    work, surface = mending(hall)
    assert await work.work() == 0
    assert await hall.chat().stop(turn, ALICE)
    assert not await hall.chat().stop(turn, ALICE)
    assert await work.work() == 1
    assert surface.mended == [("message 7", turn)]
    assert await work.work() == 0


@pytest.mark.parametrize("tries", [0, 2], ids=["answered", "failed"])
async def test_an_answer_that_comes_to_its_end_leaves_nothing_to_mend(hall: Hall, tries: int) -> None:
    for model in (hall.one, hall.two):
        model.errors += [TryAgainError("busy")] * tries
    chat, started = hall.chat(), list[Started]()
    async with aclosing(chat.ask(hall.ask())) as events:
        async for event in events:
            started += [event] if isinstance(event, Started) else []
            at, turn = started[0].conversation, started[0].turn
            await chat.bind(ALICE, at, ["shown"], turn, shown_at="message 7")
    hall.clock.advance(LEASE)
    await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    work, surface = mending(hall)
    assert await work.work() == 0
    assert surface.mended == []


async def test_what_cannot_be_mended_is_let_go_and_what_may_later_is_tried_for_an_hour(hall: Hall) -> None:
    await lost(hall, "message 7")
    await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    work, surface = mending(hall)
    surface.error = TryAgainError("away")
    assert await work.work() == 1
    hall.clock.advance(PATIENCE - timedelta(seconds=1))
    assert await work.work() == 1
    hall.clock.advance(timedelta(seconds=1))
    assert await work.work() == 1
    assert await work.work() == 0
    await lost(hall, "message 8")
    await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    surface.error = GoneError("deleted")
    assert await work.work() == 1
    assert await work.work() == 0


class Ailing:
    """A store that needs its operator while it is `ill`, and is slow while it is not `well`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.ill = False
        self.well, self.asked = asyncio.Event(), asyncio.Event()
        self.well.set()

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run a unit, or not."""
        if self.ill:
            raise TellOperatorError("the disk is full")
        self.asked.set()
        await self.well.wait()
        return await self._store.transact(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a unit that only reads."""
        return await self._store.read(work)


async def test_answers_that_cannot_be_written_down_are_let_go(hall: Hall) -> None:
    ailing = Ailing(hall.store)
    hall.one.pause = hall.two.pause = 1
    chat = hall.chat(store=ailing)
    reading = asyncio.create_task(compared(chat, hall.ask()))
    await asyncio.gather(hall.one.waiting.wait(), hall.two.waiting.wait())
    ailing.ill = True
    hall.one.go.set()
    hall.two.go.set()
    with pytest.raises(TellOperatorError):
        await reading
    ailing.ill = False
    hall.clock.advance(LEASE)
    await chat.renew()
    assert isinstance(await last(chat, hall.ask()), Answered)
    await chat.close(0)


async def compared(chat: Chat, ask: Ask) -> None:
    """Read a comparison to its end."""
    async with aclosing(chat.compare(ask, ("quick", "spare"))) as events:
        async for _ in events:
            pass


async def test_an_answer_whose_reader_is_cancelled_twice_is_settled_all_the_same(hall: Hall) -> None:
    ailing = Ailing(hall.store)
    hall.one.pause = 1
    chat = hall.chat(store=ailing)
    reading = asyncio.create_task(last(chat, hall.ask()))
    await hall.one.waiting.wait()
    ailing.asked.clear()
    ailing.well.clear()
    reading.cancel()
    await ailing.asked.wait()
    reading.cancel()
    ailing.well.set()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.wait_for(chat.close(600), 60)
    assert await in_use(hall) == (0, 1)


async def test_a_comparison_that_is_cancelled_while_it_is_admitted_holds_nothing(hall: Hall) -> None:
    asking = asyncio.create_task(compared(hall.chat(), hall.ask()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await in_use(hall) == (0, 0)
    assert not hall.one.seen


async def in_use(hall: Hall) -> tuple[int, int]:
    """Alice's answers being written, and her conversations of today."""
    now = hall.clock.now()
    facts = await hall.store.transact(lambda tx: tx.usage(tx.lock_account(ALICE, now).id, now))
    return facts.at_once, facts.conversations_today
