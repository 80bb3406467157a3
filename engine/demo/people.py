"""Who lives in the made-up community: where they write from, how much, and who paid before the month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from random import Random

from engine.domain import Interval, Person, Platform, TierName

LOCAL = ("alice", "bob", "carol")
"""The playground's people, so that whoever opens it is somebody with a past."""
SERVER, WORKSPACE = "900", "T0DEMO"
"""Of ids that neither Discord nor Slack gives to anybody."""
DISCORD_SHARE = 0.62
BOUGHT_BEFORE = 0.24
NEWCOMERS = 0.3
"""Share of the others that comes while the month goes on."""
BY_YEAR = 0.22


class Habit(StrEnum):
    """How much somebody asks."""

    LIGHT = "light"
    STEADY = "steady"
    HEAVY = "heavy"
    TIRELESS = "tireless"


@dataclass(frozen=True, slots=True)
class Pace:
    """What a habit means: on which share of days, how many conversations then, how many turns in each.

    `share` is how many have it, of those who pay nothing and of those who do; `weight` how long they write.
    """

    share: tuple[float, float]
    active: float
    conversations: float
    turns: float
    weight: float = 1.0


PACES = {
    Habit.LIGHT: Pace((0.57, 0.3), 0.1, 1.2, 2.0),
    Habit.STEADY: Pace((0.33, 0.45), 0.26, 1.6, 2.2),
    Habit.HEAVY: Pace((0.1, 0.21), 0.6, 2.8, 2.8, 2.5),
    Habit.TIRELESS: Pace((0.0, 0.04), 0.9, 4.5, 3.5, 8.0),
}


@dataclass(frozen=True, slots=True)
class Purchase:
    """What somebody buys."""

    tier: TierName
    interval: Interval


TIERS = ((TierName.PREMIUM, 0.6), (TierName.PRO, 0.22), (TierName.TEAM, 0.18))
FIRST = Purchase(TierName.PRO, Interval.MONTH)
"""What the first of them has and keeps, so that the playground's `alice` may try everything."""
ZONES = ((-7, 1), (-5, 3), (0, 2), (1, 6), (2, 3), (8, 1))
"""Hours ahead of UTC, and how many live there."""


@dataclass(frozen=True, slots=True)
class Character:
    """One member; `joined` is when the bot meets them, `bought` what they pay for from then on."""

    number: int
    person: Person
    joined: datetime
    habit: Habit
    zone: int
    bought: Purchase | None = None

    @property
    def pace(self) -> Pace:
        """How much they ask."""
        return PACES[self.habit]


@dataclass(frozen=True, slots=True)
class Times:
    """When the first of them bought, when the days begin that are told, and when they end."""

    first: datetime
    since: datetime
    until: datetime


def population(members: int, times: Times, rng: Random) -> Sequence[Character]:
    """Everybody, by number; the same for the same numbers."""
    buyers = max(len(TIERS), round(members * BOUGHT_BEFORE))
    bought = purchases(buyers, rng)
    places = [0, *rng.sample(range(1, members), buyers - 1)]
    kinds = {**dict(zip(places, bought, strict=True)), 0: FIRST}
    return [character(number, kinds.get(number), times, rng) for number in range(members)]


def character(number: int, bought: Purchase | None, times: Times, rng: Random) -> Character:
    """One of them. Who pays asks more than who does not."""
    pays = bought is not None
    habit = rng.choices(list(PACES), [pace.share[pays] for pace in PACES.values()])[0]
    zone = rng.choices([hours for hours, _ in ZONES], [many for _, many in ZONES])[0]
    if bought:
        joined = times.since - (times.since - times.first) * rng.random()
    elif rng.random() < NEWCOMERS:
        joined = times.since + (times.until - times.since) * rng.random()
    else:
        joined = times.since
    return Character(number, person(number, rng), joined, habit, zone, bought)


def purchases(many: int, rng: Random) -> Sequence[Purchase]:
    """So many, of all tiers that are sold and by both intervals, in any order but for the first."""
    tiers = [tier for tier, share in TIERS for _ in range(max(1, round(many * share)))][:many]
    tiers += [TierName.PREMIUM] * (many - len(tiers))
    rng.shuffle(tiers)
    yearly = max(1, round(many * BY_YEAR))
    by_year = set(rng.sample(range(many), yearly))
    return [
        Purchase(tier, Interval.YEAR if place in by_year else Interval.MONTH)
        for place, tier in enumerate(tiers)
    ]


def person(number: int, rng: Random) -> Person:
    """Somebody nobody knows: ids that the platforms do not give."""
    if number < len(LOCAL):
        return Person(Platform.LOCAL, "", LOCAL[number])
    if rng.random() < DISCORD_SHARE:
        return Person(Platform.DISCORD, "", str(900_000 + number))
    return Person(Platform.SLACK, WORKSPACE, f"U0DEMO{number:04}")
