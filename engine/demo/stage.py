"""What the story is told with: the product's own parts, over simulated billing and a clock moved by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from engine.changes import Changes
from engine.chat import Chat
from engine.checkout import Checkout
from engine.deliveries import Deliveries
from engine.demo.clock import PlayedClock
from engine.demo.operator import Tools
from engine.dispatch import Dispatch
from engine.duties import Duties
from engine.facts import BillingEvent
from engine.metering import Meter
from engine.ports import Store
from engine.simulated import SimulatedCheckout, SimulatedOrders
from engine.subscriptions import Subscriptions
from engine.teams import Teams

Act = Callable[[], Awaitable[object]]


class Post(Protocol):
    """The simulated Stripe's side of time and events."""

    async def pass_time(self, customer: str) -> datetime | None:
        """Write down what time made of a customer by now; when it will do so next, None: never."""
        ...

    async def collect(self) -> Sequence[BillingEvent]:
        """Take the events that wait, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class StagedBilling:
    """The simulated Stripe, played with."""

    pages: SimulatedCheckout
    deeds: SimulatedOrders
    post: Post


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a member or the operator would set in motion."""

    store: Store
    clock: PlayedClock
    chat: Chat
    checkout: Checkout
    changes: Changes
    meter: Meter
    teams: Teams
    subscriptions: Subscriptions
    duties: Duties
    dispatch: Dispatch
    world: StagedBilling
    tools: Tools
    deliveries: Deliveries


class Timetable:
    """What is to happen when; of two things at once the one that was planned first."""

    def __init__(self, until: datetime) -> None:
        self._until = until
        self._acts: list[tuple[datetime, int, Act]] = []
        self._numbers = count()

    def add(self, at: datetime, act: Act) -> None:
        """Plan something; what lies beyond the end of the story is left out."""
        if at < self._until:
            heappush(self._acts, (at, next(self._numbers), act))

    def next(self) -> tuple[datetime, Act] | None:
        """Take what comes next."""
        if not self._acts:
            return None
        at, _, act = heappop(self._acts)
        return at, act
