"""Delivers signed events to webhook endpoints: late, twice, shuffled, never, or again until acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World

_ANSWER_SECONDS = 10.0
_GOOD = range(200, 300)


@dataclass(slots=True)
class Plan:
    """How events travel; times are in seconds.

    Each of `copies` waits `delay` and up to `jitter` more, which shuffles them; types in `drop` never leave.
    A delivery that is not answered with 2xx is tried again after `first_retry`, doubled up to
    `slowest_retry`.
    """

    delay: float = 0.0
    jitter: float = 0.0
    copies: int = 1
    drop: frozenset[str] = frozenset()
    first_retry: float = 0.1
    slowest_retry: float = 1.0
    tries: int = 60


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try: the answer's status, or None if there was none."""

    event: str
    kind: str
    status: int | None


def sign(body: bytes, secrets: Sequence[str], timestamp: int) -> str:
    """A `Stripe-Signature` header with one v1 part for each secret that is active."""
    signed = f"{timestamp}.".encode() + body
    parts = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={part}" for part in parts)])


@dataclass(slots=True)
class Courier:
    """Owns every delivery that is under way."""

    world: World
    plan: Plan = field(default_factory=Plan)
    deliveries: list[Delivery] = field(default_factory=list)
    skew: int = 0
    """Seconds added to the time of signing, which is the time around us even if Stripe was moved ahead."""
    missed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a delivery was not acknowledged."""
    _held: list[Json] | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _session: aiohttp.ClientSession | None = None
    _dice: random.Random = field(default_factory=lambda: random.Random(7))

    def hear(self, event: Json) -> None:
        """Take a new event."""
        if event["type"] in self.plan.drop:
            return
        if self._held is None:
            self.send(event, self.plan.copies)
        else:
            self._held.append(event)

    def hold(self) -> None:
        """Keep new events back until `release`."""
        self._held = [] if self._held is None else self._held

    def release(self, *, shuffle: bool = False, copies: int = 1, drop: Iterable[str] = ()) -> int:
        """Send what was held back, and new events at once from now on; how many were held."""
        held, self._held = self._held or [], None
        dropped = set(drop)
        events = [event for event in held if event["type"] not in dropped] * copies
        if shuffle:
            self._dice.shuffle(events)
        for event in events:
            self.send(event, 1)
        return len(held)

    def send(self, event: Json, copies: int = 1) -> None:
        """Deliver an event to each endpoint that wants its type."""
        for endpoint in self.world.rows("webhook_endpoint"):
            wanted = endpoint["enabled_events"]
            if endpoint["status"] == "enabled" and ("*" in wanted or event["type"] in wanted):
                for _ in range(copies):
                    task = asyncio.create_task(self._deliver(event, endpoint))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop everything."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, event: Json, endpoint: Json) -> None:
        plan = self.plan
        await asyncio.sleep(plan.delay + self._dice.random() * plan.jitter)
        wait = plan.first_retry
        for _ in range(plan.tries):
            status = await self._post(event, endpoint)
            self.deliveries.append(Delivery(event["id"], event["type"], status))
            if status in _GOOD:
                event["pending_webhooks"] = 0
                return
            self.missed.set()
            await asyncio.sleep(wait)
            wait = min(wait * 2, plan.slowest_retry)

    async def _post(self, event: Json, endpoint: Json) -> int | None:
        body = json.dumps(event, indent=2).encode()
        secrets = self.world.endpoint_secrets.get(endpoint["id"], [])
        headers = {
            "Stripe-Signature": sign(body, secrets, int(self.world.wall()) + self.skew),
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_SECONDS))
        try:
            async with self._session.post(endpoint["url"], data=body, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None
