"""Looks for what nobody else notices: customers that wait too long, models that settle, bad signatures."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime, timedelta

from engine.alerts import Alert, AlertKind
from engine.breaker import calming
from engine.errors import OutsideError
from engine.facts import Mode
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.unrest import calmed

log = logging.getLogger("engine.watch")

LOOK = timedelta(minutes=1)
KNOCKS, KNOCKING = 20, timedelta(minutes=10)
"""More requests than that without a good signature, in that time, are an alert."""
SILENCE = timedelta(hours=1)
"""Between two alerts about them, however many there are."""
MOST_COUNTED = 10_000


class Watch:
    """Raises an alert when customers wait for longer than `patience`, and one when they do no longer.

    Beside that, one when a model that came and went is steady.
    """

    def __init__(self, store: Store, clock: Clock, mode: Mode, patience: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._mode = mode
        self.patience = patience

    async def look(self) -> int:
        """Once a minute, whatever the number of processes; 1 if it was done."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: self._compare(tx, now))

    async def calm(self) -> int:
        """Tell of models that came and went which way they have settled; how many there were."""
        now = self._clock.now()
        known = await self._store.read(lambda tx: tx.unrests())
        names = [each.name for each in known if each.over(now) or calmed(each, now)[1]]

        def work(tx: Tx) -> None:
            for name in names:
                calming(tx, name, now)

        if names:
            await self._store.transact(work)
        return len(names)

    def _compare(self, tx: Tx, now: datetime) -> int:
        """The job's note is since when it is too late; empty while nothing is."""
        name = f"{self._mode}:backlog"
        since = tx.begin_job(name, now, now + LOOK)
        if since is None:
            return 0
        waiting, oldest = tx.backlog(self._mode, now)
        late = oldest is not None and now - oldest > self.patience
        detail = f"{waiting} due, the oldest since {oldest:%Y-%m-%d %H:%M} UTC" if oldest else "none is due"
        if late and not since:
            since = now.isoformat()
            tx.raise_alert(self._alert(AlertKind.BACKLOG, since, detail, now))
        elif since and not late:
            tx.raise_alert(self._alert(AlertKind.BACKLOG_OVER, since, detail, now))
            since = ""
        tx.end_job(name, since, now + LOOK)
        return 1

    def _alert(self, kind: AlertKind, since: str, detail: str, now: datetime) -> Alert:
        return Alert(f"{kind}:{self._mode}:{since}", kind, "Stripe", now, detail)


class Knocks:
    """Counts webhooks without a good signature; an attack costs numbers, and a door an alert an hour."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._heard: dict[str, deque[datetime]] = {}
        self._quiet_until: dict[str, datetime] = {}

    async def heard(self, door: str) -> None:
        """One more came to that door, which is one of ours."""
        now, heard = self._clock.now(), self._heard.setdefault(door, deque(maxlen=MOST_COUNTED))
        heard.append(now)
        while heard[0] < now - KNOCKING:
            heard.popleft()
        quiet_until = self._quiet_until.get(door)
        if len(heard) <= KNOCKS or (quiet_until and now < quiet_until):
            return
        self._quiet_until[door] = now + SILENCE
        detail = f"{len(heard)} in {KNOCKING.seconds // 60} minutes"
        try:
            await self._store.transact(lambda tx: knocked(tx, door, detail, now))
        except OutsideError as error:
            self._quiet_until[door] = now + LOOK
            log.warning("alert not raised", extra={"why": str(error)})


def knocked(tx: Tx, door: str, detail: str, now: datetime) -> None:
    """Tell it, unless another process has within the hour."""
    if tx.begin_job(f"knocks:{door}", now, now + SILENCE) is not None:
        key = f"{AlertKind.SIGNATURES}:{door}:{now.isoformat()}"
        tx.raise_alert(Alert(key, AlertKind.SIGNATURES, door, now, detail))
