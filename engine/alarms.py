"""Tells the operators what was raised for them: each thing once, those that wait together in one message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

from engine.alerts import AlertKind, Bulletin, Herald
from engine.domain import Person, Platform
from engine.errors import OutsideError, UnreachableError
from engine.ports import Clock, Store
from engine.subscriptions import retry_in

log = logging.getLogger("engine.alarms")

LEASE = timedelta(seconds=30)
TOGETHER = 10
"""Alerts in one message."""
STALE = timedelta(days=7)
"""After which an alert that nobody could be told is news no more."""
REMEMBERED = timedelta(days=90)
LEVELS: Mapping[AlertKind, int] = {
    AlertKind.CEILING_REACHED: logging.ERROR,
    AlertKind.VENDOR_BROKEN: logging.ERROR,
    AlertKind.CONFIG_REFUSED: logging.ERROR,
}
"""How loudly a kind is logged; all others are warnings."""


class Alarms:
    """Logs what is raised, and tells the operators of the platforms in this process."""

    def __init__(self, store: Store, clock: Clock, people: tuple[Person, ...]) -> None:
        """Without `people` it only logs."""
        self._store = store
        self._clock = clock
        self.people = people
        self.heralds: dict[Platform, Herald] = {}

    async def address(self) -> int:
        """Log what was raised, and owe it to everybody who has to know; how much that was."""
        now, people = self._clock.now(), self.people
        taken = await self._store.transact(lambda tx: tx.address_alerts(people, now, TOGETHER))
        for alert in taken:
            about = {"kind": alert.kind.value, "subject": alert.subject, "detail": alert.detail}
            log.log(LEVELS.get(alert.kind, logging.WARNING), "alert", extra=about)
        return len(taken)

    async def work(self) -> int:
        """Tell one person what is due; 1, or 0 if nothing is."""
        now, platforms = self._clock.now(), [platform.value for platform in self.heralds]
        if not platforms:
            return 0
        bulletin = await self._store.transact(
            lambda tx: tx.claim_bulletin(now, now + LEASE, platforms, TOGETHER)
        )
        if bulletin is None:
            return 0
        await self._tell(bulletin)
        return 1

    async def sweep(self) -> int:
        """Let go what is too old to be told, and later what was told."""
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.forget_alerts(now - STALE, now - REMEMBERED))
        return 0

    async def _tell(self, bulletin: Bulletin) -> None:
        herald, name = self.heralds[bulletin.person.platform], bulletin.id
        try:
            async with asyncio.timeout(LEASE.total_seconds() / 2):
                await herald.tell(bulletin, again=bulletin.attempts > 0)
        except UnreachableError as error:
            about = {"person": str(bulletin.person), "why": str(error)}
            log.warning("an operator cannot be told; see ADMIN_IDS", extra=about)
            await self._store.transact(lambda tx: tx.drop_bulletin(name))
        except (OutsideError, TimeoutError) as error:
            log.warning("alert not delivered", extra={"why": str(error)})
            due = self._clock.now() + retry_in(bulletin.attempts)
            await self._store.transact(lambda tx: tx.bulletin_later(name, due))
        else:
            await self._store.transact(lambda tx: tx.bulletin_told(name))
