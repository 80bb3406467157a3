"""What a limit stops is kept sealed for a day, and answered once: whoever presses, how often, and where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.budget import Ceilings
from engine.domain import (
    Answered,
    Ask,
    ChatEvent,
    Duplicate,
    Failed,
    Kept,
    Micros,
    Person,
    Place,
    Platform,
    Redo,
    Refusal,
    RefusalReason,
    Seat,
    Started,
)
from engine.errors import GiveUpError, TryAgainError
from engine.files import Document, Image
from engine.keeping import KEPT_FOR, LARGEST, MOST_KEPT, Opened
from engine.parcel import Parcel
from storage.store import open_store
from tests.engine.conftest import ALICE, BOB, Hall, collect, last
from tests.fakes.clock import NOON, FakeClock

KEY, OTHER = "k" * 32, "o" * 32
WORDS = "a harmless and unmistakable sentence"
MIDNIGHT = NOON.replace(hour=0) + timedelta(days=1)
SEAT = Seat("general", "m-1")
PICTURE = Image("cat.png", "image/png", b"\x89PNG unmistakable", 2, 3)
PAPER = Document("paper.pdf", "application/pdf", "an unmistakable paper", 4, b"%PDF unmistakable")


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """One conversation a day, and a key."""
    hall.keys = (KEY,)
    hall.free(conversations_per_day=1, requests_per_minute=None, concurrent=None)
    return hall


def lift(hall: Hall) -> None:
    """As a payment does it."""
    hall.free(conversations_per_day=None, requests_per_minute=None, concurrent=None)


async def stopped(hall: Hall, words: str = WORDS, **more: object) -> Refusal:
    """The refusal of a second conversation."""
    chat = hall.chat()
    await last(chat, hall.ask("Hi", key="local:first"))
    refusal = await last(chat, hall.ask(words, **{"seat": SEAT, **more}))  # type: ignore[arg-type]
    assert isinstance(refusal, Refusal)
    return refusal


async def waiting(hall: Hall, words: str = WORDS, **more: object) -> Kept:
    """What was kept of one."""
    refusal = await stopped(hall, words, **more)
    assert refusal.kept
    return refusal.kept


async def opened(hall: Hall, kept: Kept, who: Person = ALICE, key: str = "local:press") -> Opened:
    """A kept question."""
    found = await hall.chat().keeping.find(who, kept.id, key)
    assert isinstance(found, Opened)
    return found


async def press(hall: Hall, kept: Kept, key: str = "local:press") -> ChatEvent:
    """How the kept question ended."""
    return await last(hall.chat(), (await opened(hall, kept, key=key)).parcel.ask)


async def rows(hall: Hall, who: Person = ALICE) -> list[str]:
    """The questions that wait, as their vault opens them."""
    return [each.parcel.ask.text for each in await hall.chat().keeping.everything(who)]


async def test_a_question_that_a_limit_stopped_is_answered_later_as_it_was_asked(hall: Hall) -> None:
    hall.seeing("quick")
    place = Place(Platform.LOCAL, "here", ("general", "all"), frozenset({"7", "8"}))
    files = (PICTURE, PAPER)
    kept = await waiting(
        hall, attachments=files, anchors=("local:dm:1",), dm=True, model="quick", message="m", place=place
    )
    assert kept.until == hall.clock.now() + KEPT_FOR
    found = await opened(hall, kept)
    assert found.parcel == Parcel(
        Ask(
            "local:press",
            ALICE,
            WORDS,
            ("local:dm:1",),
            dm=True,
            model="quick",
            place=place,
            attachments=files,
            message="m",
            seat=SEAT,
            kept=kept.id,
        )
    )
    lift(hall)
    hall.seeing("quick")
    assert isinstance(await press(hall, kept), Answered)
    assert hall.one.seen[-1].messages[-1].images == (PICTURE,)
    assert "an unmistakable paper" in hall.one.seen[-1].messages[-1].text
    assert await rows(hall) == []


async def test_while_the_limit_holds_it_is_refused_again_and_waits_on(hall: Hall) -> None:
    kept = await waiting(hall)
    for number in range(3):
        hall.clock.advance(timedelta(hours=1))
        again = await press(hall, kept, f"local:press-{number}")
        assert isinstance(again, Refusal)
        assert (again.reason, again.until, again.kept) == (RefusalReason.CONVERSATIONS, MIDNIGHT, kept)
    hall.clock.set(MIDNIGHT)
    assert isinstance(await press(hall, kept, "local:last"), Answered)


async def test_two_presses_at_once_in_two_processes_bring_one_answer_and_one_bill(
    hall: Hall, database_url: str, clock: FakeClock
) -> None:
    kept = await waiting(hall)
    lift(hall)
    before = await spent(hall)
    asks = [(await opened(hall, kept, key=f"local:press-{n}")).parcel.ask for n in range(8)]
    async with await open_store(database_url, clock) as another:
        chats = [hall.chat("process-1"), hall.chat("process-2", another)]
        ends = await asyncio.gather(*(last(chats[n % 2], ask) for n, ask in enumerate(asks)))
    assert [type(end) for end in ends].count(Answered) == 1
    assert {end.reason for end in ends if isinstance(end, Refusal)} == {RefusalReason.UNKEPT}
    assert await spent(hall) == 2 * before
    assert len(hall.one.seen) == 2


async def spent(hall: Hall) -> Micros:
    """What Alice cost this month."""
    now = hall.clock.now()
    return await hall.store.transact(lambda tx: tx.usage(tx.lock_account(ALICE, now).id, now).cost_month)


async def test_one_press_that_two_processes_hear_is_answered_once_and_in_silence(hall: Hall) -> None:
    kept = await waiting(hall)
    lift(hall)
    ask = (await opened(hall, kept)).parcel.ask
    ends = await asyncio.gather(*(last(hall.chat(name), ask) for name in ("process-1", "process-2")))
    assert {type(end) for end in ends} == {Answered, Duplicate}


async def test_an_answer_that_did_not_come_leaves_the_question_waiting(hall: Hall) -> None:
    kept = await waiting(hall)
    lift(hall)
    hall.one.errors, hall.two.errors = [GiveUpError("no")], [GiveUpError("no")]
    failed = await press(hall, kept)
    assert isinstance(failed, Failed)
    assert not failed.counted
    assert isinstance(await press(hall, kept, "local:second"), Answered)
    assert isinstance(await hall.chat().keeping.find(ALICE, kept.id, "local:third"), RefusalReason)


async def test_what_was_asked_again_by_the_button_of_its_failure_does_not_wait_any_more(hall: Hall) -> None:
    kept = await waiting(hall)
    lift(hall)
    hall.one.errors, hall.two.errors = [GiveUpError("no")], [GiveUpError("no")]
    failed = await press(hall, kept)
    ask = (await opened(hall, kept, key="local:late")).parcel.ask
    assert isinstance(failed, Failed)
    assert isinstance(
        await last(hall.chat(), hall.ask("", redo=Redo.REGENERATE, about=failed.turn)), Answered
    )
    missed = await last(hall.chat(), ask)
    assert isinstance(missed, Refusal)
    assert missed.reason is RefusalReason.UNKEPT


async def test_an_answer_whose_process_is_lost_leaves_the_question_waiting(hall: Hall) -> None:
    kept = await waiting(hall)
    lift(hall)
    hall.one.pause = 1
    lost, ask = hall.chat("lost"), (await opened(hall, kept)).parcel.ask
    async with aclosing(lost.ask(ask)) as events:
        await first_words(events)
        early = await press(hall, kept, "local:early")
        assert isinstance(early, Refusal)
        hall.clock.advance(timedelta(minutes=2))
        hall.one.pause = None
        assert isinstance(await press(hall, kept, "local:after"), Answered)


async def first_words(events: AsyncIterator[ChatEvent]) -> None:
    """Read an answer until it has begun."""
    async for event in events:
        if not isinstance(event, Started):
            return


async def test_somebody_elses_question_is_not_theirs(hall: Hall) -> None:
    kept = await waiting(hall)
    await last(hall.chat(), hall.ask(person=BOB))
    assert await hall.chat().keeping.find(BOB, kept.id, "local:b") is RefusalReason.NOT_YOURS
    stolen = replace((await opened(hall, kept)).parcel.ask, person=BOB)
    lift(hall)
    refused = await last(hall.chat(), stolen)
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.UNKEPT
    assert await rows(hall) == [WORDS]
    assert await rows(hall, BOB) == []


async def test_after_its_time_a_question_is_gone(hall: Hall) -> None:
    kept = await waiting(hall)
    ask = (await opened(hall, kept)).parcel.ask
    lift(hall)
    hall.clock.set(kept.until)
    assert await hall.chat().keeping.find(ALICE, kept.id, "local:late") is RefusalReason.UNKEPT
    missed = await last(hall.chat(), ask)
    assert isinstance(missed, Refusal)
    assert missed.reason is RefusalReason.UNKEPT
    assert await rows(hall) == []
    assert await hall.chat().keeping.newest(ALICE) is None
    assert await hall.chat().keeping.sweep() == 1
    assert await hall.chat().keeping.sweep() == 0


async def test_a_question_that_has_time_left_is_not_swept(hall: Hall) -> None:
    kept = await waiting(hall)
    hall.clock.set(kept.until - timedelta(seconds=1))
    assert await hall.chat().keeping.sweep() == 0
    assert await rows(hall) == [WORDS]


async def test_the_newest_of_each_channel_is_kept_and_few_in_all(hall: Hall) -> None:
    await waiting(hall, "first")
    await waiting(hall, "second")
    assert await rows(hall) == ["second"]
    for number in range(MOST_KEPT + 1):
        hall.clock.advance(timedelta(seconds=1))
        await waiting(hall, f"in {number}", seat=Seat(f"channel-{number}"))
    assert await rows(hall) == [f"in {number}" for number in reversed(range(1, MOST_KEPT + 1))]
    hall.clock.advance(timedelta(days=1))
    await last(hall.chat(), hall.ask(person=BOB))
    assert isinstance(await last(hall.chat(), hall.ask("Bob's", person=BOB)), Refusal)
    assert await rows(hall, BOB) == ["Bob's"]


async def test_what_is_too_large_is_not_kept_and_not_promised(hall: Hall) -> None:
    hall.seeing("quick")
    large = replace(PICTURE, data=b"x" * LARGEST)
    assert (await stopped(hall, attachments=(large,))).kept is None


async def test_what_time_and_money_do_not_lift_is_not_kept(hall: Hall) -> None:
    chat = hall.chat()
    for ask in (hall.ask(""), hall.ask(model="nobody"), hall.ask("x" * 100_000)):
        refusal = await last(chat, ask)
        assert isinstance(refusal, Refusal)
        assert refusal.kept is None
    answered = await last(chat, hall.ask())
    assert isinstance(answered, Answered)
    hall.free(turns_per_conversation=1, requests_per_minute=None)
    again = await last(hall.chat(), hall.ask("", redo=Redo.REGENERATE, about=answered.turn))
    assert isinstance(again, Refusal)
    assert (again.reason, again.kept) == (RefusalReason.TURNS, None)


@pytest.mark.parametrize(
    ("reason", "limits", "more"),
    [
        (RefusalReason.TURNS, {"turns_per_conversation": 1}, {"anchors": ("dm",)}),
        (RefusalReason.RATE, {"requests_per_minute": 1}, {}),
        (RefusalReason.COST, {"cost_ceiling_month": Micros(300)}, {}),
        (RefusalReason.MODEL_LOCKED, {}, {"model": "deep"}),
    ],
)
async def test_every_limit_that_can_be_lifted_keeps_the_question(
    hall: Hall, reason: RefusalReason, limits: dict[str, object], more: dict[str, object]
) -> None:
    hall.free(**{"requests_per_minute": None, "concurrent": None, **limits})
    chat = hall.chat()
    await last(chat, hall.ask("Hi", anchors=("dm",)))
    refusal = await last(chat, hall.ask(WORDS, **more))  # type: ignore[arg-type]
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
    assert refusal.kept
    assert (await opened(hall, refusal.kept)).parcel.ask.model == more.get("model")


@pytest.mark.parametrize(
    ("ceilings", "kept"),
    [
        (Ceilings(bot_month=Micros(1)), False),
        (Ceilings(vendor_day={"one": Micros(1), "two": Micros(1)}), True),
    ],
)
async def test_what_is_lifted_only_after_its_day_is_not_kept_and_not_promised(
    hall: Hall,
    ceilings: Ceilings,
    kept: bool,  # noqa: FBT001 - a parameter
) -> None:
    hall.ceilings = ceilings
    refusal = await last(hall.chat(), hall.ask(WORDS))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.kept is not None) == (RefusalReason.BUDGET, kept)


async def test_what_came_too_early_is_kept_until_the_answer_before_it_has_ended(hall: Hall) -> None:
    hall.free(requests_per_minute=None, concurrent=1)
    hall.one.pause = 1
    chat = hall.chat()
    async with aclosing(chat.ask(hall.ask())) as events:
        await first_words(events)
        refusal = await last(chat, hall.ask(WORDS))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.CONCURRENT
    assert refusal.kept
    hall.one.pause = None
    assert isinstance(await press(hall, refusal.kept), Answered)


async def test_whoever_wants_it_has_all_that_is_kept_of_them_thrown_away(hall: Hall) -> None:
    kept = await waiting(hall)
    await waiting(hall, "another", seat=Seat("elsewhere"))
    await last(hall.chat(), hall.ask(person=BOB))
    await last(hall.chat(), hall.ask("Bob's", person=BOB))
    assert await hall.chat().keeping.forget(ALICE) == 2
    assert await rows(hall) == []
    assert await rows(hall, BOB) == ["Bob's"]
    assert await hall.chat().keeping.find(ALICE, kept.id, "local:x") is RefusalReason.UNKEPT


async def test_an_answer_that_broke_off_after_its_first_words_was_one(hall: Hall) -> None:
    kept = await waiting(hall)
    lift(hall)
    hall.one.errors, hall.one.fail_after = [TryAgainError("gone")], 1
    failed = await press(hall, kept)
    assert isinstance(failed, Failed)
    assert failed.counted
    assert await hall.chat().keeping.find(ALICE, kept.id, "local:x") is RefusalReason.UNKEPT


async def test_questions_outlive_the_process(hall: Hall, database_url: str, clock: FakeClock) -> None:
    kept = await waiting(hall)
    lift(hall)
    async with await open_store(database_url, clock) as another:
        chat = hall.chat("process-2", another)
        found = await chat.keeping.find(ALICE, kept.id, "local:press")
        assert isinstance(found, Opened)
        assert isinstance(await last(chat, found.parcel.ask), Answered)
    assert [type(event) for event in await collect(hall.chat(), found.parcel.ask)] == [Duplicate]
