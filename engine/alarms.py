"""Tells operators what was raised for them, in person and in channels: each thing once, floods in brief."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine import tidings
from engine.alerts import DASHBOARD, NEWS, PAGES, Alert, AlertKind, Bulletin, Herald
from engine.channels import Channel
from engine.domain import Person, Platform
from engine.errors import OutsideError, UnreachableError
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.subscriptions import retry_in

log = logging.getLogger("engine.alarms")

LEASE = timedelta(seconds=30)
AT_ONCE = 10
"""Alerts that are taken at once to be owed."""
FLOOD, LATELY = 10, timedelta(minutes=1)
"""Whoever was told so many alerts in that time is told the next ones in one message when it has passed."""
STALE = timedelta(days=7)
"""After which an alert that nobody could be told is news no more."""
REMEMBERED = timedelta(days=90)
LEVELS: Mapping[AlertKind, int] = {
    AlertKind.CEILING_REACHED: logging.ERROR,
    AlertKind.VENDOR_BROKEN: logging.ERROR,
    AlertKind.CONFIG_REFUSED: logging.ERROR,
    AlertKind.NEEDS_OPERATOR: logging.ERROR,
    AlertKind.DISPUTE_OPENED: logging.ERROR,
    AlertKind.DEAD_LETTER: logging.ERROR,
    AlertKind.BACKLOG: logging.ERROR,
    AlertKind.CHANNEL_LOST: logging.ERROR,
    AlertKind.REPORT_FAILING: logging.ERROR,
    **dict.fromkeys(NEWS, logging.INFO),
}
"""How loudly a kind is logged; all others are warnings."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told: the operators in person, and the channels that the operator named, in one language."""

    people: tuple[Person, ...] = ()
    channels: tuple[Channel, ...] = ()
    language: str = "en"
    site: str = ""
    """The address of our own pages, without a slash at its end."""


class Alarms:
    """Logs what is raised, and tells the operators of the platforms in this process."""

    def __init__(self, store: Store, clock: Clock, audience: Audience) -> None:
        """Without anybody in the audience it only logs."""
        self._store = store
        self._clock = clock
        self.audience = audience
        self.heralds: dict[Platform, Herald] = {}

    async def address(self) -> int:
        """Log what was raised, and owe it to everybody who has to know; how much that was."""
        now, told = self._clock.now(), self.audience
        taken = await self._store.transact(
            lambda tx: tx.address_alerts(told.people, told.channels, now, AT_ONCE)
        )
        for alert in taken:
            about = {"kind": alert.kind.value, "subject": alert.subject, "detail": alert.detail}
            log.log(LEVELS.get(alert.kind, logging.WARNING), "alert", extra=about)
        return len(taken)

    async def work(self) -> int:
        """Tell one person or channel what is due; 1, or 0 if nothing is."""
        now = self._clock.now()
        told: tuple[Person | Channel, ...] = (*self.audience.people, *self.audience.channels)
        here = [each for each in told if each.platform in self.heralds]
        if not here:
            return 0
        bulletin = await self._store.transact(
            lambda tx: tx.claim_bulletin(now, now + LEASE, here, FLOOD, now - LATELY)
        )
        if bulletin is None:
            return 0
        await self._tell(self._addressed(bulletin))
        return 1

    async def sweep(self) -> int:
        """Let go what is too old to be told, and later what was told."""
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.forget_alerts(now - STALE, now - REMEMBERED))
        return 0

    def _addressed(self, bulletin: Bulletin) -> Bulletin:
        """With whole addresses, and for a channel in the language of all channels."""
        site, language = self.audience.site, self.audience.language
        alerts = tuple(replace(each, link=whole(site, each)) for each in bulletin.alerts)
        locale = language if isinstance(bulletin.to, Channel) else bulletin.locale
        return replace(bulletin, alerts=alerts, locale=locale)

    async def needed(self, subject: str, why: str) -> None:
        """Have the operator told of what only they can mend."""
        alert = tidings.needs_operator(subject, why, self._clock.now())
        try:
            await self._store.transact(lambda tx: tx.raise_alert(alert))
        except OutsideError as error:
            log.warning("alert not raised", extra={"why": str(error)})

    async def _tell(self, bulletin: Bulletin) -> None:
        herald, name = self.heralds[bulletin.to.platform], bulletin.id
        try:
            async with asyncio.timeout(LEASE.total_seconds() / 2):
                await herald.tell(bulletin, again=bulletin.attempts > 0)
        except UnreachableError as error:
            await self._give_up(bulletin, str(error))
        except (OutsideError, TimeoutError) as error:
            log.warning("alert not delivered", extra={"why": str(error)})
            due = self._clock.now() + retry_in(bulletin.attempts)
            await self._store.transact(lambda tx: tx.bulletin_later(name, due))
        else:
            now = self._clock.now()
            await self._store.transact(lambda tx: tx.bulletin_told(name, now))

    async def _give_up(self, bulletin: Bulletin, why: str) -> None:
        """Whoever cannot be written to is told no more of this; that a channel is lost is an alert itself."""
        to, now = bulletin.to, self._clock.now()

        def work(tx: Tx) -> None:
            tx.drop_bulletin(bulletin.id)
            if isinstance(to, Channel):
                tx.raise_alert(lost(to, now, why))

        words = "a channel cannot be told" if isinstance(to, Channel) else "an operator cannot be told"
        log.warning("%s; see %s", words, WHERE[type(to)], extra={"to": str(to), "why": why})
        await self._store.transact(work)


WHERE: Mapping[type, str] = {Person: "ADMIN_IDS", Channel: "[alerts]"}
"""Where those who are told are named."""


def lost(channel: Channel, now: datetime, why: str) -> Alert:
    """That a channel cannot be written to, once a day."""
    key = f"{AlertKind.CHANNEL_LOST}:{channel}:{now:%Y-%m-%d}"
    return Alert(key, AlertKind.CHANNEL_LOST, str(channel), now, why, "")


def whole(site: str, alert: Alert) -> str:
    """Where an alert leads, as a whole address; nowhere if that is our pages and we have none."""
    link = PAGES.get(alert.kind, DASHBOARD) if alert.link == DASHBOARD else alert.link
    if not link.startswith("/"):
        return link
    return f"{site}{link}" if site else ""
