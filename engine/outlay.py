"""What the requests made for one answer cost, within what was held for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.context import tokens
from engine.domain import Micros
from engine.errors import ContentRefusedError, ContextTooLongError, LateError, StreamCutError, TryAgainError
from engine.models import Chunk, Effort, Finished, TextDelta, Thinking, Usage
from engine.ports import Clock
from engine.pricing import cost
from engine.reserve import fitted, worst
from engine.routing import Route
from engine.turns import Call, CallEnd, Charge

PACE = 100
"""Tokens that a model is taken to think in a second: users measured 60 to 90."""


@dataclass(slots=True, eq=False)
class Request:
    """One request to a vendor, and what came of it so far."""

    route: Route
    began_at: datetime
    spoke_at: datetime | None = None
    text: list[str] = field(default_factory=list)
    thoughts: int = 0
    """Signs of reasoning, each of one token at least."""
    finished: Finished | None = None

    def take(self, chunk: Chunk, now: datetime) -> None:
        """Note what came."""
        if isinstance(chunk, TextDelta):
            self.spoke_at = self.spoke_at or now
            self.text.append(chunk.text)
        elif isinstance(chunk, Thinking):
            self.thoughts += 1
        else:
            self.finished = chunk

    def went(self, how: CallEnd, now: datetime) -> Call:
        """How it went, ended at `now`."""
        spec, first = self.route.spec, self.spoke_at - self.began_at if self.spoke_at else None
        return Call(spec.provider, spec.name, how, self.began_at, now - self.began_at, first)

    def estimate(self, left_at: datetime | None = None) -> Usage:
        """What a vendor must be taken to charge that has not said it: all it read, and what came of it.

        `left_at`: when we left it, up to which, or up to its first word, it may have thought without a sign.
        """
        written = tokens("".join(self.text)) if self.text else 0
        quiet = (self.spoke_at or left_at or self.began_at) - self.began_at
        able = left_at and self.route.completion.reasoning is not Effort.OFF
        thought = max(self.thoughts, PACE * int(quiet.total_seconds()) if able else 0)
        return Usage(self.route.size, 0, written + thought, estimated=True, reasoning_tokens=thought)


class Outlay:
    """What was held for a turn, and what was spent of it."""

    def __init__(self, budget: Micros, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        self._running: list[Request] = []
        self.spent: list[tuple[Route, Usage]] = []
        """Every request that was or may have been charged."""
        self.calls: list[Call] = []
        """Every request that is over, as it went."""

    def fitted(self, route: Route) -> Route | None:
        """The route if one more request is paid for, whatever it and those under way come to cost.

        Where little is missing its answer is kept shorter; None: not even half of it could be paid for.
        """
        under_way = sum(worst(request.route) for request in self._running)
        before = sum(cost(past.spec.price, usage) or 0 for past, usage in self.spent)
        return fitted(route, Micros(self._budget - before - under_way))

    def begin(self, route: Route) -> Request:
        """A request is sent."""
        request = Request(route, self._clock.now())
        self._running.append(request)
        return request

    def took(self, request: Request, chunk: Chunk) -> None:
        """Something came of it."""
        request.take(chunk, self._clock.now())

    def left(self, request: Request) -> None:
        """Nobody listens to a request any more, which is charged all the same; nothing if it is over."""
        if request.finished:
            self.end(request, request.finished.usage, CallEnd.ANSWERED)
        else:
            self.end(request, request.estimate(self._clock.now()), CallEnd.LEFT)

    def end(self, request: Request, usage: Usage | None, how: CallEnd) -> None:
        """A request is over and has used so much, or is sure to be charged nothing; said twice, once."""
        if request in self._running:
            self._running.remove(request)
            self.calls.append(request.went(how, self._clock.now()))
            if usage:
                self.spent.append((request.route, within(request.route, usage)))

    def charges(self) -> tuple[Charge, ...]:
        """The same with what each cost."""
        told = ((route.spec, usage) for route, usage in self.spent)
        return tuple(Charge(spec.name, spec.provider, usage, cost(spec.price, usage)) for spec, usage in told)


def ended(error: Exception) -> CallEnd:
    """What a failure makes of its request."""
    ends: tuple[tuple[type[Exception], CallEnd], ...] = (
        (LateError, CallEnd.LATE),
        (TimeoutError, CallEnd.LATE),
        (StreamCutError, CallEnd.CUT),
        (TryAgainError, CallEnd.BUSY),
        (ContextTooLongError, CallEnd.TOO_LONG),
        (ContentRefusedError, CallEnd.REFUSED),
    )
    return next((end for kind, end in ends if isinstance(error, kind)), CallEnd.BROKEN)


def within(route: Route, usage: Usage) -> Usage:
    """A usage that was only estimated, at most what the request could have come to."""
    if not usage.estimated:
        return usage
    out = min(usage.output_tokens, route.completion.max_output)
    return replace(
        usage,
        input_tokens=min(usage.input_tokens, route.size),
        output_tokens=out,
        reasoning_tokens=min(usage.reasoning_tokens, out),
    )
