"""Answers whose process was lost: repainted where they are shown, so that none is being written for ever."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Protocol

from engine.domain import Platform, TurnId
from engine.errors import OutsideError, TryAgainError
from engine.ports import Clock, Store
from engine.turns import Orphan

log = logging.getLogger("engine.mending")

BATCH = 20
PATIENCE = timedelta(hours=1)
"""How long a platform that is away is tried again."""
SECONDS = 15.0


class Mender(Protocol):
    """Repairs on one platform what a lost process left behind."""

    async def mend(self, place: str, turn: TurnId, locale: str | None = None) -> None:
        """Repaint an answer that seems to be still being written as broken off, with a button to ask again.

        The words are said in the asker's `locale`.
        `place` is what the canvas gave as its place. The text that is shown stays where the platform lets it
        be read. GoneError: it was deleted. TryAgainError: later.
        """
        ...


class Mending:
    """Hands what lost processes left behind to this one's surfaces; two may do so at once without harm."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.menders: dict[Platform, Mender] = {}

    async def work(self) -> int:
        """Mend what was lost longest on the platforms of this process; how many were tried."""
        if not self.menders:
            return 0
        platforms = tuple(self.menders)
        found = await self._store.read(lambda tx: tx.orphans(platforms, BATCH))
        for orphan in found:
            await self._mend(self.menders[orphan.platform], orphan)
        return len(found)

    async def _mend(self, mender: Mender, orphan: Orphan) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await mender.mend(orphan.place, orphan.turn, orphan.locale)
        except (TryAgainError, TimeoutError) as error:
            log.warning("an answer that broke off is not mended yet", extra={"why": str(error)})
            if self._clock.now() - orphan.lost_at < PATIENCE:
                return
        except OutsideError as error:
            log.info("an answer that broke off cannot be mended", extra={"why": str(error)})
        await self._store.transact(lambda tx: tx.forget_place(orphan.turn))
