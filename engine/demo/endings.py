"""What becomes of a made-up question: which model answers, with how many tokens, how long, what fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from engine.domain import FailureReason
from engine.models import Finish, ModelClass, ModelSpec, Usage
from engine.pricing import cost
from engine.turns import Charge

SYSTEM, PROMPT, TURN = 320, 6.2, 1250
"""Tokens: of the instructions; the logarithm of a middling question; of a turn before it."""
ANSWER, SPREAD = 6.5, 0.85
"""The logarithm of a middling answer's tokens, and how far answers spread around it."""
CACHED, TRIES = 0.7, 0.4
"""How often a vendor still has the beginning of a conversation, and how often a silent one is waited for."""
WRITES_CACHE = frozenset({"anthropic"})
"""Vendors that charge for what they put into their cache."""
SPEED = {ModelClass.EVERYDAY: (0.7, 140.0), ModelClass.STRONG: (1.4, 75.0), ModelClass.FRONTIER: (3.2, 45.0)}
"""Seconds to the first word, and tokens a second from then on."""
MISHAPS = (
    (FailureReason.STOPPED, 0.006),
    (FailureReason.TIMEOUT, 0.004),
    (FailureReason.CUT, 0.003),
    (FailureReason.REFUSED, 0.003),
    (FailureReason.BUSY, 0.003),
)
SPEAKS = frozenset({FailureReason.STOPPED, FailureReason.CUT})
"""Mishaps after the first words."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A vendor that does not answer for a while."""

    provider: str
    since: datetime
    until: datetime

    def hits(self, spec: ModelSpec, at: datetime) -> bool:
        """Whether that model is silent then."""
        return spec.provider == self.provider and self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Length:
    """How many turns came before a question, and how much longer than others its member writes."""

    turns: int
    weight: float


@dataclass(frozen=True, slots=True)
class Ending:
    """How a question ended; `charges` are all requests that were made for it."""

    spec: ModelSpec
    outcome: Finish | FailureReason
    answered: bool
    seconds: float
    charges: tuple[Charge, ...]


def ending(
    specs: Sequence[ModelSpec], outages: Sequence[Outage], length: Length, at: datetime, rng: Random
) -> Ending:
    """How a question ends that these models may answer, in that order."""
    silent = [spec for spec in specs if any(each.hits(spec, at) for each in outages)]
    able = [spec for spec in specs if spec not in silent]
    waited = 12.0 * rng.random() if silent and rng.random() < TRIES else 0.0
    lost = (charge(silent[0], reading(silent[0], length, rng)),) if waited else ()
    if not able:
        return Ending(specs[0], FailureReason.BUSY, answered=False, seconds=6.0 + waited, charges=lost)
    spec, draw = able[0], rng.random()
    for reason, share in MISHAPS:
        draw -= share
        if draw < 0:
            return mishap(spec, reason, length, lost, rng)
    usage = spoken(spec, length, rng)
    finish = Finish.LENGTH if usage.output_tokens >= spec.max_output else Finish.END
    seconds = waited + duration(spec, usage, rng)
    return Ending(spec, finish, answered=True, seconds=seconds, charges=(*lost, charge(spec, usage)))


def mishap(
    spec: ModelSpec, reason: FailureReason, length: Length, lost: tuple[Charge, ...], rng: Random
) -> Ending:
    """How it ends badly: with some words, or with none."""
    if reason in SPEAKS:
        usage = spoken(spec, length, rng)
        seconds = duration(spec, usage, rng)
        return Ending(spec, reason, answered=True, seconds=seconds, charges=(*lost, charge(spec, usage)))
    read = () if reason is FailureReason.BUSY else (charge(spec, reading(spec, length, rng)),)
    return Ending(spec, reason, answered=False, seconds=55.0 if read else 4.0, charges=(*lost, *read))


def reading(spec: ModelSpec, length: Length, rng: Random) -> Usage:
    """What a model reads, some of it from a cache where it has read the beginning before."""
    known = SYSTEM + sum(round(TURN * rng.uniform(0.5, 1.6)) for _ in range(length.turns))
    fresh = round(length.weight * rng.lognormvariate(PROMPT, 1.3)) + 8
    whole = min(known + fresh, spec.context // 2)
    cached = round(known * 0.9) if length.turns and rng.random() < CACHED else 0
    cached = min(cached, whole)
    written = min(fresh, whole - cached) if spec.provider in WRITES_CACHE and length.turns else 0
    return Usage(whole, cached, 0, cache_written_tokens=written)


def spoken(spec: ModelSpec, length: Length, rng: Random) -> Usage:
    """The same with an answer; dearer models think before they speak."""
    read = reading(spec, length, rng)
    thought = 0 if spec.klass is ModelClass.EVERYDAY else round(rng.lognormvariate(5.6, 0.9))
    told = round(rng.lognormvariate(ANSWER, SPREAD)) + 12
    output = min(told + thought, spec.max_output)
    return Usage(
        read.input_tokens,
        read.cached_input_tokens,
        output,
        cache_written_tokens=read.cache_written_tokens,
        reasoning_tokens=min(thought, output),
    )


def duration(spec: ModelSpec, usage: Usage, rng: Random) -> float:
    """How long an answer takes, in seconds."""
    first, speed = SPEED[spec.klass]
    return (first + usage.output_tokens / speed) * rng.lognormvariate(0.0, 0.35)


def charge(spec: ModelSpec, usage: Usage) -> Charge:
    """What a request came to."""
    return Charge(spec.name, spec.provider, usage, cost(spec.price, usage))
