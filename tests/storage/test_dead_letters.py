"""What was given up, and how it comes back to life."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.alerts import Alert, AlertKind
from engine.circuit import Circuit
from engine.domain import TurnId
from engine.facts import CustomerId, DirtyCustomer, Mode
from engine.ledger import Tx
from engine.terms import DeadLetter, Duty, DutyId, LetterKind, UsageReport
from engine.vitals import Vitals
from storage.statements import sqlite_statements
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import (
    ANN,
    BEN,
    MINUTE,
    account,
    conversation,
    duty,
    hold,
    notice,
    report,
    seal,
    settlement,
)

CUSTOMER = CustomerId("cus_1")
LATER = NOON + MINUTE
DEAD = [
    DeadLetter(LetterKind.CUSTOMER, "cus_1", "no such key", 1),
    DeadLetter(LetterKind.DUTY, "duty", "no right", 1),
    DeadLetter(LetterKind.USAGE, "report", "no meter", 1),
]


def take(
    tx: Tx, now: datetime, token: str = "token", customer: CustomerId | None = None
) -> list[DirtyCustomer]:
    """Claim due customers, or one."""
    return list(tx.claim_dirty(Mode.TEST, now, now + MINUTE, token, 9, customer))


def take_duties(tx: Tx, now: datetime) -> list[Duty]:
    """Claim due duties."""
    return list(tx.claim_duties(Mode.TEST, now, now + MINUTE, 9))


def take_reports(tx: Tx, now: datetime) -> list[UsageReport]:
    """Claim due reports."""
    return list(tx.claim_reports(Mode.TEST, now, now + MINUTE, 9))


def kill_customer(tx: Tx) -> None:
    """A customer that is given up."""
    tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
    (dirty,) = take(tx, NOON)
    tx.give_up_sync(dirty, "no such key")


def kill_all(tx: Tx) -> None:
    """One of each kind."""
    kill_customer(tx)
    tx.owe_duty(duty(), NOON)
    take_duties(tx, NOON)
    tx.duty_dead(duty().id, "no right")
    seal(tx, report(account(tx)))
    take_reports(tx, NOON)
    tx.report_dead("report", "no meter")


async def test_all_that_was_given_up_is_seen_in_its_mode_and_claimed_no_more(store: Store) -> None:
    def work(tx: Tx) -> None:
        kill_all(tx)
        assert list(tx.dead_letters(Mode.TEST)) == DEAD
        assert list(tx.dead_letters(Mode.LIVE)) == []
        later = NOON + 99 * MINUTE
        assert [*take(tx, later), *take_duties(tx, later), *take_reports(tx, later)] == []
        assert list(tx.claim_reports(Mode.TEST, later, later, 9, account(tx))) == []
        assert tx.queue_depth(later) == (0, None)

    await store.transact(work)


async def test_what_was_given_up_is_counted_in_its_mode(store: Store) -> None:
    await store.transact(kill_all)
    counted = [await store.read(lambda tx, mode=mode: tx.count_dead(mode)) for mode in Mode]  # type: ignore[misc]
    assert counted == [3 if mode is Mode.TEST else 0 for mode in Mode]


def test_counting_what_was_given_up_looks_at_nothing_else(migrated_file: Path) -> None:
    sql = f"EXPLAIN QUERY PLAN {sqlite_statements()['count_dead']}"
    with closing(sqlite3.connect(migrated_file)) as connection:
        plan = [row[3] for row in connection.execute(sql, {"mode": Mode.TEST})]
    looked = [step for step in plan if step.startswith(("SCAN", "SEARCH")) and step != "SCAN CONSTANT ROW"]
    assert len(looked) == 3
    assert all(step.endswith("_dead (mode=?)") for step in looked)


async def test_retried_letters_are_due_now_with_their_tries_forgotten(store: Store) -> None:
    def work(tx: Tx) -> None:
        kill_all(tx)
        assert [tx.retry_dead(mode, LATER) for mode in (Mode.LIVE, Mode.TEST, Mode.TEST)] == [0, 3, 0]
        assert list(tx.dead_letters(Mode.TEST)) == []
        (dirty,), (owed,), (told,) = take(tx, LATER), take_duties(tx, LATER), take_reports(tx, LATER)
        assert (dirty.fails, owed.attempts, told.attempts) == (0, 0, 0)
        assert (told.tried_at, told.dead) == (NOON, False)

    await store.transact(work)


@pytest.mark.parametrize("number", range(3))
async def test_one_letter_can_be_retried_by_its_id(store: Store, number: int) -> None:
    def work(tx: Tx) -> tuple[int, int, list[DeadLetter]]:
        kill_all(tx)
        none, one = (
            tx.retry_dead(Mode.TEST, LATER, "another"),
            tx.retry_dead(Mode.TEST, LATER, DEAD[number].id),
        )
        return none, one, list(tx.dead_letters(Mode.TEST))

    assert await store.transact(work) == (0, 1, DEAD[:number] + DEAD[number + 1 :])


async def test_a_hint_brings_a_dead_customer_back_at_its_own_time_with_its_tries_forgotten(
    store: Store,
) -> None:
    def work(tx: Tx) -> list[list[int]]:
        kill_customer(tx)
        tx.mark_dirty(Mode.TEST, CUSTOMER, LATER)
        assert list(tx.dead_letters(Mode.TEST)) == []
        return [[dirty.fails for dirty in take(tx, now)] for now in (NOON, LATER)]

    assert await store.transact(work) == [[], [0]]


@pytest.mark.parametrize(
    ("end", "dead"),
    [
        (lambda tx, dirty: tx.finish_sync(dirty), 0),
        (lambda tx, dirty: tx.fail_sync(dirty, NOON, "away"), 1),
        (lambda tx, dirty: tx.give_up_sync(dirty, "again"), 1),
        (lambda tx, dirty: tx.give_up_sync(replace(dirty, token="lost"), "again"), 1),
    ],
)
async def test_a_dead_customer_can_be_read_when_asked_for_and_lives_if_that_goes_well(
    store: Store, end: Callable[[Tx, DirtyCustomer], object], dead: int
) -> None:
    def work(tx: Tx) -> tuple[int, int]:
        kill_customer(tx)
        (dirty,) = take(tx, NOON, customer=CUSTOMER)
        end(tx, dirty)
        return len(tx.dead_letters(Mode.TEST)), len(take(tx, LATER))

    assert await store.transact(work) == (dead, 0)


async def test_a_clean_customer_that_was_given_up_is_read_when_retried(store: Store) -> None:
    def work(tx: Tx) -> int:
        tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
        (dirty,) = take(tx, NOON)
        tx.finish_sync(dirty)
        (clean,) = take(tx, NOON, customer=CUSTOMER)
        tx.give_up_sync(clean, "no such key")
        tx.retry_dead(Mode.TEST, NOON)
        return len(take(tx, NOON))

    assert await store.transact(work) == 1


async def test_who_lost_the_lease_gives_nothing_up(store: Store) -> None:
    def work(tx: Tx) -> int:
        tx.mark_dirty(Mode.TEST, CUSTOMER, NOON)
        (slow,) = take(tx, NOON, "slow")
        (quick,) = take(tx, LATER, "quick")
        tx.give_up_sync(slow, "no use")
        tx.finish_sync(quick)
        return len(tx.dead_letters(Mode.TEST))

    assert await store.transact(work) == 0


async def test_many_who_retry_at_once_revive_each_letter_once(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for number in range(5):
            tx.owe_duty(duty(f"{number}"), NOON)
            tx.duty_dead(DutyId(f"{number}"), "no right")

    await store.transact(fill)
    retried = await asyncio.gather(
        *(store.transact(lambda tx: tx.retry_dead(Mode.TEST, NOON)) for _ in range(9))
    )
    assert sum(retried) == 5


async def test_what_waits_and_what_is_stuck_is_counted(store: Store) -> None:
    def trouble(tx: Tx) -> None:
        kill_all(tx)
        tx.mark_dirty(Mode.TEST, CustomerId("cus_2"), NOON)
        tx.mark_dirty(Mode.LIVE, CustomerId("cus_3"), NOON + MINUTE)
        tx.mark_dirty(Mode.TEST, CustomerId("cus_4"), LATER + MINUTE)
        tx.owe(notice(account(tx)))
        tx.raise_alert(Alert("a", AlertKind.VENDOR_DOWN, "openai", NOON))
        tx.raise_alert(Alert("b", AlertKind.VENDOR_DOWN, "gemini", NOON))
        tx.address_alerts((ANN, BEN), (), NOON, 1)
        tx.open_circuit(Circuit("quick", NOON, NOON + MINUTE))
        conversation(tx)
        hold(tx, "held")
        hold(tx, "over")
        tx.settle(TurnId("over"), settlement())

    await store.transact(trouble)
    found = await store.read(lambda tx: tx.vitals(LATER))
    assert found == Vitals(
        held_turns=1,
        backlog=3,
        waiting=MINUTE,
        dead_letters=3,
        notices_owed=1,
        alerts_owed=3,
        circuits_open=1,
    )
    early = await store.read(lambda tx: tx.vitals(NOON - MINUTE))
    assert (early.backlog, early.waiting) == (3, timedelta(0))
