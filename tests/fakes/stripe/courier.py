"""Delivers signed events to webhook endpoints: late, twice, shuffled, never, or again until acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.fakes.stripe.destinations import DESTINATION, THIN, notification
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World

_ANSWER_SECONDS = 10.0
_GOOD = range(200, 300)


@dataclass(slots=True)
class Plan:
    """How events travel; times are in seconds.

    Each of `copies` waits `delay` and up to `jitter` more, which shuffles them; types in `drop` never leave,
    nor does a share of all others (`drop_share`, 1.0 for all). A `copy_share` of the events goes once more.
    A delivery that is not answered with 2xx is tried again after `first_retry`, doubled up to
    `slowest_retry`.
    """

    delay: float = 0.0
    jitter: float = 0.0
    copies: int = 1
    drop: frozenset[str] = frozenset()
    drop_share: float = 0.0
    copy_share: float = 0.0
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
    lost: list[Json] = field(default_factory=list)
    """Events that were dropped or came while the courier was stopped, oldest first."""
    acknowledging: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each acknowledgement, for whoever clears it."""
    delivered: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By endpoint, the events it acknowledged."""
    stopped: bool = False
    _held: list[Json] | None = None
    _tasks: dict[asyncio.Task[None], Json] = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None
    _dice: random.Random = field(default_factory=lambda: random.Random(7))

    def hear(self, event: Json) -> None:
        """Take a new event."""
        self._count_pending(event)
        if self.stopped or self._is_dropped(event):
            self.lost.append(event)
        elif self._held is None:
            self.send(event, self.plan.copies + (self._dice.random() < self.plan.copy_share))
        else:
            self._held.append(event)

    def stop(self) -> None:
        """Deliver nothing from now on, and give up what is under way: it is lost until `redeliver`."""
        self.stopped = True
        under_way, self._tasks = self._tasks, {}
        for task in under_way:
            task.cancel()
        self.lost += {event["id"]: event for event in under_way.values()}.values()

    def resume(self) -> None:
        """Deliver new events again; what was lost stays lost."""
        self.stopped = False

    def redeliver(self, event_id: str, copies: int = 1) -> None:
        """Deliver an event now, whatever became of it before."""
        found = self.world.find(event_id)
        assert found is not None, f"there is no event {event_id}"
        self.lost = [event for event in self.lost if event["id"] != event_id]
        self.send(found, copies)

    def redeliver_lost(self, *, shuffle: bool = False, copies: int = 1) -> int:
        """Deliver all that was lost; how many events that were."""
        lost, self.lost = self.lost, []
        events = lost * copies
        if shuffle:
            self._dice.shuffle(events)
        for event in events:
            self.send(event)
        return len(lost)

    def hold(self) -> None:
        """Keep new events back until `release`."""
        self._held = [] if self._held is None else self._held

    def release(self, *, shuffle: bool = False, copies: int = 1, drop: Iterable[str] = ()) -> int:
        """Send what was held back, and new events at once from now on; how many were held."""
        held, self._held = self._held or [], None
        dropped = set(drop)
        events = [event for event in held if event["type"] not in dropped] * copies
        self.lost += [event for event in held if event["type"] in dropped]
        if shuffle:
            self._dice.shuffle(events)
        for event in events:
            self.send(event, 1)
        return len(held)

    def send(self, event: Json, copies: int = 1) -> None:
        """Deliver an event to each endpoint that wants its type."""
        for endpoint in self._endpoints(event):
            for _ in range(copies):
                task = asyncio.create_task(self._deliver(event, endpoint))
                self._tasks[task] = event
                task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def _endpoints(self, event: Json) -> list[Json]:
        """Who wants an event: thin ones go to the destinations for them, others to all other endpoints."""
        thin = event["object"] == THIN
        rows = [row for row in self.world.rows(DESTINATION) if (row["event_payload"] == "thin") == thin]
        if not thin:
            rows += self.world.rows("webhook_endpoint")
        return [row for row in rows if row["status"] == "enabled" and _wants(row, event["type"])]

    def _is_dropped(self, event: Json) -> bool:
        return event["type"] in self.plan.drop or self._dice.random() < self.plan.drop_share

    def _count_pending(self, event: Json) -> None:
        """Keep `pending_webhooks`: how many of those who want an event have not acknowledged it."""
        if "pending_webhooks" in event:
            waiting = [one for one in self._endpoints(event) if event["id"] not in self.delivered[one["id"]]]
            event["pending_webhooks"] = len(waiting)

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
                self.delivered[endpoint["id"]].add(event["id"])
                self._count_pending(event)
                self.acknowledging.set()
                return
            self.missed.set()
            await asyncio.sleep(wait)
            wait = min(wait * 2, plan.slowest_retry)

    async def _post(self, event: Json, endpoint: Json) -> int | None:
        body = json.dumps(_payload(event, endpoint), indent=2).encode()
        secrets = self.world.endpoint_secrets.get(endpoint["id"], [])
        headers = {
            "Stripe-Signature": sign(body, secrets, int(self.world.wall()) + self.skew),
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_SECONDS))
        try:
            async with self._session.post(_url(endpoint), data=body, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None


def _wants(endpoint: Json, kind: str) -> bool:
    wanted: list[str] = endpoint["enabled_events"]
    return "*" in wanted or kind in wanted


def _url(endpoint: Json) -> str:
    """The address now, so that a moved endpoint gets what is tried again."""
    url: str = endpoint["url"] if "url" in endpoint else endpoint["webhook_endpoint"]["url"]
    return url


def _payload(event: Json, endpoint: Json) -> Json:
    """A thin event without its data; a snapshot under the API version that its endpoint was made with."""
    if event["object"] == THIN:
        return notification(event)
    version = endpoint.get("api_version") or endpoint.get("snapshot_api_version")
    return event | {"api_version": version or event["api_version"]}
