"""Turns at reading Stripe: at most ten a second over all processes, whoever asks."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from engine.errors import TryAgainError
from engine.facts import Mode
from engine.ledger import Tx
from engine.ports import Clock, Store

SPACING = timedelta(milliseconds=125)
"""Eight turns a second leave room for those that are taken late, so that no second ever has more than ten.

Stripe allows 25 reads a second of one endpoint (docs.stripe.com/rate-limits); we are not alone there.
"""
LONGEST = timedelta(seconds=5)
"""Who would wait longer comes back later: a turn that nobody waits for any more keeps others from theirs."""


class Pace:
    """Hands out moments at which Stripe may be read."""

    def __init__(self, store: Store, clock: Clock, mode: Mode, spacing: timedelta = SPACING) -> None:
        self._store = store
        self._clock = clock
        self._mode = mode
        self._spacing = spacing

    async def wait(self) -> None:
        """Return when it is the caller's turn. TryAgainError: too many wait, or the database is away."""
        now = self._clock.now()
        turn = await self._store.transact(lambda tx: self._turn(tx, now))
        await asyncio.sleep(max(0.0, (turn - self._clock.now()).total_seconds()))

    def _turn(self, tx: Tx, now: datetime) -> datetime:
        """A turn of this unit, which gives it back by failing."""
        turn = tx.take_turn(self._mode, now, self._spacing)
        if turn - now > LONGEST:
            message = "too many wait to read Stripe"
            raise TryAgainError(message, retry_after=LONGEST.total_seconds())
        return turn
