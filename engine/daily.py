"""The daily report: what the last day brought and cost, to channels and by mail, once for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from engine.alerts import Alert, AlertKind
from engine.briefs import Brief, Reporting
from engine.charts import Days, Overview
from engine.errors import OutsideError, TryAgainError
from engine.ledger import Tx
from engine.panels import Panels
from engine.ports import Clock, Store
from engine.subscriptions import retry_in

log = logging.getLogger("engine.daily")

LEASE = timedelta(minutes=2)
PATIENCE = 90.0
"""Seconds for one delivery, within its lease."""
TOLD_AFTER = 5
"""Tries, over a minute and more, after which the operator is told while it is tried again."""
REMEMBERED = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Daily:
    """The figures of one UTC day, as the dashboard has them, and what is wrong by now."""

    day: date
    overview: Overview
    alerts: tuple[tuple[AlertKind, int], ...]
    """What was raised since that day began, by kind."""


class Courier(Protocol):
    """Brings the report somewhere: to all receivers of the mail, or to channels of the platforms here."""

    def destinations(self) -> Sequence[str]:
        """Where it can bring it now."""
        ...

    async def carry(self, daily: Daily, destination: str, *, again: bool) -> str:
        """Bring it; who did not get it although others did, in words without them, or nothing.

        `again`: an earlier try may have got through. OutsideError by remedy.
        """
        ...


class DailyReports:
    """Owes and delivers the report; of days long past only the newest is sent."""

    def __init__(self, store: Store, clock: Clock, panels: Panels, reporting: Reporting) -> None:
        self._store = store
        self._clock = clock
        self._panels = panels
        self.reporting = reporting
        self.couriers: list[Courier] = []
        self.destinations: tuple[str, ...] = ()
        """Where it has to go, whoever brings it there."""

    async def owe(self) -> int:
        """Owe the newest report that is due, and forget old ones."""
        destinations, now = self.destinations, self._clock.now()
        if destinations:
            day = self.reporting.day(now)

            def work(tx: Tx) -> None:
                tx.owe_briefs(day, destinations, now)
                tx.forget_briefs(day - REMEMBERED)

            await self._store.transact(work)
        return 0

    async def work(self) -> int:
        """Bring one that is due to where it has to go, if that can be done here; how many it were."""
        now, wanted = self._clock.now(), self.destinations
        here = {to: each for each in self.couriers for to in each.destinations() if to in wanted}
        if not here:
            return 0
        brief = await self._store.transact(lambda tx: tx.claim_brief(now, now + LEASE, list(here)))
        if brief is None:
            return 0
        await self._deliver(brief, here[brief.destination])
        return 1

    async def read(self, day: date | None = None) -> Daily:
        """The report of a day, or of the newest whose report is due."""
        day = day or self.reporting.day(self._clock.now())
        overview = await self._panels.overview(Days(day, day))
        alerts = await self._store.read(lambda tx: tx.open_alerts(Days(day, day).since))
        return Daily(day, overview, tuple(alerts))

    async def _deliver(self, brief: Brief, courier: Courier) -> None:
        daily = await self.read(brief.day)
        try:
            async with asyncio.timeout(PATIENCE):
                missed = await courier.carry(daily, brief.destination, again=brief.attempts > 0)
        except (TryAgainError, TimeoutError) as error:
            await self._put_off(brief, str(error) or f"no answer in {PATIENCE:.0f} seconds")
        except OutsideError as error:
            await self._refused(brief, str(error))
        else:
            log.info("daily report sent", extra={"day": str(brief.day), "to": brief.destination})
            await self._sent(brief, missed)

    async def _sent(self, brief: Brief, missed: str) -> None:
        """It is not sent again to those who missed it: all others would get it twice."""
        now = self._clock.now()

        def work(tx: Tx) -> None:
            tx.brief_sent(brief)
            if missed:
                tx.raise_alert(failing(brief, missed, now))

        await self._store.transact(work)

    async def _put_off(self, brief: Brief, why: str) -> None:
        log.warning("daily report not sent", extra={"to": brief.destination, "why": why})
        now = self._clock.now()

        def work(tx: Tx) -> None:
            tx.brief_later(brief, now + retry_in(brief.attempts), why)
            if brief.attempts + 1 == TOLD_AFTER:
                tx.raise_alert(failing(brief, why, now))

        await self._store.transact(work)

    async def _refused(self, brief: Brief, why: str) -> None:
        log.error("daily report refused", extra={"to": brief.destination, "why": why})
        now = self._clock.now()

        def work(tx: Tx) -> None:
            tx.brief_refused(brief, why)
            tx.raise_alert(failing(brief, why, now))

        await self._store.transact(work)


def failing(brief: Brief, why: str, now: datetime) -> Alert:
    """That the report of a day does not get through, once."""
    key = f"{AlertKind.REPORT_FAILING}:{brief.day}:{brief.destination}"
    return Alert(key, AlertKind.REPORT_FAILING, brief.destination, now, why)
