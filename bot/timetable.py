"""Who may write when: a channel's few writes, shared fairly, the ends of answers first; no clock inside."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heapify, heappop, heappush
from itertools import islice
from math import inf

WRITES = 5
"""A channel takes so many writes of a kind in the time of four paces (Discord: 5 in 5 s)."""
KEPT = 1
"""So many of them are kept for last texts."""
HANGS = 10
"""Spans after which a write that is not answered holds up nobody else: Discord makes it wait by itself."""
WIDEST = 4.0
"""Times the pace, after refusals that do not end."""
RECOVERY = 0.8
REMEMBERED_CHANNELS = 4096


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two texts of a channel, and writes of the whole process in any `span` seconds.

    `thinking`: seconds that a model has before a message says that it thinks. The text behind such a message
    waits up to a third of that, unless the answer is older: so one that is over soon costs two writes.
    `linger`: seconds that a first text waits for more than its first word.
    """

    channel: float
    process: float
    thinking: float = 0.0
    span: float = 1.0
    linger: float = 0.0


class Kind(IntEnum):
    """What is to be written, the most urgent first."""

    LAST = 0
    FIRST = 1
    THINKING = 2
    PASSING = 3


@dataclass(slots=True, eq=False)
class Wish:
    """A write that waits, not to happen before `at`; `posts` a new message instead of editing one."""

    channel: str
    kind: Kind
    posts: bool
    at: float
    number: int

    @property
    def rank(self) -> tuple[int, int]:
        """Its place in the queue."""
        return (self.kind, self.number)


@dataclass(slots=True)
class Route:
    """One kind of writes in a channel: when each of those that count is forgotten, and what was heard."""

    taken: dict[Wish, float] = field(default_factory=dict)
    left: int = WRITES
    until: float = -inf

    def free(self, kept: int) -> float:
        """When there is a write to spend with `kept` still left; never, while too many are under way."""
        size = WRITES - kept
        own = sorted(self.taken.values())[-size] if len(self.taken) >= size else -inf
        return max(own, self.until) if self.left <= kept else own


@dataclass(slots=True)
class Lane:
    """The writes of one channel."""

    pace: float
    waiting: list[Wish] = field(default_factory=list)
    posts: Route = field(default_factory=Route)
    edits: Route = field(default_factory=Route)
    text: float = -inf
    rests: float = -inf
    width: float = 1.0

    def route(self, *, posts: bool) -> Route:
        """The writes of a kind."""
        return self.posts if posts else self.edits

    def when(self, wish: Wish) -> float:
        """When a wish can come true."""
        free = self.route(posts=wish.posts).free(0 if wish.kind is Kind.LAST else KEPT)
        paced = self.text + self.pace * self.width if wish.kind is Kind.PASSING else -inf
        return max(wish.at, self.rests, free, paced)

    def soonest(self) -> float:
        """When the first of the wishes can come true."""
        return min((self.when(wish) for wish in self.waiting), default=inf)

    def best(self, now: float) -> Wish | None:
        """The most urgent wish that can come true now."""
        ready = (wish for wish in self.waiting if self.when(wish) <= now)
        return min(ready, key=lambda wish: wish.rank, default=None)

    def begin(self, wish: Wish, now: float) -> None:
        """Count a write from its beginning."""
        self.waiting.remove(wish)
        taken = self.route(posts=wish.posts).taken
        for old in [old for old, until in taken.items() if until <= now]:
            del taken[old]
        taken[wish] = inf
        if wish.kind is not Kind.THINKING:
            self.text = now
            self.width = max(1.0, self.width * RECOVERY)

    def end(self, wish: Wish, now: float) -> None:
        """Count it from now, the latest moment at which the platform can have done so."""
        self.route(posts=wish.posts).taken[wish] = now + self.pace * (WRITES - KEPT)

    def idle(self, now: float) -> bool:
        """Whether nothing has to be remembered."""
        free = max(
            self.posts.free(WRITES - 1), self.edits.free(WRITES - 1), self.rests, self.text + self.pace
        )
        return not self.waiting and self.width == 1.0 and free <= now


@dataclass(slots=True)
class Budget:
    """The writes of the whole process."""

    most: float
    span: float
    rests: float = -inf
    under_way: dict[Wish, float] = field(default_factory=dict)
    taken: deque[float] = field(default_factory=deque)

    def free(self, now: float) -> float:
        """When one more can begin."""
        while self.taken and self.taken[0] <= now:
            self.taken.popleft()
        while self.under_way and (eldest := next(iter(self.under_way.items())))[1] <= now:
            del self.under_way[eldest[0]]
        return self.soonest()

    def soonest(self) -> float:
        """When one more can begin, as far as was looked at."""
        if len(self.taken) + len(self.under_way) < self.most:
            return self.rests
        return max(self.rests, min([*islice(self.taken, 1), *islice(self.under_way.values(), 1)]))

    def begin(self, wish: Wish, now: float) -> None:
        """Count a write from its beginning, and one that hangs no longer than it may matter."""
        self.under_way[wish] = now + HANGS * self.span

    def end(self, wish: Wish, now: float) -> None:
        """Count it from now, unless it has hung."""
        if self.under_way.pop(wish, None) is not None:
            self.taken.append(now + self.span)


class Timetable:
    """All channels of a process. Times are seconds of one clock, which never goes back.

    A wish is granted by `due`, and a granted one has to be `done`. Among those that can come true the most
    urgent is granted, then the oldest: so those that stream in one channel take turns.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._lanes: dict[str, Lane] = {}
        self._agenda: list[tuple[float, str]] = []
        self._starved: set[str] = set()
        """Channels that wait for nothing but the process's budget."""
        self._budget = Budget(pace.process, pace.span)
        self._asked = 0
        self._prune_at = REMEMBERED_CHANNELS

    def wish(self, channel: str, kind: Kind, at: float, *, posts: bool = False) -> Wish:
        """Wait for a write, not before `at`."""
        self._asked += 1
        wish = Wish(channel, kind, posts, at, self._asked)
        lane = self._lane(channel, at)
        lane.waiting.append(wish)
        self._plan(channel, lane)
        return wish

    def hasten(self, wish: Wish, kind: Kind, at: float) -> None:
        """Something more urgent is to be written instead."""
        if kind < wish.kind:
            wish.kind, wish.at = kind, at
            self._plan(wish.channel, self._lanes[wish.channel])

    def withdraw(self, wish: Wish, now: float) -> None:
        """Nobody waits any more; also for one that was granted."""
        lane = self._lanes[wish.channel]
        if wish in lane.waiting:
            lane.waiting.remove(wish)
        else:
            self.done(wish, now)

    def due(self, now: float) -> list[Wish]:
        """The wishes that come true now, most urgent first."""
        names: set[str] = set()
        if self._budget.free(now) <= now:
            names, self._starved = self._starved, names
        while self._agenda and self._agenda[0][0] <= now:
            names.add(heappop(self._agenda)[1])
        lanes = {name: self._lanes[name] for name in names if name in self._lanes}
        ready = [(best.rank, best) for lane in lanes.values() if (best := lane.best(now))]
        heapify(ready)
        granted: list[Wish] = []
        while ready and self._budget.free(now) <= now:
            wish = heappop(ready)[1]
            lane = lanes[wish.channel]
            lane.begin(wish, now)
            self._budget.begin(wish, now)
            granted.append(wish)
            if following := lane.best(now):
                heappush(ready, (following.rank, following))
        for name, lane in lanes.items():
            if lane.soonest() <= now:
                self._starved.add(name)
            else:
                self._plan(name, lane)
        return granted

    def done(self, wish: Wish, now: float) -> None:
        """A granted write has been answered, or given up."""
        lane = self._lanes[wish.channel]
        lane.end(wish, now)
        self._budget.end(wish, now)
        self._plan(wish.channel, lane)

    def next(self) -> float:
        """When to ask again what is due, unless something happens before; infinite if nothing waits."""
        agenda = self._agenda[0][0] if self._agenda else inf
        return min(agenda, self._budget.soonest()) if self._starved else agenda

    def refused(self, channel: str, now: float, seconds: float) -> None:
        """The platform wants no more in a channel for so long: it rests, and then its pace is wider."""
        lane = self._lane(channel, now)
        lane.rests = max(lane.rests, now + seconds)
        lane.width = min(WIDEST, lane.width * 2)

    def refused_everywhere(self, now: float, seconds: float) -> None:
        """The platform wants no more at all for so long."""
        self._budget.rests = max(self._budget.rests, now + seconds)

    def learned(self, channel: str, now: float, left: int, seconds: float, *, posts: bool) -> None:
        """The platform says how many writes of a kind it still takes within so many seconds."""
        route = self._lane(channel, now).route(posts=posts)
        route.left, route.until = left, now + seconds

    def _lane(self, channel: str, now: float) -> Lane:
        if channel not in self._lanes:
            if len(self._lanes) >= self._prune_at:
                self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.idle(now)}
                self._prune_at = max(REMEMBERED_CHANNELS, 2 * len(self._lanes))
            self._lanes[channel] = Lane(self._pace.channel)
        return self._lanes[channel]

    def _plan(self, channel: str, lane: Lane) -> None:
        """Look at a channel again when something can come true there; looking too early does no harm."""
        if (at := lane.soonest()) < inf:
            heappush(self._agenda, (at, channel))
