"""What goes and what stays when a conversation is emptied: in parts, beside others, under a late answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest

from engine.domain import AccountId, ConversationId, Micros, Person, Platform, TurnId
from engine.ledger import Tx
from engine.models import Usage
from engine.spending import BOT, vendor
from engine.summaries import OwedSummary
from engine.turns import Charge
from storage.session import Param, Row, Session
from storage.store import Store, open_store
from tests.fakes.clock import NOON, FakeClock
from tests.storage.makers import ANN, MINUTE, account, conversation, hold, rows, settlement
from tests.storage.test_attachments import CAT, PAPER

DAY = timedelta(days=1)
LATER = NOON + 10 * DAY
ASKED = Charge("quick", "one", Usage(70, 0, 9, estimated=True), Micros(106))
FIGURES = (
    """SELECT id, account, conversation, key, state, asked_model, model, estimate, cost, input_tokens,
        cached_input_tokens, output_tokens, tokens_estimated, outcome, started_at, settled_at, parent, batch,
        provider, tier, purse, good
    FROM turn ORDER BY id""",
    "SELECT * FROM charge ORDER BY number",
    "SELECT * FROM spend",
    "SELECT scope, period, spent FROM purse ORDER BY scope, period",
    "SELECT id, account, started_at, last_at, day, live_turns, tip, tier FROM conversation ORDER BY id",
    "SELECT * FROM tally",
    "SELECT id, finding FROM screening",
)
CONTENT = (
    "SELECT COUNT(*) FROM turn WHERE prompt <> '' OR answer <> '' OR images > 0 OR pdfs > 0",
    "SELECT COUNT(*) FROM attachment",
    "SELECT COUNT(*) FROM pdf",
    "SELECT COUNT(*) FROM summary",
    "SELECT COUNT(*) FROM owed_summary",
    "SELECT COUNT(*) FROM anchor",
)


def talk(tx: Tx, name: str = "c", turns: int = 3, person: Person = ANN, at: object = NOON) -> AccountId:
    """A conversation with all that can belong to one."""
    owner, parent = account(tx, person), None
    where = conversation(tx, name, person, at)  # type: ignore[arg-type]
    for number in range(turns):
        files = {"images": (CAT,), "pdfs": (PAPER,)} if number % 2 == 0 else {}
        parent = hold(tx, f"{name}{number}", name, person, at, parent=parent, **files)  # type: ignore[arg-type]
        tx.settle(parent, settlement())
        tx.bind(owner, where, [f"message {parent}"], parent)
    tx.bind(owner, where, [f"place of {name}"])
    assert parent
    task = OwedSummary(where, parent, "quick", 1000)
    tx.owe_summary(task, NOON)
    claimed = tx.claim_summary(NOON, NOON, "token")
    assert claimed
    tx.summary_made(claimed, parent, "In short.", NOON)
    tx.owe_summary(task, NOON + DAY)
    tx.rate(parent, owner, good=True)
    return owner


def counted(url: str) -> Sequence[int]:
    return [int(str(rows(url, each)[0][0])) for each in CONTENT]


def figures(url: str) -> object:
    return [sorted(map(str, rows(url, each))) for each in FIGURES]


async def emptied(store: Store, limit: int = 200, before: object = NOON + DAY) -> int:
    """One unit of it."""
    return await store.transact(lambda tx: tx.empty_conversations(before, LATER, limit))  # type: ignore[arg-type]


async def test_what_was_said_goes_and_every_figure_stays(store: Store, database_url: str) -> None:
    await store.transact(lambda tx: [talk(tx), talk(tx, "young", at=LATER)])
    before, full = figures(database_url), counted(database_url)
    assert min(full) > 0
    assert await emptied(store) == 1
    assert await emptied(store) == 0
    assert figures(database_url) == before
    assert [2 * each for each in counted(database_url)] == list(full), "the young one has all of it"

    def look(tx: Tx) -> list[object]:
        ann = account(tx)
        found = tx.conversation(ConversationId("c"))
        places = [tx.find_branch(ann, [place]) for place in ("place of c", "message c1", "place of young")]
        listed = [each.id for each in tx.conversations(ann, None, 9)]
        return [found and found.emptied, *(place and place.conversation.id for place in places), listed]

    assert await store.transact(look) == [True, None, None, "young", ["young"]]


async def test_a_day_more_or_less_decides_and_the_last_turn_counts(store: Store, database_url: str) -> None:
    def work(tx: Tx) -> None:
        for name, age in (("a", 3), ("b", 2)):
            talk(tx, name, at=LATER - age * DAY)
        talk(tx, "c", at=LATER - 3 * DAY)
        tx.release(hold(tx, "newest", "c", at=LATER - DAY), "busy", LATER)

    await store.transact(work)
    for days, gone in ((4, []), (3, []), (2, ["a"]), (1, ["a", "b"]), (0, ["a", "b", "c"])):
        while await emptied(store, before=LATER - days * DAY):
            pass
        closed = rows(database_url, "SELECT id FROM conversation WHERE emptied_at IS NOT NULL ORDER BY id")
        assert [each for (each,) in closed] == gone, days
    assert max(counted(database_url)) == 0


async def test_a_long_one_goes_in_parts_and_leads_nowhere_from_the_first_on(
    store: Store, database_url: str
) -> None:
    owner = await store.transact(lambda tx: talk(tx, turns=7))
    left = []
    while await emptied(store, limit=3):
        left.append(counted(database_url)[0])
        assert await store.read(lambda tx: tx.find_branch(owner, ["place of c", "message c6"])) is None
    assert left == [4, 1, 0]
    assert max(counted(database_url)) == 0


async def test_the_oldest_go_first_and_no_more_than_there_is_room_for(
    store: Store, database_url: str
) -> None:
    await store.transact(lambda tx: [talk(tx, str(number), at=NOON - number * MINUTE) for number in range(4)])
    await emptied(store, limit=9)
    gone = rows(database_url, "SELECT id FROM conversation WHERE emptied_at IS NOT NULL ORDER BY last_at")
    assert [each for (each,) in gone] == ["3", "2"]


async def test_one_that_is_being_answered_is_left_alone_and_stops_no_other(
    store: Store, database_url: str
) -> None:
    def work(tx: Tx) -> None:
        for number in range(25):
            conversation(tx, f"held{number}")
            hold(tx, f"held{number}", f"held{number}")
        talk(tx, at=NOON + MINUTE)

    await store.transact(work)
    assert await emptied(store) == 1
    prompts = rows(database_url, "SELECT id FROM turn WHERE prompt <> ''")
    assert len(prompts) == 25
    await store.transact(lambda tx: tx.release_expired(LATER))
    while await emptied(store):
        pass
    assert max(counted(database_url)) == 0


async def test_an_answer_that_settles_late_all_the_same_goes_with_the_next_unit(
    store: Store, database_url: str
) -> None:
    def lost(tx: Tx) -> None:
        conversation(tx)
        hold(tx, "t")
        tx.release_expired(NOON + DAY)

    await store.transact(lost)
    assert await emptied(store) == 1
    assert await store.transact(lambda tx: tx.settle(TurnId("t"), settlement()))
    assert counted(database_url)[0] == 1
    assert await emptied(store) == 1
    assert (counted(database_url)[0], await emptied(store)) == (0, 0)


async def test_a_message_that_is_shown_late_leads_to_nothing(store: Store, database_url: str) -> None:
    owner = await store.transact(talk)
    await emptied(store)
    await store.transact(lambda tx: tx.bind(owner, ConversationId("c"), ["late"], TurnId("c1")))
    assert counted(database_url)[-1] == 0


async def test_a_summary_under_way_is_paid_for_and_not_kept(store: Store, database_url: str) -> None:
    await store.transact(talk)

    def ask(tx: Tx) -> OwedSummary:
        task = tx.claim_summary(LATER, LATER + MINUTE, "asked")
        assert task
        tx.asking_summary(task, ASKED)
        return task

    task = await store.transact(ask)
    await emptied(store)
    assert not await store.transact(lambda tx: tx.summary_made(task, TurnId("c2"), "Late.", LATER))
    assert counted(database_url)[3] == 0
    purses = await store.read(lambda tx: [tx.purse(scope, LATER) for scope in (BOT, vendor("one"))])
    assert [(purse.spent, purse.held) for purse in purses] == [(106, 0)] * 2, "of this month"


async def test_two_processes_at_once_and_members_who_go_on_lose_nothing_they_have(
    store: Store, database_url: str
) -> None:
    people = [Person(Platform.LOCAL, "", f"p{number}") for number in range(12)]
    for number, person in enumerate(people):
        await store.transact(lambda tx: talk(tx, f"c{number}", person=person))  # noqa: B023 - done at once

    def reply(tx: Tx, number: int) -> bool:
        owner = account(tx, people[number])
        if tx.find_branch(owner, [f"place of c{number}"]) is None:
            return False
        hold(tx, f"new{number}", f"c{number}", people[number], LATER, parent=f"c{number}2")
        return True

    async with await open_store(database_url, FakeClock()) as second:
        sweeps = [emptied(each, limit=9) for _ in range(8) for each in (store, second)]
        replies = [second.transact(partial(reply, number=number)) for number in range(len(people))]
        *_, went_on = await asyncio.gather(*sweeps, asyncio.gather(*replies))
    assert isinstance(went_on, list)
    whole = {f"c{number}" for number, on in enumerate(went_on) if on}
    kept = rows(database_url, "SELECT DISTINCT conversation FROM turn WHERE prompt <> ''")
    assert {each for (each,) in kept} >= whole
    per = rows(
        database_url, "SELECT conversation, COUNT(*) FROM turn WHERE prompt <> '' GROUP BY conversation"
    )
    assert all(count == 4 for name, count in per if name in whole)
    while await emptied(store):
        pass
    kept = rows(database_url, "SELECT DISTINCT conversation FROM turn WHERE prompt <> ''")
    assert {each for (each,) in kept} == whole


@pytest.mark.parametrize("state", ["held by a slow clock", "settled"])
async def test_a_question_that_came_after_the_look_keeps_its_conversation(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    await store.transact(talk)
    whole, look = counted(database_url), Session.all

    def work(tx: Tx) -> int:
        def slow(session: Session, name: str, **params: Param) -> Sequence[Row]:
            found = look(session, name, **params)
            if name == "due_to_empty" and state == "settled":
                tx.settle(hold(tx, "new", at=LATER), settlement())
            elif name == "due_to_empty":
                hold(tx, "new")
            return found

        monkeypatch.setattr(Session, "all", slow)
        return tx.empty_conversations(NOON + DAY, LATER, 200)

    assert await store.transact(work) == 1
    assert counted(database_url) == [whole[0] + 1, *whole[1:]]
