"""Turns at reading Stripe: nobody is given one so late that they are gone by then."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from engine.errors import TryAgainError
from engine.facts import Mode
from engine.pace import LONGEST, SPACING, Pace
from storage.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE


async def crowd(store: Store, clock: FakeClock, size: int) -> list[object]:
    """What becomes of so many who wait at once; those with a turn do not wait for it here."""
    pace = Pace(store, clock, Mode.TEST)
    waiting = [asyncio.create_task(pace.wait()) for _ in range(size)]
    turns, left, sent_away = LONGEST // SPACING + 1, set(waiting), 0
    async with asyncio.timeout(PATIENCE):
        while sent_away < size - turns:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            sent_away += len([each for each in done if each.exception()])
    for each in waiting:
        each.cancel()
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_crowd_that_is_sent_away_takes_no_turns_from_those_who_come_after_it(
    store: Store, clock: FakeClock
) -> None:
    outcomes = await crowd(store, clock, 300)
    sent_away = [each for each in outcomes if isinstance(each, TryAgainError)]
    assert len(sent_away) >= 300 - LONGEST / SPACING - 1
    clock.advance(LONGEST + SPACING)
    async with asyncio.timeout(PATIENCE):
        await Pace(store, clock, Mode.TEST).wait()


@pytest.mark.parametrize("by", [timedelta(minutes=2), timedelta(days=1)])
async def test_a_clock_that_was_set_back_keeps_nobody_waiting(
    store: Store, clock: FakeClock, by: timedelta
) -> None:
    async with asyncio.timeout(PATIENCE):
        await Pace(store, clock, Mode.TEST).wait()
        clock.set(clock.now() - by)
        await Pace(store, clock, Mode.TEST).wait()
