"""Brings the simulated Stripe's events to our own webhook route until each is acknowledged."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from datetime import datetime, timedelta

import aiohttp
from stripe import WebhookSignature

from billing.simulated_objects import Plan, event
from engine.errors import OutsideError
from engine.facts import SimulatedObject
from engine.ledger import Tx
from engine.ports import Clock, Store

log = logging.getLogger("billing.simulated")

ANSWER_SECONDS = 10.0
LOOK_EVERY = 5.0
"""Seconds between looks at storage: events of other processes, renewals and ends that fell due."""
FIRST_RETRY, LONGEST_RETRY = 0.1, 5.0
GIVE_UP_AFTER = timedelta(days=3)
"""As long as Stripe tries (docs.stripe.com/webhooks, "Event delivery behaviors")."""
ACKNOWLEDGED = range(200, 300)


class Courier:
    """Delivers stored events; what is not acknowledged stays stored, so that a crash loses nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
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

        def changed(tx: Tx) -> list[str]:
            plans = [Plan.read(obj) for obj in tx.objects("subscription")]
            return [plan.id for plan in plans if plan.at(now) != plan]

        def work(tx: Tx) -> None:
            for plan in due:
                _age(tx, plan, now)

        due = await self._store.read(changed)
        if due:
            await self._store.transact(work)

    async def _deliver(
        self, session: aiohttp.ClientSession, url: str, secret: str, obj: SimulatedObject
    ) -> bool:
        now = self._clock.now()
        header = WebhookSignature.generate_signature_header(obj.body, secret, int(now.timestamp()))
        status = await _post(session, url, obj.body, header)
        created = json.loads(obj.body)["created"]
        if status not in ACKNOWLEDGED and now.timestamp() - created < GIVE_UP_AFTER.total_seconds():
            return False
        if status not in ACKNOWLEDGED:
            log.error("simulated event given up", extra={"event": obj.id, "status": status})
        await self._store.transact(lambda tx: tx.drop_object(obj.id))
        return True


def _age(tx: Tx, plan: str, now: datetime) -> None:
    """Write down what time made of a subscription, with the event that tells of it."""
    obj = tx.get_object(plan)
    if obj is None or Plan.read(obj).at(now) == Plan.read(obj):
        return
    new = Plan.read(obj).at(now)
    tx.put_object(new.stored())
    what, since = ("deleted", new.ended_at) if new.ended_at else ("updated", new.period_end)
    event_id, kind = f"sim_evt_{plan}_{since:%Y%m%d%H%M%S}", f"customer.subscription.{what}"
    tx.add_object(event(event_id, kind, plan, "subscription", new.customer, now))


async def _post(session: aiohttp.ClientSession, url: str, body: str, header: str) -> int | None:
    headers = {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}
    try:
        async with session.post(url, data=body.encode(), headers=headers) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None
