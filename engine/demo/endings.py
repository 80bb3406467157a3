"""What becomes of a made-up question: which model answers, with how many tokens, how long, what fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from engine.domain import FailureReason
from engine.models import Finish, ModelClass, ModelSpec, Usage
from engine.pricing import cost
from engine.turns import Call, CallEnd, Charge

SYSTEM, PROMPT, TURN = 320, 6.2, 1250
"""Tokens: of the instructions; the logarithm of a middling question; of a turn before it."""
ANSWER, SPREAD = 6.5, 0.85
"""The logarithm of a middling answer's tokens, and how far answers spread around it."""
CACHED, TRIES, LATE = 0.7, 0.4, 0.3
"""How often a vendor still has the beginning of a conversation, how often a silent one is asked all the same,
and how often it is silent until our patience ends."""
SILENCES = {FailureReason.TIMEOUT: 55.0, FailureReason.BUSY: 4.0}
"""Seconds until these end without a word."""
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
ENDS = {
    FailureReason.STOPPED: CallEnd.LEFT,
    FailureReason.TIMEOUT: CallEnd.LATE,
    FailureReason.CUT: CallEnd.CUT,
    FailureReason.REFUSED: CallEnd.REFUSED,
    FailureReason.BUSY: CallEnd.BUSY,
}
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
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a question is asked, what is silent then, and how long it is."""

    at: datetime
    outages: Sequence[Outage]
    length: Length

    def silent(self, spec: ModelSpec) -> bool:
        """Whether a model does not answer."""
        return any(each.hits(spec, self.at) for each in self.outages)

    def call(self, spec: ModelSpec, end: CallEnd, seconds: float, first: float | None = None) -> Call:
        """A request that begins then."""
        spoke = None if first is None else timedelta(seconds=first)
        return Call(spec.provider, spec.name, end, self.at, timedelta(seconds=seconds), spoke)


def ending(specs: Sequence[ModelSpec], moment: Moment, rng: Random) -> Ending:
    """How a question ends that these models may answer, in that order."""
    able = [spec for spec in specs if not moment.silent(spec)]
    tried = moment.silent(specs[0]) and (not able or rng.random() < TRIES)
    before = waiting(specs[0], moment, rng) if tried else None
    if before and not able:
        return before
    spec, draw = able[0], rng.random()
    for reason, share in MISHAPS:
        draw -= share
        if draw < 0:
            return after(before, mishap(spec, reason, moment, rng))
    return after(before, answered(spec, moment, rng))


def waiting(spec: ModelSpec, moment: Moment, rng: Random) -> Ending:
    """A silent model is asked in vain; at times it may have read the question."""
    late, seconds = rng.random() < LATE, 12.0 * rng.random()
    charges = (charge(spec, reading(spec, moment.length, rng)),) if late else ()
    calls = (moment.call(spec, CallEnd.LATE if late else CallEnd.BUSY, seconds),)
    return Ending(spec, FailureReason.BUSY, answered=False, seconds=seconds, charges=charges, calls=calls)


def after(before: Ending | None, then: Ending) -> Ending:
    """One after the other."""
    if before is None:
        return then
    charges, calls = (*before.charges, *then.charges), (*before.calls, *then.calls)
    return replace(then, seconds=before.seconds + then.seconds, charges=charges, calls=calls)


def answered(spec: ModelSpec, moment: Moment, rng: Random) -> Ending:
    """A whole answer, or one that is as long as may be."""
    usage = spoken(spec, moment.length, rng)
    first, seconds = duration(spec, usage, rng)
    finish = Finish.LENGTH if usage.output_tokens >= spec.max_output else Finish.END
    calls = (moment.call(spec, CallEnd.ANSWERED, seconds, first),)
    return Ending(spec, finish, answered=True, seconds=seconds, charges=(charge(spec, usage),), calls=calls)


def mishap(spec: ModelSpec, reason: FailureReason, moment: Moment, rng: Random) -> Ending:
    """How it ends badly: with some words, or with none."""
    speaks = reason in SPEAKS
    usage = spoken(spec, moment.length, rng) if speaks else reading(spec, moment.length, rng)
    first, seconds = duration(spec, usage, rng)
    seconds = seconds if speaks else SILENCES.get(reason, first)
    calls = (moment.call(spec, ENDS[reason], seconds, first if speaks else None),)
    charges = () if reason is FailureReason.BUSY else (charge(spec, usage),)
    return Ending(spec, reason, answered=speaks, seconds=seconds, charges=charges, calls=calls)


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


def duration(spec: ModelSpec, usage: Usage, rng: Random) -> tuple[float, float]:
    """How long an answer takes until its first word and as a whole, in seconds."""
    first, speed = SPEED[spec.klass]
    pace = rng.lognormvariate(0.0, 0.35)
    return first * pace, (first + usage.output_tokens / speed) * pace


def charge(spec: ModelSpec, usage: Usage) -> Charge:
    """What a request came to."""
    return Charge(spec.name, spec.provider, usage, cost(spec.price, usage))
