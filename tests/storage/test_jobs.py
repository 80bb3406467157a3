"""Turns at reading Stripe, and what the clock starts."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from engine.facts import Mode
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE

LATER = NOON + MINUTE
SPACING = timedelta(milliseconds=100)


def turn(tx: Tx, now: datetime = NOON, mode: Mode = Mode.TEST) -> datetime:
    """The next turn."""
    return tx.take_turn(mode, now, SPACING)


async def test_turns_that_are_taken_at_once_lie_exactly_the_spacing_apart(store: Store) -> None:
    turns = await asyncio.gather(*(store.transact(turn) for _ in range(30)))
    assert sorted(turns) == [NOON + number * SPACING for number in range(30)]


async def test_a_turn_is_no_later_than_it_has_to_be(store: Store) -> None:
    def work(tx: Tx) -> list[datetime]:
        soon, much_later = NOON + 0.4 * SPACING, NOON + 5 * SPACING
        return [turn(tx), turn(tx, soon), turn(tx, much_later), turn(tx, NOON, Mode.LIVE), turn(tx, NOON)]

    expected = [NOON, NOON + SPACING, NOON + 5 * SPACING, NOON, NOON + 6 * SPACING]
    assert await store.transact(work) == expected


async def test_a_job_is_begun_by_one_when_it_is_due_or_its_lease_ran_out(store: Store) -> None:
    def begin(tx: Tx, now: datetime) -> str | None:
        return tx.begin_job("nightly", now, now + MINUTE)

    first = await asyncio.gather(*(store.transact(lambda tx: begin(tx, NOON)) for _ in range(20)))
    assert [note for note in first if note is not None] == [""]
    again = await asyncio.gather(*(store.transact(lambda tx: begin(tx, LATER)) for _ in range(20)))
    assert [note for note in again if note is not None] == [""]


async def test_a_job_finds_the_note_of_its_last_run_when_it_is_due_again(store: Store) -> None:
    def work(tx: Tx) -> list[str | None]:
        tx.begin_job("nightly", NOON, LATER)
        tx.end_job("nightly", "as far as evt_1", NOON + 5 * MINUTE)
        found = [
            tx.begin_job("nightly", now, now + MINUTE)
            for now in (LATER, NOON + 5 * MINUTE, NOON + 5 * MINUTE)
        ]
        return [*found, tx.begin_job("hourly", NOON, LATER)]

    assert await store.transact(work) == [None, "as far as evt_1", None, ""]
