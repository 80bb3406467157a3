"""Conversations branch: where a question goes on, what a model is told of it, and what that counts."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.branches import GO_ON
from engine.context import HISTORY_TURNS
from engine.domain import (
    Answered,
    Ask,
    ChatEvent,
    Failed,
    Micros,
    Redo,
    Refusal,
    RefusalReason,
    Started,
    TurnId,
)
from engine.errors import TryAgainError
from engine.ledger import Tx
from engine.models import Finish
from engine.turns import Exchange, UsageFacts
from storage.store import Store
from tests.engine.conftest import ALICE, BOB, Hall, collect, last
from tests.fakes.clock import NOON
from tests.fakes.models import Scripted
from tests.storage.makers import MINUTE, account, conversation, hold, settlement


async def facts(hall: Hall) -> UsageFacts:
    """What is counted for Alice."""
    now = hall.clock.now()
    return await hall.store.transact(lambda tx: tx.usage(tx.lock_account(ALICE, now).id, now))


async def told(hall: Hall, ask: Ask) -> tuple[list[str], ChatEvent]:
    """What the model was sent, and how it ended; the message that shows the answer is `m:` and its prompt."""
    events = await collect(chat := hall.chat(), ask)
    started = events[0]
    if isinstance(started, Started):
        shown = [f"m:{ask.text}"]
        await chat.bind(ask.person, started.conversation, shown, started.turn)
    return [message.text for message in hall.one.seen[-1].messages], events[-1]


def again(hall: Hall, about: ChatEvent, redo: Redo = Redo.REGENERATE, model: str | None = None) -> Ask:
    """The wish to do an answer again, or to go on with it."""
    assert isinstance(about, (Answered, Failed))
    return hall.ask("", redo=redo, about=about.turn, model=model)


async def test_a_reply_goes_on_from_its_answer_and_a_place_from_the_newest(hall: Hall) -> None:
    hall.free(requests_per_minute=None)
    dm = ("dm",)
    await told(hall, hall.ask("one", anchors=dm))
    await told(hall, hall.ask("two", anchors=dm))
    branched, end = await told(hall, hall.ask("three", anchors=("m:one", *dm)))
    assert branched == ["one", "Hello there.", "three"]
    assert isinstance(end, Answered)
    assert (end.standing.conversations_today, end.standing.turn) == (1, 3)
    assert (await told(hall, hall.ask("four", anchors=dm)))[0] == [*branched, "Hello there.", "four"]
    again_there, _ = await told(hall, hall.ask("five", anchors=("m:two", *dm)))
    assert again_there == ["one", "Hello there.", "two", "Hello there.", "five"]


async def test_a_reply_to_ones_own_question_goes_on_from_its_answer(hall: Hall) -> None:
    await told(hall, hall.ask("one", anchors=("dm", "mine"), message="mine"))
    await told(hall, hall.ask("two", anchors=("dm",)))
    assert (await told(hall, hall.ask("three", anchors=("mine",))))[0] == ["one", "Hello there.", "three"]


async def test_a_reply_to_an_answer_that_broke_off_goes_on_before_it(hall: Hall) -> None:
    await told(hall, hall.ask("one", anchors=("dm",)))
    hall.one.errors = [TryAgainError("busy")] * 2
    hall.two.errors = [TryAgainError("busy")] * 3
    _, end = await told(hall, hall.ask("two", anchors=("dm",)))
    assert isinstance(end, Failed)
    assert (await told(hall, hall.ask("three", anchors=("m:two",))))[0] == ["one", "Hello there.", "three"]


async def test_two_people_never_share_a_branch(hall: Hall) -> None:
    await told(hall, hall.ask("a secret", anchors=("thread",)))
    assert (await told(hall, hall.ask("what?", BOB, anchors=("m:a secret", "thread"))))[0] == ["what?"]


@pytest.mark.parametrize("seed", range(12))
async def test_history_is_exactly_the_way_back_in_order(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    parents: dict[str, str | None] = {}
    for number in range(chance.randint(1, 14)):
        parents[f"t{number}"] = chance.choice([None, *parents])
    tip, most = chance.choice(list(parents)), chance.randint(1, 16)

    def work(tx: Tx) -> list[Exchange]:
        conversation(tx)
        for name, parent in parents.items():
            hold(tx, name, parent=parent, at=NOON + timedelta(seconds=chance.randint(0, 3)))
            tx.settle(TurnId(name), settlement(f"answer of {name}"))
        return list(tx.history(TurnId(tip), most))

    way: list[str] = []
    step: str | None = tip
    while step and len(way) < most:
        way.insert(0, step)
        step = parents[step]
    expected = [Exchange(f"prompt of {name}", f"answer of {name}") for name in way]
    assert await store.transact(work) == expected


async def test_regenerating_asks_the_same_beside_the_first_answer(hall: Hall) -> None:
    await told(hall, hall.ask("one", anchors=("dm",)))
    _, second = await told(hall, hall.ask("two", anchors=("dm",)))
    hall.one.words = ("Another ", "answer.")
    asked, end = await told(hall, again(hall, second))
    assert asked == ["one", "Hello there.", "two"]
    assert isinstance(end, Answered)
    assert (end.standing.conversations_today, end.standing.turn) == (1, 3)
    following, _ = await told(hall, hall.ask("four", anchors=("dm",)))
    assert following == [*asked, "Another answer.", "four"]


async def test_another_model_may_answer_and_a_locked_or_unknown_one_is_refused(hall: Hall) -> None:
    _, first = await told(hall, hall.ask("one"))
    ends = [await last(hall.chat(), again(hall, first, model=name)) for name in ("spare", "deep", "gone")]
    assert isinstance(ends[0], Answered)
    assert ends[0].model == "spare"
    reasons = [end.reason for end in ends[1:] if isinstance(end, Refusal)]
    assert reasons == [RefusalReason.MODEL_LOCKED, RefusalReason.UNKNOWN_MODEL]


async def test_without_a_name_the_model_that_answered_does_so_again_while_it_may(hall: Hall) -> None:
    first = await last(hall.chat(), hall.ask("one", model="spare"))
    end = await last(hall.chat(), again(hall, first))
    assert isinstance(end, Answered)
    assert end.model == "spare"
    left = tuple(spec for spec in hall.catalogue.models if spec.name != "spare")
    hall.catalogue = replace(hall.catalogue, models=left)
    end = await last(hall.chat(), again(hall, first))
    assert isinstance(end, Answered)
    assert end.model == "quick"


async def test_only_an_answer_that_was_cut_is_continued_and_from_where_it_was(hall: Hall) -> None:
    _, whole = await told(hall, hall.ask("one"))
    refused = await last(hall.chat(), again(hall, whole, Redo.CONTINUE))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.NOT_CUT
    hall.one.finish = Finish.LENGTH
    _, short = await told(hall, hall.ask("two"))
    asked, end = await told(hall, again(hall, short, Redo.CONTINUE))
    assert asked == ["two", "Hello there.", GO_ON]
    assert isinstance(end, Answered)
    assert (end.standing.conversations_today, end.standing.turn) == (2, 2)


async def test_what_is_gone_or_somebody_elses_is_refused_in_words(hall: Hall) -> None:
    _, mine = await told(hall, hall.ask("one"))
    assert isinstance(mine, Answered)
    theirs = await last(hall.chat(), replace(again(hall, mine), person=BOB))
    gone = await last(hall.chat(), replace(again(hall, mine), about=TurnId("nothing")))
    assert [each.reason for each in (theirs, gone) if isinstance(each, Refusal)] == [
        RefusalReason.NOT_YOURS,
        RefusalReason.GONE,
    ]
    assert len(hall.one.seen) == 1


async def test_a_failed_answer_is_asked_again_and_then_counted_once(hall: Hall) -> None:
    hall.one = Scripted(errors=[TryAgainError("busy")] * 2)
    hall.two = Scripted(errors=[TryAgainError("busy")] * 3)
    _, failed = await told(hall, hall.ask("one", anchors=("dm",)))
    assert (await facts(hall)).conversations_today == 0
    asked, end = await told(hall, again(hall, failed))
    assert asked == ["one"]
    assert isinstance(end, Answered)
    assert (end.standing.conversations_today, end.standing.turn) == (1, 1)


async def test_regenerating_goes_beyond_no_limit(hall: Hall) -> None:
    hall.free(turns_per_conversation=2, requests_per_minute=5, conversations_per_day=2)
    _, first = await told(hall, hall.ask("one"))
    assert isinstance(await last(hall.chat(), again(hall, first)), Answered)
    full = await last(hall.chat(), again(hall, first))
    assert isinstance(full, Refusal)
    assert full.reason is RefusalReason.TURNS
    hall.one = Scripted(errors=[TryAgainError("busy")] * 2)
    hall.two = Scripted(errors=[TryAgainError("busy")] * 3)
    _, failed = await told(hall, hall.ask("two"))
    await told(hall, hall.ask("three"))
    none_left = await last(hall.chat(), again(hall, failed))
    assert isinstance(none_left, Refusal)
    assert none_left.reason is RefusalReason.CONVERSATIONS
    hall.free(requests_per_minute=3)
    quick = await last(hall.chat(), again(hall, first))
    assert isinstance(quick, Refusal)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"requests_per_minute": 1}, RefusalReason.RATE),
        ({"cost_ceiling_month": Micros(100)}, RefusalReason.COST),
        ({"classes": frozenset()}, RefusalReason.UNKNOWN_MODEL),
    ],
)
async def test_each_limit_holds_for_regenerating_and_continuing(
    hall: Hall, change: dict[str, object], reason: RefusalReason
) -> None:
    hall.one.finish = Finish.LENGTH
    _, first = await told(hall, hall.ask("one"))
    hall.free(**change)
    for redo in Redo:
        refused = await last(hall.chat(), again(hall, first, redo))
        assert isinstance(refused, Refusal)
        assert refused.reason is reason
    assert len(hall.one.seen) == 1


async def test_one_press_that_comes_twice_is_done_once(hall: Hall) -> None:
    _, first = await told(hall, hall.ask("one"))
    wish = again(hall, first)
    await last(hall.chat(), wish)
    await last(hall.chat("process-2"), wish)
    assert len(hall.one.seen) == 2


async def test_the_way_back_is_walked_by_primary_key_however_long(store: Store) -> None:
    def work(tx: Tx) -> tuple[int, int]:
        owner, parent = conversation(tx), None
        for number in range(500):
            parent = hold(tx, f"t{number:03}", parent=parent, at=NOON + number * MINUTE)
            tx.settle(parent, settlement())
        branch = tx.find_branch(account(tx), ["none"])
        assert (owner, branch) == ("c", None)
        return len(tx.history(TurnId("t499"), HISTORY_TURNS)), len(tx.history(TurnId("t050"), HISTORY_TURNS))

    assert await store.transact(work) == (200, 51)
