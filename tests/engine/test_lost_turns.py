"""What answers of lost processes may have cost counts from the moment that they are lost, and once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from engine.admission import LEASE
from engine.chat import Chat
from engine.domain import Answered, Failed, Person, Started, TurnId
from engine.ledger import Tx
from engine.models import Effort, Usage
from engine.pricing import cost
from engine.spending import BOT, Entry, vendor
from tests.engine.conftest import ALICE, BOB, PRICE, QUICK, Hall, last

LATE = LEASE + timedelta(seconds=1)
REAL = cost(PRICE, Usage(100, 0, 50))


@dataclass(frozen=True, slots=True)
class Sums:
    """What is known of what a member cost."""

    counted: int
    """Against the ceiling of the month."""
    spent: int
    lost: int
    bot: int
    vendor: int
    entries: tuple[Entry, ...]

    @property
    def ledger(self) -> int:
        """All its rows."""
        return sum(entry.charge.cost or 0 for entry in self.entries)


async def sums(hall: Hall, person: Person = ALICE) -> Sums:
    """Read them all at once."""
    now = hall.clock.now()

    def work(tx: Tx) -> Sums:
        account = tx.lock_account(person, now).id
        spent, lost = tx.spent(account, now)
        entries = tx.entries(now - timedelta(days=40), now + timedelta(days=1))
        mine = tuple(entry for entry in entries if entry.account == account)
        purses = tx.purse(BOT, now).spent, tx.purse(vendor("one"), now).spent
        return Sums(tx.usage(account, now).cost_month, spent, lost, *purses, mine)

    return await hall.store.transact(work)


async def sweep(hall: Hall) -> None:
    """What every process does each half minute."""
    now = hall.clock.now()
    await hall.store.transact(lambda tx: tx.release_expired(now))
    while await hall.store.transact(lambda tx: tx.book_lost(now, 2)):
        pass


async def hang(hall: Hall, chat: Chat, person: Person = ALICE) -> tuple[asyncio.Task[object], TurnId]:
    """A question whose process stops after the first word, without letting go of anything."""
    begun = asyncio.get_running_loop().create_future()

    async def read() -> object:
        end = None
        async with aclosing(chat.ask(hall.ask(person=person))) as events:
            async for end in events:
                if isinstance(end, Started):
                    begun.set_result(end.turn)
        return end

    reading = asyncio.create_task(read())
    turn = await begun
    await hall.one.waiting.wait()
    hall.one.waiting.clear()
    return reading, turn


async def test_what_a_lost_answer_may_have_cost_counts_at_once_and_in_the_ledger_soon(hall: Hall) -> None:
    hall.one.pause = 1
    reading, _ = await hang(hall, hall.chat())
    held = await sums(hall)
    assert held.counted
    assert held.ledger == 0
    hall.clock.advance(LATE)
    await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    released = await sums(hall)
    assert (released.counted, released.spent, released.ledger) == (held.counted, 0, 0)
    await sweep(hall)
    booked = await sums(hall)
    assert (booked.counted, booked.ledger, booked.spent, booked.lost) == (held.counted,) * 4
    assert (booked.bot, booked.vendor) == (held.counted,) * 2
    (entry,) = booked.entries
    assert (entry.charge.model, entry.charge.provider, entry.charge.usage.estimated) == ("quick", "one", True)
    await sweep(hall)
    assert await sums(hall) == booked
    reading.cancel()
    await asyncio.wait({reading})


@pytest.mark.parametrize("swept", [False, True])
async def test_one_that_is_settled_late_costs_what_it_cost_and_no_more(hall: Hall, *, swept: bool) -> None:
    hall.one.pause = 1
    reading, _ = await hang(hall, hall.chat())
    hall.clock.advance(LATE)
    if swept:
        await sweep(hall)
    else:
        await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    hall.one.go.set()
    assert isinstance(await reading, Answered)
    await sweep(hall)
    found = await sums(hall)
    assert (found.counted, found.ledger, found.spent, found.bot, found.vendor) == (REAL,) * 5
    assert found.lost == 0
    assert len(found.entries) == 1


@pytest.mark.parametrize("swept", [False, True])
async def test_one_that_is_stopped_late_costs_what_it_may_have_cost_once(hall: Hall, *, swept: bool) -> None:
    hall.one.pause = 0
    hall.catalogue = replace(hall.catalogue, models=(replace(QUICK, reasoning=Effort.OFF),))
    chat = hall.chat()
    reading, turn = await hang(hall, chat)
    hall.clock.advance(LATE)
    if swept:
        await sweep(hall)
    else:
        await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    await chat.stop(turn, ALICE)
    assert isinstance(await reading, Failed)
    await sweep(hall)
    found = await sums(hall)
    assert 0 < found.ledger < 1000
    assert found.counted == found.spent == found.lost == found.bot == found.ledger


async def test_many_are_booked_each_for_its_own_member(hall: Hall) -> None:
    hall.free(concurrent=None)
    hall.one.pause = 1
    chat = hall.chat()
    late = [(await hang(hall, chat, person))[0] for person in (ALICE, BOB, ALICE)]
    held = [await sums(hall, person) for person in (ALICE, BOB)]
    hall.clock.advance(LATE)
    await sweep(hall)
    assert [(await sums(hall, person)).ledger for person in (ALICE, BOB)] == [each.counted for each in held]
    hall.one.go.set()
    await asyncio.gather(*late)
    assert [(await sums(hall, person)).ledger for person in (ALICE, BOB)] == [2 * (REAL or 0), REAL]


async def test_what_was_lost_last_month_is_of_last_month(hall: Hall) -> None:
    hall.one.pause = 1
    reading, _ = await hang(hall, hall.chat())
    hall.clock.advance(timedelta(days=31))
    await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    assert (await sums(hall)).counted == 0
    await sweep(hall)
    found = await sums(hall)
    assert (found.counted, found.bot) == (0, 0)
    assert found.ledger
    reading.cancel()
    await asyncio.wait({reading})


async def test_answers_that_are_not_lost_are_not_booked(hall: Hall) -> None:
    hall.one.pause = 1
    chat = hall.chat()
    reading, _ = await hang(hall, chat)
    await sweep(hall)
    assert (await sums(hall)).ledger == 0
    hall.one.go.set()
    assert isinstance(await reading, Answered)
    assert isinstance(await last(chat, hall.ask()), Answered)
    assert (await sums(hall)).ledger == 2 * (REAL or 0)
