"""What is on sale changes with the day and with the file; what was admitted goes on as it was."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.admission import Desk
from engine.catalogue import Catalogue
from engine.chat import Chat
from engine.domain import Answered, ChatEvent, Delta, Micros, TierName
from engine.facts import Mode
from engine.models import DatedPrice, Price
from engine.pricing import cost
from engine.shelves import Shelves, TiersNow
from engine.signals import Signals
from storage.store import Store
from tests.engine.conftest import ALICE, CATALOGUE, FREE, PRICE, QUICK, SPARE, Hall, collect
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.models import SPENT

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
DEARER = Price(10_000_000, 1_000_000, 40_000_000)


class Book:
    """A price book in which everything costs the same."""

    def __init__(self, price: Price | None = PRICE) -> None:
        self._price = price

    def price(self, provider: str, vendor_id: str, at: datetime, context: int) -> Price | None:  # noqa: ARG002 - of all
        """The one price."""
        return self._price


DATED = replace(QUICK, price=None, prices=(DatedPrice(MIDNIGHT, DEARER),), fallback=())


def shelves(clock: FakeClock, book: Book | None = None) -> Shelves:
    """One model, whose first price of its own is a future one."""
    return Shelves(CATALOGUE.tiers, (DATED,), book or Book(), clock)


def price_of(catalogue: Catalogue) -> Price | None:
    """The price of that model."""
    found = catalogue.find(QUICK.name)
    return found.price if found else None


def chat_of(hall: Hall, wares: Shelves) -> Chat:
    """A chat that sells what is on these shelves."""
    desk = Desk(wares.today, Mode.TEST, "", "process-1")
    return Chat(hall.store, hall.clock, desk, {"one": hall.one, "two": hall.two}, Signals(), wares=wares)


def test_before_its_first_day_a_price_is_that_of_the_book_and_from_midnight_on_its_own() -> None:
    clock = FakeClock(MIDNIGHT - timedelta(seconds=1))
    wares = shelves(clock)
    assert price_of(wares.today) == PRICE
    clock.advance(timedelta(seconds=1))
    assert price_of(wares.today) == DEARER


def test_a_model_that_neither_knows_yet_has_no_price_until_its_day() -> None:
    clock = FakeClock(MIDNIGHT - timedelta(days=1))
    wares = shelves(clock, Book(None))
    assert price_of(wares.today) is None
    clock.advance(timedelta(days=1))
    assert price_of(wares.today) == DEARER


async def spent(store: Store, now: datetime) -> Micros:
    """What Alice's answers of the month cost."""
    return await store.transact(lambda tx: tx.usage(tx.lock_account(ALICE, now).id, now).cost_month)


async def test_a_turn_admitted_before_midnight_costs_what_it_cost_then(hall: Hall) -> None:
    hall.clock.set(MIDNIGHT - timedelta(seconds=1))
    wares = shelves(hall.clock)
    chat, hall.one.pause = chat_of(hall, wares), 1
    asking = asyncio.create_task(collect(chat, hall.ask()))
    await hall.one.waiting.wait()
    hall.clock.advance(timedelta(minutes=1))
    assert price_of(wares.today) == DEARER
    hall.one.go.set()
    assert isinstance((await asking)[-1], Answered)
    assert await spent(hall.store, MIDNIGHT - timedelta(seconds=1)) == cost(PRICE, SPENT)
    hall.one.pause = None
    await collect(chat, hall.ask())
    assert await spent(hall.store, hall.clock.now()) == cost(DEARER, SPENT)


async def test_what_is_restocked_is_on_sale_for_the_next_question_and_drops_none_in_flight(
    hall: Hall,
) -> None:
    wares = shelves(hall.clock)
    chat, hall.one.pause, begun = chat_of(hall, wares), 1, list[ChatEvent]()
    async with aclosing(chat.ask(hall.ask())) as events:
        begun += [await anext(events), await anext(events)]
        wares.restock(CATALOGUE.tiers, (SPARE,))
        hall.one.go.set()
        begun += [event async for event in events]
    assert "".join(event.text for event in begun if isinstance(event, Delta)) == "Hello there."
    assert isinstance(begun[-1], Answered)
    answered = (await collect(chat, hall.ask()))[-1]
    assert isinstance(answered, Answered)
    assert answered.model == SPARE.name


def test_the_catalogue_of_a_minute_is_made_once() -> None:
    clock = FakeClock(NOON)
    wares = shelves(clock)
    assert wares.today is wares.today
    clock.advance(timedelta(minutes=1))
    assert wares.today is wares.today


def test_who_keeps_the_tiers_of_now_sees_what_was_restocked() -> None:
    wares = shelves(FakeClock())
    tiers = TiersNow(wares)
    assert dict(tiers) == dict(CATALOGUE.tiers)
    wares.restock({TierName.FREE: replace(FREE, concurrent=7)}, (QUICK,))
    assert tiers[TierName.FREE].concurrent == 7
    assert (len(tiers), list(tiers)) == (1, [TierName.FREE])
