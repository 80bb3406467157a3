"""When the made-up members ask what: by day and night, weekday and weekend, light and heavy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from engine.demo.people import SERVER, WORKSPACE, Character, Habit
from engine.domain import Ask, Place, Platform
from engine.models import ModelClass

HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 18, 16, 18, 19, 18, 17, 16, 17, 20, 22, 19, 12, 5)
"""How much is asked in each hour of somebody's own day."""
WEEKEND = 0.62
SATURDAY = 5
DM = 0.35
BINGES, BINGE = 0.05, 4
"""On which share of their days somebody asks how many times as much."""
CHANNELS = 5
COMPARES = 0.02
WISHES = ((None, 0.42), (ModelClass.STRONG, 0.38), (ModelClass.FRONTIER, 0.2))
"""What class somebody asks for at times, whether their tier has it or not."""
ALL_OUT = ((ModelClass.STRONG, 0.35), (ModelClass.FRONTIER, 0.65))
"""The same for those who never tire."""
TOPICS = (
    "a lesson plan",
    "a shell script",
    "a cover letter",
    "last week's figures",
    "a recipe",
    "a bug in a loop",
    "a poem",
    "a contract clause",
    "holiday plans",
    "a database index",
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `number` counts those of its conversation from 0."""

    at: datetime
    asker: Character
    ask: Ask
    number: int
    wish: ModelClass | None
    compares: bool = False

    @property
    def talk(self) -> str:
        """Its conversation."""
        return self.ask.anchors[0]


def questions(asker: Character, day: datetime, seed: int) -> Iterator[Question]:
    """What somebody asks on the UTC day that begins then."""
    rng = Random(f"{seed}:talk:{asker.number}:{day.date()}")  # noqa: S311 - a story, told twice alike
    pace, weekend = asker.pace, day.weekday() >= SATURDAY
    if rng.random() >= pace.active * (WEEKEND if weekend else 1.0):
        return
    binge = BINGE if rng.random() < BINGES else 1
    for talk in range(binge * many(rng, pace.conversations)):
        begin = day + timedelta(hours=hour(rng, asker.zone), minutes=rng.uniform(0, 60))
        yield from conversation(asker, begin, f"{day:%Y%m%d}-{asker.number}-{talk}", rng)


def conversation(asker: Character, at: datetime, name: str, rng: Random) -> Iterator[Question]:
    """One conversation, its turns some minutes apart."""
    direct = asker.person.platform is Platform.LOCAL or rng.random() < DM
    place, topic = None if direct else somewhere(asker, rng), rng.choice(TOPICS)
    wishes = ALL_OUT if asker.habit is Habit.TIRELESS else WISHES
    wish = rng.choices([each for each, _ in wishes], [share for _, share in wishes])[0]
    compares = rng.random() < COMPARES
    for number in range(1 if compares else many(rng, asker.pace.turns)):
        text = f"Demo question {number + 1} about {topic}."
        key = f"demo:{name}-{number}"
        ask = Ask(key, asker.person, text, (f"demo:talk:{name}",), dm=direct, place=place)
        yield Question(at, asker, ask, number, wish, compares)
        at += timedelta(seconds=rng.lognormvariate(4.6, 0.7))


def many(rng: Random, mean: float) -> int:
    """At least one, `mean` on average, sometimes many more."""
    return 1 + int(-math.log(1 - rng.random()) * (mean - 1) + 0.5)


def hour(rng: Random, zone: int) -> int:
    """An hour of the UTC day, by the rhythm of somebody's own."""
    return (rng.choices(range(24), HOURS)[0] - zone) % 24


def somewhere(asker: Character, rng: Random) -> Place:
    """A channel of the server or workspace."""
    discord = asker.person.platform is Platform.DISCORD
    prefix = "90" if discord else "C0DEMO"
    channel = f"{prefix}{rng.randrange(CHANNELS) + 1}"
    return Place(asker.person.platform, SERVER if discord else WORKSPACE, (channel,))


def in_order(askers: Sequence[Character], day: datetime, seed: int) -> Sequence[Question]:
    """What all of them ask on a UTC day, by time."""
    found = (each for asker in askers for each in questions(asker, day, seed) if each.at >= asker.joined)
    return sorted(found, key=lambda each: (each.at, each.ask.key))
