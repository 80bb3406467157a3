"""By no way does a free member cost more than the ceiling, as long as vendors keep to our estimates."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from engine.admission import LEASE
from engine.chat import Chat
from engine.comparison import MOST
from engine.context import compose, size
from engine.domain import (
    Answered,
    Ask,
    ChatEvent,
    Failed,
    Micros,
    Person,
    Redo,
    Refusal,
    RefusalReason,
    Started,
)
from engine.errors import (
    ContextTooLongError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.files import Document, Image
from engine.models import Chunk, Completion, Finish, Finished, TextDelta, Usage
from engine.reserve import reserved
from engine.routing import Route
from storage.store import open_store
from tests.engine.conftest import ALICE, BOB, QUICK, Hall, last
from tests.fakes import files
from tests.fakes.clock import FakeClock

CEILING = Micros(30_000)
PHOTO = Image("photo.png", "image/png", files.image("PNG"), 1024, 1024)
SCAN = Document("scan.pdf", "application/pdf", "", 1, b"%PDF-scan")
MANY = 12
"""More than the ceiling has room for, whatever is asked."""
TROUBLE: Sequence[type[OutsideError]] = (
    TryAgainError,
    LateError,
    StreamCutError,
    ContextTooLongError,
    TellOperatorError,
)


@dataclass(slots=True)
class Dear:
    """A vendor that charges as much as we foresee, for failures too."""

    dice: random.Random = field(default_factory=lambda: random.Random(7))
    failing: float = 0.0
    """The share of requests that fail."""
    first: int = 0
    """How many fail before a word, all that was read charged."""
    finish: Finish = Finish.END
    pause: int | None = None
    """Before which of its three words it waits for `go`."""
    go: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    charged: int = 0
    """Requests."""

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """Three words, or trouble before one of them or after the last."""
        self.charged += 1
        if self.charged <= self.first:
            raise StreamCutError("in trouble", usage=Usage(size(completion), 0, 0))
        error = self.dice.choice(TROUBLE) if self.dice.random() < self.failing else None
        at = self.dice.choice([0, 0, 0, 1, 2, 3])
        for number in range(4):
            if number == self.pause:
                self.waiting.put_nowait(None)
                await self.go.wait()
            if error and number == at:
                raise error(
                    "in trouble", usage=Usage(size(completion), 0, completion.max_output if at else 0)
                )
            if number < 3:
                yield TextDelta("word ")
        yield Finished(self.finish, Usage(size(completion), 0, completion.max_output))


@dataclass(slots=True)
class House:
    """A member before two processes, on one database."""

    hall: Hall
    vendor: Dear
    chats: tuple[Chat, Chat]
    refused: int = 0
    """Questions that the ceiling stopped."""

    @property
    def chat(self) -> Chat:
        """The first process."""
        return self.chats[0]

    async def ask(self, text: str = "Hi", chat: Chat | None = None, **more: object) -> ChatEvent:
        """The end of a question."""
        return self.noted(await last(chat or self.chat, self.hall.ask(text, **more)))  # type: ignore[arg-type]

    def noted(self, end: ChatEvent) -> ChatEvent:
        """The same; nothing but money stops anything here."""
        if isinstance(end, Refusal):
            assert end.reason in {RefusalReason.COST, RefusalReason.GONE, RefusalReason.NOT_CUT}
            self.refused += end.reason is RefusalReason.COST
        return end

    async def compare(self, text: str = "Hi", chat: Chat | None = None) -> list[ChatEvent]:
        """The ends of a comparison."""
        ends: list[ChatEvent] = []
        async with aclosing((chat or self.chat).compare(self.hall.ask(text), ("quick", "spare"))) as found:
            async for each in found:
                event = each[1] if isinstance(each, tuple) else each
                if isinstance(event, (Answered, Failed, Refusal)):
                    ends.append(self.noted(event))
        return ends

    async def cost(self, person: Person = ALICE) -> int:
        """The sum of the ledger for a person, which is what is counted, too."""
        now = self.hall.clock.now()
        span = now - timedelta(days=1), now + timedelta(days=1)
        found = await self.hall.store.transact(
            lambda tx: (
                tx.lock_account(person, now).id,
                tx.entries(*span),
                tx.spent(tx.lock_account(person, now).id, now),
            )
        )
        account, entries, (spent, _) = found
        total = sum(entry.charge.cost or 0 for entry in entries if entry.account == account)
        assert total == spent
        return total


Way = Callable[[House], Awaitable[object]]


@pytest.fixture
async def house(hall: Hall, database_url: str, clock: FakeClock) -> AsyncIterator[House]:
    """One where only money is limited."""
    vendor = Dear()
    hall.free(
        conversations_per_day=None,
        turns_per_conversation=None,
        requests_per_minute=None,
        concurrent=None,
        compare=MOST,
        cost_ceiling_month=CEILING,
    )
    hall.reading("quick", "spare")
    hall.one = hall.two = vendor  # type: ignore[assignment]
    async with await open_store(database_url, clock) as other:
        yield House(hall, vendor, (hall.chat(), hall.chat("process-2", other)))


async def asks(house: House) -> None:
    """One after the other, in one conversation that grows, and beside it."""
    for number in range(MANY):
        await house.ask("x" * 500, anchors=("local:dm:alice",) if number % 2 else ())


async def asks_at_once(house: House) -> None:
    """All at the same moment, in both processes."""
    await asyncio.gather(*(house.ask(chat=house.chats[number % 2]) for number in range(MANY)))


async def compares(house: House) -> None:
    """Two models each time, one comparison after the other and many at once."""
    await house.compare()
    await asyncio.gather(*(house.compare(chat=house.chats[number % 2]) for number in range(MANY)))


async def regenerates(house: House) -> None:
    """One answer again and again, by either model."""
    first = await house.ask("x" * 500)
    assert isinstance(first, Answered)
    again = [house.ask("", redo=Redo.REGENERATE, about=first.turn) for _ in range(MANY)]
    other = [house.ask("", redo=Redo.REGENERATE, about=first.turn, model="spare") for _ in range(MANY)]
    for each in again[:2]:
        await each
    await asyncio.gather(*again[2:], *other)


async def goes_on(house: House) -> None:
    """Continues what was cut, without end."""
    house.vendor.finish = Finish.LENGTH
    end = await house.ask()
    for _ in range(MANY):
        if isinstance(end, Answered):
            end = await house.ask("", redo=Redo.CONTINUE, about=end.turn)


async def sends_images(house: House) -> None:
    """An image with each question of a conversation, which all go along again."""
    for _ in range(MANY):
        await house.ask("Look", anchors=("local:dm:alice",), attachments=(PHOTO,))


async def sends_pdfs(house: House) -> None:
    """A scan with each question, and once more whenever an answer is given again or goes on."""
    house.vendor.finish = Finish.LENGTH
    for number in range(MANY):
        end = await house.ask("Look", anchors=("local:dm:alice",), attachments=(SCAN,))
        if isinstance(end, Answered):
            await house.ask("", redo=list(Redo)[number % 2], about=end.turn)


async def writes_long(house: House) -> None:
    """As much as the window takes, and a little more."""
    for length in range(16_000, 20_800, 4800 // MANY):
        await house.ask("x" * length)


async def is_in_trouble(house: House) -> None:
    """Vendors fail, are tried again and replaced."""
    house.vendor.failing = 0.7
    while not house.refused:
        await house.ask("x" * 9000, chat=house.chats[house.vendor.charged % 2])
    await house.compare("x" * 9000)
    house.vendor.failing = 0.0
    await asks(house)


def stops_at(word: int) -> Way:
    """Stops each answer before a word of it, or after the last."""

    async def way(house: House) -> None:
        house.vendor.pause = word
        for _ in range(MANY):
            await stopped(house, house.hall.ask("x" * 1500))

    return way


async def stopped(house: House, ask: Ask) -> None:
    """Ask, and press Stop where the vendor waits."""
    async with aclosing(house.chat.ask(ask)) as events:
        begun = await anext(events)
        if not isinstance(begun, Started):
            house.noted(begun)
            return
        end = asyncio.create_task(drained(events))
        await house.vendor.waiting.get()
        assert await house.chat.stop(begun.turn, ask.person)
        assert isinstance(await end, Failed)


async def drained(events: AsyncGenerator[ChatEvent, None]) -> ChatEvent:
    """The last one."""
    return [event async for event in events][-1]


def leaves_at(word: int) -> Way:
    """Closes the app while an answer is being written."""

    async def way(house: House) -> None:
        house.vendor.pause = word
        for _ in range(MANY):
            reading = asyncio.create_task(house.ask("x" * 1500))
            waiting = asyncio.create_task(house.vendor.waiting.get())
            await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            reading.cancel()
            await asyncio.wait({reading})

    return way


async def outlives_processes(house: House) -> None:
    """Each answer's process is stopped while it writes."""
    house.vendor.pause = 1
    for number in range(MANY):
        chat = house.hall.chat(f"process-{number}")
        reading = asyncio.create_task(house.ask("x" * 1500, chat=chat))
        waiting = asyncio.create_task(house.vendor.waiting.get())
        await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await chat.close(0)
        await reading


async def outlives_leases(house: House) -> None:
    """Processes that hang for longer than their leases wake up and settle late."""
    house.vendor.pause = 1
    late = []
    for _ in range(MANY):
        reading = asyncio.create_task(house.ask("x" * 1500))
        waiting = asyncio.create_task(house.vendor.waiting.get())
        await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        late.append(reading)
        house.hall.clock.advance(LEASE + timedelta(seconds=1))
    house.vendor.go.set()
    await asyncio.gather(*late)


async def does_everything(house: House) -> None:
    """Whatever comes to mind, several things at a time."""
    dice, done = random.Random(20), list[Answered]()
    house.vendor.failing = 0.3
    house.vendor.finish = Finish.LENGTH

    async def one() -> None:
        chat = dice.choice(house.chats)
        redo, about = dice.choice(list(Redo)), dice.choice(done) if done else None
        more: dict[str, object] = {"redo": redo, "about": about.turn} if about and dice.random() < 0.5 else {}
        if dice.random() < 0.2:
            await house.compare(chat=chat)
            return
        end = await house.ask(
            "x" * dice.randrange(1, 3000), chat=chat, model=dice.choice(["quick", "spare"]), **more
        )
        if isinstance(end, Answered):
            done.append(end)

    while not house.refused:
        await asyncio.gather(*(one() for _ in range(3)))
        assert await house.cost() <= CEILING


WAYS: dict[str, Way] = {
    "asks": asks,
    "asks at once": asks_at_once,
    "compares": compares,
    "regenerates": regenerates,
    "goes on": goes_on,
    "sends images": sends_images,
    "sends PDFs": sends_pdfs,
    "writes long": writes_long,
    "is in trouble": is_in_trouble,
    "stops before a word": stops_at(0),
    "stops after a word": stops_at(1),
    "stops after the last word": stops_at(3),
    "leaves before a word": leaves_at(0),
    "leaves after a word": leaves_at(2),
    "outlives processes": outlives_processes,
    "outlives leases": outlives_leases,
    "does everything": does_everything,
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_free_member_costs_at_most_the_ceiling(house: House, way: str) -> None:
    await WAYS[way](house)
    assert await house.cost() <= CEILING
    assert house.vendor.charged


@pytest.mark.parametrize("way", ["asks at once", "compares", "regenerates", "does everything"])
async def test_the_ceiling_is_come_near(house: House, way: str) -> None:
    """The tests above would hold as well if nothing were answered at all."""
    await WAYS[way](house)
    assert house.refused
    assert await house.cost() > CEILING * 2 // 3


async def test_people_on_two_platforms_have_a_ceiling_each(house: House) -> None:
    await asyncio.gather(*(house.ask(person=person) for person in (ALICE, BOB) for _ in range(MANY)))
    assert await house.cost(ALICE) <= CEILING
    assert await house.cost(BOB) <= CEILING
    assert house.refused


@pytest.mark.parametrize("failures", range(5))
async def test_a_question_that_just_fits_costs_no_more_whatever_fails_before_its_answer(
    house: House, failures: int
) -> None:
    prompt = "x" * 9000
    completion = compose(QUICK, "Be brief.", (), prompt)
    assert completion
    ceiling = reserved([Route(QUICK, completion)])
    house.hall.free(cost_ceiling_month=ceiling)
    house.vendor.first = failures
    end = await last(house.hall.chat(), house.hall.ask(prompt))
    assert isinstance(end, (Answered, Failed))
    assert 0 < await house.cost() <= ceiling
    assert isinstance(await last(house.hall.chat(), house.hall.ask(prompt)), Refusal)
