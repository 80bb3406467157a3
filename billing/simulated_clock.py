"""A clock that can be moved forward, for everybody who opens the same database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from engine.errors import OutsideError
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.simulated import SimulatedObject

log = logging.getLogger("billing.simulated")

CLOCK_ID = "sim_clock"
READ_EVERY = 0.5
"""Seconds between looks whether another process has moved it."""
LONGEST_STEP = timedelta(days=366)
MICROSECOND = timedelta(microseconds=1)


class SimulatedClock:
    """The Clock port: real time, and what it was moved forward by, which is kept in the database."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """The time as an aware UTC datetime."""
        return self._real.now() + self._ahead

    @property
    def ahead(self) -> timedelta:
        """How far it was moved, as far as this process knows."""
        return self._ahead

    async def refresh(self, store: Store) -> bool:
        """Read how far it was moved; whether that was news."""
        kept = await store.read(lambda tx: tx.get_object(CLOCK_ID))
        ahead = max(self._ahead, _ahead(kept))
        news, self._ahead = ahead > self._ahead, ahead
        return news

    async def move(self, store: Store, by: timedelta) -> datetime:
        """Move it forward and return the new time; ValueError for going back, or further than a year."""
        if not timedelta(0) < by <= LONGEST_STEP:
            raise ValueError("the simulated clock moves forward only, and a year at most at once")
        still = SimulatedObject(CLOCK_ID, "clock", "", "0")

        def work(tx: Tx) -> timedelta:
            tx.add_object(still)
            ahead = _ahead(tx.get_object(CLOCK_ID)) + by
            tx.put_object(replace(still, body=str(ahead // MICROSECOND)))
            return ahead

        self._ahead = max(self._ahead, await store.transact(work))
        return self.now()

    async def follow(self, store: Store, moved: Callable[[], None] = lambda: None) -> None:
        """Stay with the database until cancelled; `moved` is called whenever time has jumped."""
        told = self._ahead
        while True:
            try:
                await self.refresh(store)
            except OutsideError as error:
                log.warning("the simulated clock could not be read", extra={"why": str(error)})
            if told != self._ahead:
                told = self._ahead
                moved()
            await asyncio.sleep(READ_EVERY)


def _ahead(kept: SimulatedObject | None) -> timedelta:
    return int(kept.body) * MICROSECOND if kept else timedelta(0)
