"""Counts webhook deliveries that were not taken: in memory, so that an attack costs a number each."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from engine.facts import Mode
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.tallies import Delivery, delivered


class Deliveries:
    """What is not written yet of them; those of the last second are lost with their process."""

    def __init__(self, store: Store, clock: Clock, mode: Mode) -> None:
        self._store = store
        self._clock = clock
        self._mode = mode
        self._untaken: Counter[tuple[datetime, Delivery]] = Counter()

    def untaken(self, why: Delivery) -> None:
        """One more: refused, or turned away because the database is."""
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        self._untaken[hour, why] += 1

    async def work(self) -> int:
        """Write them down; how many. To be called every second, in each process."""
        counted, self._untaken = self._untaken, Counter()
        if not counted:
            return 0

        def work(tx: Tx) -> None:
            tx.tally(*(delivered(self._mode, why, hour, times) for (hour, why), times in counted.items()))

        try:
            await self._store.transact(work)
        except BaseException:
            self._untaken += counted
            raise
        return counted.total()
