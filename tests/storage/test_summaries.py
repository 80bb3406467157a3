"""Summaries that are owed, claimed, kept, and what a process leaves behind that is killed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.admission import Desk
from engine.domain import ConversationId, Micros, TurnId
from engine.facts import Mode
from engine.ledger import Tx
from engine.models import Usage
from engine.spending import BOT, vendor
from engine.summaries import OwedSummary, Summaries
from engine.summarising import LEASE, TRIES, Summarising
from engine.turns import Charge
from storage.store import Store
from tests.engine.conftest import CATALOGUE
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.models import Scripted
from tests.storage.children import Children, line
from tests.storage.makers import MINUTE, conversation, hold, settlement

TASK = OwedSummary(ConversationId("c"), TurnId("t4"), "quick", 1000)
CHARGE = Charge("quick", "one", Usage(70, 0, 9, estimated=True), Micros(106))
SUMMED = Usage(900, 0, 30)
DESK = Desk(CATALOGUE, Mode.TEST, "", "process", summaries=Summaries(on=True, model=None))


def long_talk(tx: Tx) -> None:
    """Five turns of 300 tokens, one after the other, and a summary owed."""
    conversation(tx)
    for number in range(5):
        hold(tx, f"t{number}", parent=f"t{number - 1}" if number else None)
        tx.settle(TurnId(f"t{number}"), settlement(str(number) * 900))
    tx.owe_summary(TASK, NOON)


async def test_a_conversation_is_owed_one_at_a_time(store: Store) -> None:
    def work(tx: Tx) -> list[object]:
        long_talk(tx)
        again = tx.owe_summary(replace(TASK, tip=TurnId("t3")), NOON + MINUTE)
        first = tx.claim_summary(NOON, NOON + LEASE, "a")
        return [again, first, tx.claim_summary(NOON + LEASE - MINUTE, NOON + 2 * LEASE, "b")]

    assert await store.transact(work) == [False, replace(TASK, token="a"), None]


async def test_after_the_lease_another_claims_it_and_learns_what_was_asked(store: Store) -> None:
    def work(tx: Tx) -> list[object]:
        long_talk(tx)
        first = tx.claim_summary(NOON, NOON + LEASE, "a")
        assert first
        noted = tx.asking_summary(first, CHARGE)
        second = tx.claim_summary(NOON + LEASE, NOON + 2 * LEASE, "b")
        late = [tx.asking_summary(first, None), tx.summary_made(first, TurnId("t1"), "Late.", NOON)]
        tx.summary_later(first, NOON, "late")
        tx.drop_summary(first)
        kept = [each for each in tx.history(TurnId("t4"), 9) if each.summary]
        return [noted, second, late, kept, tx.claim_summary(NOON + LEASE, NOON + 2 * LEASE, "c")]

    expected = replace(TASK, attempts=1, asked=CHARGE, token="b")
    assert await store.transact(work) == [True, expected, [False, False], [], None]


async def test_what_is_being_asked_is_held_in_the_purses_of_the_bot_and_the_vendor(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        long_talk(tx)
        task = tx.claim_summary(NOON, NOON + LEASE, "a")
        assert task
        held: list[int] = []
        for charge in (CHARGE, None):
            tx.asking_summary(task, charge)
            held += [tx.purse(scope, NOON).held for scope in (BOT, vendor("one"), vendor("two"))]
        return held

    assert await store.transact(work) == [106, 106, 0, 0, 0, 0]


async def test_one_that_was_given_up_is_owed_again_after_its_rest(store: Store) -> None:
    def work(tx: Tx) -> list[object]:
        long_talk(tx)
        task = tx.claim_summary(NOON, NOON + LEASE, "a")
        assert task
        tx.asking_summary(task, CHARGE)
        tx.summary_given_up(task, NOON + timedelta(days=1), "broken")
        seen: list[object] = [tx.purse(BOT, NOON).held]
        for at in (NOON + MINUTE, NOON + timedelta(days=1)):
            seen += [tx.claim_summary(at, at + LEASE, "b"), tx.owe_summary(TASK, at)]
        at = NOON + timedelta(days=1)
        return [*seen, tx.claim_summary(at, at + LEASE, "c")]

    fresh = replace(TASK, token="c")
    assert await store.transact(work) == [0, None, False, None, True, fresh]


async def test_a_history_is_read_back_to_a_summary_unless_that_is_near(store: Store) -> None:
    def work(tx: Tx) -> list[list[str]]:
        long_talk(tx)
        for number in range(5, 9):
            hold(tx, f"t{number}", parent=f"t{number - 1}")
            tx.settle(TurnId(f"t{number}"), settlement())
        for reach in ("t1", "t4"):
            task = tx.claim_summary(NOON, NOON + LEASE, reach)
            assert task
            tx.summary_made(task, TurnId(reach), f"Up to {reach}.", NOON)
            tx.owe_summary(TASK, NOON)
        ways = [tx.history(TurnId(tip), 99) for tip in ("t8", "t5", "t1")]
        return [[each.summary or each.turn for each in way] for way in ways]

    assert await store.transact(work) == [
        ["Up to t4.", "t5", "t6", "t7", "t8"],
        ["Up to t1.", "t2", "t3", "Up to t4.", "t5"],
        ["t0", "Up to t1."],
    ]


async def test_nothing_is_asked_about_a_turn_that_was_not_settled_after_all(
    store: Store, clock: FakeClock
) -> None:
    def work(tx: Tx) -> None:
        long_talk(tx)
        tx.drop_summary(tx.claim_summary(NOON, NOON + LEASE, "a") or TASK)
        hold(tx, "lost", parent="t4")
        tx.release(TurnId("lost"), "cut", NOON)
        tx.owe_summary(replace(TASK, tip=TurnId("lost")), NOON)

    await store.transact(work)
    one = Scripted()
    summarising = Summarising(store, clock, {"one": one, "two": one}, lambda: DESK)
    assert [await summarising.work(), await summarising.work()] == [1, 0]
    assert not one.seen


async def test_what_was_lost_again_and_again_is_given_up(store: Store, clock: FakeClock) -> None:
    def lost(tx: Tx) -> None:
        long_talk(tx)
        for number in range(TRIES):
            assert tx.claim_summary(NOON + number * LEASE, NOON + (number + 1) * LEASE, str(number))

    await store.transact(lost)
    clock.advance(TRIES * LEASE)
    one = Scripted()
    work = Summarising(store, clock, {"one": one, "two": one}, lambda: DESK).work
    assert [await work(), await work()] == [1, 0]
    assert not one.seen
    assert not await store.transact(lambda tx: tx.owe_summary(TASK, clock.now()))


async def test_what_a_killed_process_had_asked_for_is_done_by_another_and_charged_as_it_may_have_cost(
    store: Store, database_url: str, children: Children, clock: FakeClock
) -> None:
    await store.transact(long_talk)
    process = await children.start("summarise", database_url)
    assert await line(process) == "asked quick-1"
    process.kill()
    await process.wait()
    one = Scripted(("All of it.",), usage=SUMMED)
    work = Summarising(store, clock, {"one": one, "two": one}, lambda: DESK).work
    assert await work() == 0, "its lease is not over"
    clock.advance(LEASE)
    assert [await work(), await work()] == [1, 0]
    assert len(one.seen) == 1
    entries = await store.read(lambda tx: tx.entries(NOON, NOON + timedelta(days=1)))
    lost, real = (entry.charge for entry in entries if entry.turn is None)
    assert (real.usage, lost.usage.estimated) == (SUMMED, True)
    assert lost.usage.output_tokens == one.seen[0].max_output, "a whole answer may have been charged"
    way = await store.read(lambda tx: tx.history(TurnId("t4"), 99))
    assert [each.summary for each in way] == ["", "", "", "All of it.", ""]
    purse = await store.read(lambda tx: tx.purse(BOT, clock.now()))
    charged = sum(entry.charge.cost or 0 for entry in entries)
    assert (purse.spent, purse.held) == (charged, 0)
