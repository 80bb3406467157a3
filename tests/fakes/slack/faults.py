"""Trouble on demand: rate limits, errors, lost answers and slow ones."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass

TIERS: Mapping[int, int] = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute that Slack promises for each tier of methods."""
MINUTE = 60.0
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of a call; an `after` fault happens once the call is done."""

    status: int = 200
    error: str = "internal_error"
    retry_after: int | None = None
    lose_answer: bool = False


class Faults:
    """Faults waiting for the next calls of a method, and methods that are held up."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._gates: dict[str, asyncio.Event] = {}
        self._past: dict[str, deque[float]] = defaultdict(deque)
        self.enforce_tiers = False

    def rate_limit(self, method: str, *, times: int = 1, retry_after: int | None = 1) -> None:
        """Answer the next calls with 429 and Retry-After in seconds, or without."""
        self._waiting[method].extend([Fault(429, "ratelimited", retry_after)] * times)

    def fail(self, method: str, error: str, *, times: int | None = 1, status: int = 200) -> None:
        """Answer the next calls (None: all from now on) with an error, not doing them; `*`: of all."""
        if times is None:
            self._always[method] = Fault(status, error)
        else:
            self._waiting[method].extend([Fault(status, error)] * times)

    def lose_answer(self, method: str, *, times: int = 1) -> None:
        """Do the next calls, but cut the connection instead of answering."""
        self._waiting[method].extend([Fault(lose_answer=True)] * times)

    def hold(self, method: str) -> asyncio.Event:
        """Keep calls of a method waiting until the event that this returns is set."""
        return self._gates.setdefault(method, asyncio.Event())

    async def held(self, method: str) -> None:
        """Wait for the gate of a method, if it has one."""
        if gate := self._gates.get(method):
            await gate.wait()

    def take(self, method: str) -> Fault | None:
        """The fault that the call at hand meets, if any."""
        if waiting := self._waiting.get(method):
            return waiting.popleft()
        return self._always.get(method) or self._always.get(EVERY)

    def over_tier(self, bucket: str, tier: int, at: float) -> Fault | None:
        """A 429 if this call is above its tier's calls in the last minute, while tiers are enforced."""
        if not self.enforce_tiers:
            return None
        past = self._past[bucket]
        while past and past[0] <= at - MINUTE:
            past.popleft()
        if len(past) >= TIERS[tier]:
            return Fault(429, "ratelimited", max(1, int(past[0] + MINUTE - at)))
        past.append(at)
        return None
