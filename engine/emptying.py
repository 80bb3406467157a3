"""Lets go what is older than the operator keeps it, in many small units of work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.retention import Retention

ROWS = 200
"""In one unit of work, so that nobody who asks waits for it."""
UNITS = 25
"""In one round of each kind; the next round goes on."""

Step = Callable[[Tx, datetime], int]
"""Lets go a little of what is older than that; 0: no more is due."""


class Emptying:
    """Works from what is in the database alone: several processes may do it at once, or be lost over it."""

    def __init__(self, store: Store, clock: Clock, retention: Retention) -> None:
        self._store = store
        self._clock = clock
        self.retention = retention

    async def work(self) -> int:
        """Let go some of what is due; how much."""
        now, kept = self._clock.now(), self.retention
        steps: tuple[tuple[timedelta | None, Step], ...] = (
            (kept.content, lambda tx, before: tx.empty_conversations(before, now, ROWS)),
            (kept.content, lambda tx, before: tx.forget_messages(before, ROWS)),
            (kept.content, lambda tx, before: tx.empty_announcements(before, ROWS)),
            (kept.payloads, lambda tx, before: tx.forget_payloads(before, ROWS)),
            (kept.events, lambda tx, before: tx.forget_events(before, ROWS)),
            (kept.audit, lambda tx, before: tx.forget_deeds(before, ROWS)),
        )
        return sum([await self._let_go(step, now - age) for age, step in steps if age])

    async def _let_go(self, step: Step, before: datetime) -> int:
        done = 0
        for _ in range(UNITS):
            some = await self._store.transact(lambda tx: step(tx, before))
            if not some:
                break
            done += some
        return done
