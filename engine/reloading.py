"""Reads the configuration anew while we run: all of what may change is taken over, or nothing is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, replace
from hashlib import sha256

from engine.alerts import Alert, AlertKind
from engine.config import ConfigurationError
from engine.errors import OutsideError
from engine.ports import Clock, Store
from engine.settings import Settings

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

    async def run(self, asked: asyncio.Event) -> None:
        """Read anew each time that it is asked for, until cancelled."""
        while True:
            await asked.wait()
            asked.clear()
            await self.reload()
            await asyncio.sleep(CALM)

    async def reload(self) -> bool:
        """Take over what is written down now; False if that cannot be used, which changes nothing."""
        try:
            found = await asyncio.to_thread(self._read)
        except ConfigurationError as error:
            await self._refuse([str(problem) for problem in error.problems])
            return False
        except (OSError, ValueError) as error:
            await self._refuse([str(error)])
            return False
        self._take(found)
        for work in self.afterwards:
            try:
                await work()
            except OutsideError as error:
                log.warning("a vendor cannot be asked", extra={"why": str(error)})
        return True

    def _take(self, found: Settings) -> None:
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

    async def _refuse(self, problems: list[str]) -> None:
        """Say what is wrong, to the log and to the operators; processes asked together raise one alert."""
        log.error("configuration refused; nothing has changed", extra={"problems": problems})
        now, detail = self._clock.now(), "\n".join(problems)
        key = f"config:{now:%Y-%m-%dT%H:%M}:{sha256(detail.encode()).hexdigest()[:16]}"
        alert = Alert(key, AlertKind.CONFIG_REFUSED, "config.toml", now, detail)
        try:
            await self._store.transact(lambda tx: tx.raise_alert(alert))
        except OutsideError as error:
            log.warning("alert not raised", extra={"why": str(error)})


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
