"""Brings the simulated Stripe's events to our own webhook route until each is acknowledged."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module

import aiohttp

from billing.simulated_life import aged
from billing.simulated_prices import SimulatedPrices
from billing.simulated_shelf import keep, load, load_all
from engine.errors import OutsideError
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.simulated import SimulatedObject

log = logging.getLogger("billing.simulated")

ANSWER_SECONDS = 10.0
LOOK_EVERY = 5.0
"""Seconds between looks at storage: events of other processes, renewals and ends that fell due."""
FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0
GIVE_UP_AFTER = timedelta(days=3)
"""As long as Stripe tries (docs.stripe.com/webhooks, "Event delivery behaviors")."""
GIVEN_UP = "event_given_up"
"""The kind of an event that is tried no more; reconciliation still finds it."""
ACKNOWLEDGED = range(200, 300)


class Courier:
    """Delivers stored events; what is not acknowledged stays stored, so that a crash loses nothing."""

    def __init__(self, store: Store, clock: Clock, prices: SimulatedPrices) -> None:
        self._store = store
        self._clock = clock
        self._prices = prices
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There is a new event."""
        self._news.set()

    async def run(self, webhook_url: str, secret: str) -> None:
        """Deliver to `webhook_url`, signed with `secret`, until cancelled."""
        pause = FIRST_RETRY
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_SECONDS)) as session:
            while True:
                self._news.clear()
                done = await self._round(session, webhook_url, secret)
                pause = FIRST_RETRY if done else min(pause * 2, LONGEST_RETRY)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY if done else pause):
                        await self._news.wait()

    async def _round(self, session: aiohttp.ClientSession, webhook_url: str, secret: str) -> bool:
        """Let time pass for subscriptions, then try every event once; False if any has to be tried again."""
        try:
            await self._pass_time()
            waiting = await self._store.read(lambda tx: tx.objects("event"))
            return all([await self._deliver(session, webhook_url, secret, each) for each in waiting])
        except OutsideError as error:
            log.warning("simulated events wait for storage", extra={"why": str(error)})
            return False

    async def _pass_time(self) -> None:
        now = self._clock.now()

        def late(tx: Tx) -> list[str]:
            return [each.payer.id for each in load_all(tx) if aged(each, now, self._prices) != each]

        for customer in await self._store.read(late):
            await self._store.transact(lambda tx, customer=customer: self._age(tx, customer, now))  # type: ignore[misc]

    def _age(self, tx: Tx, customer: str, now: datetime) -> None:
        """Write down what time made of a customer's affairs, with the events that tell of it."""
        before = load(tx, customer)
        keep(tx, before, aged(before, now, self._prices), now)

    async def _deliver(
        self, session: aiohttp.ClientSession, url: str, secret: str, obj: SimulatedObject
    ) -> bool:
        now = self._clock.now()
        header = await _signature(obj.body, secret, int(now.timestamp()))
        status = await _post(session, url, obj.body, header)
        if status in ACKNOWLEDGED:
            await self._store.transact(lambda tx: tx.drop_object(obj.id))
            return True
        created = json.loads(obj.body)["created"]
        if now.timestamp() - created < GIVE_UP_AFTER.total_seconds():
            return False
        log.error("simulated event given up", extra={"event": obj.id, "status": status})
        await self._store.transact(lambda tx: tx.put_object(replace(obj, kind=GIVEN_UP)))
        return True


async def _signature(body: str, secret: str, at: int) -> str:
    """The header of an event as Stripe signs it; the SDK is loaded for the first, beside the event loop."""
    sdk = await asyncio.to_thread(import_module, "stripe")
    return str(sdk.WebhookSignature.generate_signature_header(body, secret, at))


async def _post(session: aiohttp.ClientSession, url: str, body: str, header: str) -> int | None:
    headers = {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}
    try:
        async with session.post(url, data=body.encode(), headers=headers) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None
