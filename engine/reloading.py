"""Reads the configuration anew while we run: all of what may change is taken over, or nothing is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from hashlib import sha256

from engine.alerts import Alert, AlertKind
from engine.audit import Actor, Deed, Entry
from engine.config import ConfigurationError
from engine.errors import OutsideError
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.settings import Settings
from engine.tracing import current, traced

log = logging.getLogger("engine.reloading")

LASTING: Mapping[str, str] = {
    "server": "HOST, PORT, APP_URL",
    "database": "DATABASE_URL, PG_PREPARED_STATEMENTS",
    "discord": "the variables of Discord, [discord]",
    "slack": "the variables of Slack, [slack]",
    "stripe": "the variables of Stripe",
    "returns": "STRIPE_SUCCESS_URL, STRIPE_CANCEL_URL",
    "billing": "[billing]",
    "prompt_keys": "PROMPT_KEY",
    "playground": "PLAYGROUND, PLAYGROUND_KEY",
    "metrics": "METRICS_PORT, METRICS_TOKEN",
    "log_format": "LOG_FORMAT",
}
"""Fields of Settings that hold until the process ends, and what they are called by whoever sets them."""
CALM = 0.2
"""Seconds between two readings, however often they are asked for."""


WATCH = 2.0
"""Seconds between looks whether somebody has asked every process to read."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What came of a reading: what is wrong, which changes nothing, or what is new and what waits."""

    problems: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Needs a restart, in the words of whoever sets it."""

    @property
    def taken(self) -> bool:
        """Whether what is written down now is in force."""
        return not self.problems


class Reloading:
    """The settings in force; `refits` hear of those that replace them, all before the next question."""

    def __init__(self, store: Store, clock: Clock, settings: Settings, read: Callable[[], Settings]) -> None:
        """`read` raises ConfigurationError, or an OSError or ValueError of a file; it runs in a thread."""
        self._store = store
        self._clock = clock
        self._read = read
        self.settings = settings
        self.refits: list[Callable[[Settings], None]] = []
        self.afterwards: list[Callable[[], Awaitable[None]]] = []
        self._reading = asyncio.Lock()
        self._watching = asyncio.Lock()
        self.seen: int | None = None
        """How often it had been asked of every process at the last look."""

    async def run(self, asked: asyncio.Event) -> None:
        """Read anew each time that it is asked for, here or of every process, until cancelled."""
        while True:
            await self.heed()
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH):
                    await asked.wait()
            if asked.is_set():
                asked.clear()
                await self.reload()
                await asyncio.sleep(CALM)

    async def order(self, actor: Actor) -> Reread:
        """Read anew here, and if that went well have every other process do so; it is written down."""
        found, now = await self.reload(), self._clock.now()
        told = (
            f"{len(found.problems)} problems" if found.problems else ", ".join(found.changed) or "no change"
        )

        def work(tx: Tx) -> int | None:
            tx.note(Entry(now, actor, Deed.RELOAD, detail=told))
            return tx.ask_reload() if found.taken else None

        async with self._watching:  # else our own look may come before the note that the order was ours
            number = await self._store.transact(work)
            if number is not None and self.seen is not None and number == self.seen + 1:
                self.seen = number  # nobody else has asked in between, so there is nothing newer to read
        return found

    async def heed(self) -> None:
        """Read anew if somebody has asked every process since the last look; the first one only remembers."""
        try:
            async with self._watching:
                number = await self._store.read(lambda tx: tx.reloads_asked())
                before, self.seen = self.seen, number
        except OutsideError as error:
            log.warning("cannot see whether to read anew", extra={"why": str(error)})
            return
        if before is not None and number > before:
            await self.reload()

    async def reload(self) -> Reread:
        """Take over what is written down now, unless that cannot be used, which changes nothing."""
        async with self._reading:
            with traced(current()):  # whoever ordered it here has an id; what the watch finds gets one
                return await self._reload()

    async def _reload(self) -> Reread:
        try:
            found = await asyncio.to_thread(self._read)
        except ConfigurationError as error:
            return await self._refuse([str(problem) for problem in error.problems])
        except (OSError, ValueError) as error:
            return await self._refuse([str(error)])
        taken = self._take(found)
        for work in self.afterwards:
            try:
                await work()
            except OutsideError as error:
                log.warning("a vendor cannot be asked", extra={"why": str(error)})
        return taken

    def _take(self, found: Settings) -> Reread:
        before = self.settings
        lasting = {name: getattr(before, name) for name in LASTING}
        waiting = [words for name, words in LASTING.items() if getattr(found, name) != lasting[name]]
        self.settings = replace(found, **lasting)
        for refit in self.refits:
            refit(self.settings)
        names = [each.name for each in fields(Settings)]
        changed = [name for name in names if getattr(before, name) != getattr(self.settings, name)]
        log.info("configuration taken over", extra={"changed": changed})
        if waiting:
            log.warning("some of it needs a restart", extra={"waiting": waiting})
        if self.settings.stripe and sold(before) != sold(self.settings):
            log.warning("prices of tiers have changed: run main.py stripe-setup")
        for remark in set(found.remarks) - set(before.remarks):
            log.warning(remark)
        return Reread(changed=tuple(changed), waiting=tuple(waiting))

    async def _refuse(self, problems: list[str]) -> Reread:
        """Say what is wrong, to the log and to the operators; processes asked together raise one alert."""
        log.error("configuration refused; nothing has changed", extra={"problems": problems})
        now, detail = self._clock.now(), "\n".join(problems)
        key = f"config:{now:%Y-%m-%dT%H:%M}:{sha256(detail.encode()).hexdigest()[:16]}"
        alert = Alert(key, AlertKind.CONFIG_REFUSED, "config.toml", now, detail)
        try:
            await self._store.transact(lambda tx: tx.raise_alert(alert))
        except OutsideError as error:
            log.warning("alert not raised", extra={"why": str(error)})
        return Reread(problems=tuple(problems))


async def ask_all(store: Store, clock: Clock, actor: Actor) -> None:
    """Have every process that runs read its configuration, and write down who wanted that."""
    entry = Entry(clock.now(), actor, Deed.RELOAD, detail="every process")

    def work(tx: Tx) -> None:
        tx.note(entry)
        tx.ask_reload()

    await store.transact(work)


def sold(settings: Settings) -> object:
    """What Stripe has to know of the tiers."""
    return {
        tier.name: (
            tier.price_month,
            tier.price_year,
            tier.seats,
            tier.extra_seat_month,
            tier.extra_seat_year,
        )
        for tier in settings.tiers.values()
    }
