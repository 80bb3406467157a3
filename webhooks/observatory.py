"""What machines ask: `/health`, `/ready` and `/metrics`."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from engine.budget import NO_CEILINGS, Ceilings
from engine.domain import Micros, Scope
from engine.errors import OutsideError
from engine.ledger import Tx
from engine.meters import Meter, Unmetered
from engine.ports import Clock, Store
from engine.settings import MetricsSettings
from engine.spending import by_scope
from engine.vitals import Vitals
from webhooks.words import answer

if TYPE_CHECKING:
    from webhooks.metrics import Metrics

logger = logging.getLogger("webhooks.observatory")

PATIENCE = 2.0
"""Seconds that the database is waited for."""
FRESH = 2.0
"""Seconds for which what it said, or that it failed, is good enough."""
BACKLOG_MOST = timedelta(minutes=5)
"""A customer that is due for longer has not been read by anybody: no worker runs, or Stripe is away."""

OFF = (
    "Metrics are off here. Set METRICS_TOKEN to a secret of your own and send it as Authorization: Bearer, "
    "or METRICS_PORT to a port that only your monitoring reaches."
)
NO_TOKEN = "Send METRICS_TOKEN as Authorization: Bearer."  # noqa: S105 - words

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of what Prometheus reads."""

Connected = Callable[[], bool]


class Pulse:
    """The database's figures, read at most every `FRESH` seconds and by one unit of work at a time."""

    def __init__(self, store: Store, clock: Clock, patience: float = PATIENCE) -> None:
        self._store = store
        self._clock = clock
        self._patience = patience
        self.ceilings: Callable[[], Ceilings] = lambda: NO_CEILINGS
        """Those in force."""
        self._reading: asyncio.Task[Vitals | None] | None = None
        self._last: tuple[float, Vitals | None] | None = None

    async def take(self) -> Vitals | None:
        """The figures; None if the database does not answer within `PATIENCE` seconds."""
        now = asyncio.get_running_loop().time()
        if self._last and now - self._last[0] < FRESH:
            return self._last[1]
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._done)
        # a unit of work that waits cannot be called back: the next one to ask waits for the same
        done, _ = await asyncio.wait({self._reading}, timeout=self._patience)
        return next(iter(done)).result() if done else None

    async def _read(self) -> Vitals | None:
        now, found, ceilings = self._clock.now(), None, by_scope(self.ceilings())
        try:
            found = await self._store.read(lambda tx: standing(tx, ceilings, now))
        except OutsideError as error:
            logger.warning("the database does not answer", extra={"why": str(error)})
        self._last = asyncio.get_running_loop().time(), found
        return found

    def _done(self, _reading: asyncio.Task[Vitals | None]) -> None:
        self._reading = None


def standing(tx: Tx, ceilings: Mapping[Scope, Micros], now: datetime) -> Vitals:
    """How the house stands, and which part of its ceilings is spent: all of one that allows nothing."""
    spent = {
        scope: tx.purse(scope, now).spent / ceiling if ceiling else 1.0 for scope, ceiling in ceilings.items()
    }
    return replace(tx.vitals(now), ceilings=spent)


@dataclass(frozen=True, slots=True)
class Observatory:
    """What is watched; `gateways` are this process's chat platforms by name, `token` opens `/metrics`."""

    pulse: Pulse
    metrics: Metrics | None = None
    token: str | None = field(default=None, repr=False)
    port: int | None = None
    """Of its own."""
    gateways: dict[str, Connected] = field(default_factory=dict)

    @property
    def meter(self) -> Meter:
        """What counts, if anybody reads it."""
        return self.metrics or Unmetered()

    def duties(self) -> Sequence[Coroutine[object, object, None]]:
        """What has to run for it until it is cancelled."""
        return [self.metrics.watch_loop()] if self.metrics else []

    def routes(self, *, own_port: bool = False) -> list[web.RouteDef]:
        """`/ready` and `/metrics`, which on the port that everybody reaches needs the token."""

        async def metrics(request: web.Request) -> web.StreamResponse:
            if self.metrics is None or not (own_port or self.token):
                raise web.HTTPNotFound(text=OFF)
            if self.token and not bears(request, self.token):
                raise web.HTTPUnauthorized(text=NO_TOKEN, headers={"WWW-Authenticate": "Bearer"})
            connected = {name: up() for name, up in self.gateways.items()}
            body = self.metrics.exposition(await self.pulse.take(), connected)
            return web.Response(
                body=body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
            )

        return [web.get("/ready", self.ready), web.get("/metrics", metrics)]

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """200 if this process can do its work, else 503 with the reasons."""
        reasons = self.reasons(await self.pulse.take())
        if reasons:
            return answer({"status": "not ready", "reasons": reasons}, status=503)
        return answer({"status": "ready"})

    def reasons(self, vitals: Vitals | None) -> Sequence[str]:
        """What keeps this process from its work."""
        away = [f"{name}: not connected" for name, up in self.gateways.items() if not up()]
        if vitals is None:
            return [f"database: no answer within {PATIENCE:.0f} s", *away]
        if vitals.waiting > BACKLOG_MOST:
            minutes = vitals.waiting // timedelta(minutes=1)
            away.append(f"backlog: {vitals.backlog} to read from Stripe, one for {minutes} min")
        return away


def open_observatory(settings: MetricsSettings, store: Store, clock: Clock) -> Observatory:
    """What is watched, as it was set up; `gateways` are added by whoever opens them."""
    pulse = Pulse(store, clock)
    if not settings.on:
        return Observatory(pulse)
    from webhooks.metrics import Metrics  # noqa: PLC0415 - the library is for those who are watched

    token = settings.token.get_secret_value() if settings.token else None
    return Observatory(pulse, Metrics(), token, settings.port)


def bears(request: web.Request, token: str) -> bool:
    """Whether a request has the token; compared in constant time."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
    return same and scheme.lower() == "bearer"
