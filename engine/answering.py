"""One answer in the making: each failure met by its remedy, and nothing said twice once a word was seen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from engine.admission import Admission
from engine.breaker import Breaker, Leave
from engine.domain import FailureReason, Micros
from engine.errors import (
    ContentRefusedError,
    ContextTooLongError,
    GiveUpError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.estimates import Correction, Reading
from engine.models import Chunk, Finish, Finished, ModelSpec, TextDelta, Thinking, Usage
from engine.moderating import Inspection
from engine.outlay import Outlay, Request, ended
from engine.ports import Clock, Model
from engine.pricing import total
from engine.routing import Route
from engine.turns import Call, Charge

MAY_CHARGE = (LateError, StreamCutError)
"""Failures after which a vendor may have read what it was sent, also if it did not say so."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a model is waited for, in seconds."""

    total: float = 600.0
    """Below the 15 minutes that a Discord interaction lives."""
    tries: int = 2
    """Of one model while another could still answer, before any words were seen."""
    last_tries: int = 3
    """Of the last one. A model that was late, or the last one that broke off, gets one try less: it may be
    paid for that. One that breaks off before others could answer is quick to be asked again."""
    back_off: float = 0.5
    """Before the second try, doubled with each; half of it by chance, lest all come back at once."""
    longest_wait: float = 8.0

    def wait(self, error: TryAgainError, attempt: int, *, last: bool) -> float | None:
        """Seconds before the next try of a model; None if it is not to be asked again."""
        dear = isinstance(error, MAY_CHARGE if last else LateError)
        tries = (self.last_tries if last else self.tries) - dear
        chance = random.random()  # noqa: S311 - spread, not secrecy
        own = self.back_off * 2**attempt * (1 + chance) / 2
        wait = max(own, (error.retry_after or 0) * (1 + chance / 8))
        return wait if attempt + 1 < tries and wait <= self.longest_wait else None


@dataclass(slots=True)
class Draft:
    """What has come so far."""

    spec: ModelSpec
    text: list[str] = field(default_factory=list)
    finished: Finished | None = None
    failure: FailureReason | None = None
    faults: list[tuple[ModelSpec, OutsideError]] = field(default_factory=list)
    readings: list[tuple[Correction, Reading]] = field(default_factory=list)
    """What vendors counted, beside what we had estimated."""


class Answering:
    """Reads models ahead of the one who shows their words; owned by the chat that made it."""

    def __init__(
        self,
        admission: Admission,
        models: Mapping[str, Model],
        patience: Patience,
        breaker: Breaker,
        clock: Clock,
        inspection: Inspection | None = None,
    ) -> None:
        self.admission = admission
        self.draft = Draft(admission.routes[0].spec)
        self.settled = False
        """Whether what became of it was written down."""
        self.spoke_at: datetime | None = None
        """When the first word of the answer came."""
        self.inspection = inspection
        """What is waited for before a model is asked."""
        self._models = models
        self._patience = patience
        self._breaker = breaker
        self._clock = clock
        self._outlay = Outlay(admission.budget, clock)
        self._pieces: asyncio.Queue[TextDelta | Thinking | None] = asyncio.Queue()
        self._pump: asyncio.Task[None] | None = None
        self._shown: list[str] = []
        self._interrupted: FailureReason | None = None
        self._left: list[Route] = []
        self._rivals: set[asyncio.Task[bool]] = set()
        self._speaker: Request | None = None
        self._over = False
        self._thinks = False

    @property
    def shown(self) -> str:
        """The text that was handed on to the member."""
        return "".join(self._shown)

    async def pieces(self) -> AsyncGenerator[TextDelta | Thinking, None]:
        """The answer piece by piece, until it ends or breaks off; before it at most one Thinking."""
        if self._interrupted is not None:
            return
        self._pump = asyncio.create_task(self._run())
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, TextDelta):
                self._shown.append(piece.text)
            yield piece
        await self._pump

    def interrupt(self, reason: FailureReason) -> None:
        """Break the answer off; its reader gets what came so far and then the end."""
        if self.draft.finished is None and self._interrupted is None:
            self._interrupted = reason
            if self._pump:
                self._pump.cancel()

    async def close(self) -> None:
        """End the model's request, whatever came of it."""
        if self._pump and not self._pump.done():
            self.interrupt(FailureReason.STOPPED)
            await asyncio.wait({self._pump})

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(self._patience.total):
                self.draft.failure = await self.inspection() if self.inspection else None
                if self.draft.failure is None:
                    await self._try_routes()
        except TimeoutError:
            self.draft.failure = FailureReason.TIMEOUT
        except asyncio.CancelledError:
            if self._interrupted is None:
                raise
        finally:
            self._pieces.put_nowait(None)

    async def _try_routes(self) -> None:
        """Ask one model after the other; if all are left alone, the one that is asked again first, once."""
        self._left, asked = list(self.admission.routes), False
        while found := await self._next():
            asked = True
            if await self._ask(*found):
                return
        if not asked:
            route = min(self.admission.routes, key=lambda each: self._breaker.until(each.spec))
            await self._persist(route, self._breaker.insist(route.spec))

    async def _next(self) -> tuple[Route, Leave] | None:
        """The next model that may be asked and can be paid for."""
        while self._left:
            route = self._left.pop(0)
            if self._outlay.fitted(route) and (leave := await self._breaker.enter(route.spec)):
                return route, leave
        return None

    async def _ask(self, route: Route, leave: Leave) -> bool:
        """Ask a model, and if it is slow to speak a second one beside it.

        Who speaks first answers, and the other's request is ended. True: nothing else is to be tried.
        """
        if route.spec.hedge_after is None or not self._left:
            return await self._persist(route, leave)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(self._persist(route, leave))
            self._rivals = {first}
            await asyncio.wait({first}, timeout=route.spec.hedge_after)
            if not first.done() and not self._speaker and (beside := self._beside()):
                self._rivals.add(group.create_task(self._persist(*beside)))
        rivals, self._rivals = self._rivals, set()
        return any(rival.result() for rival in rivals if not rival.cancelled())

    def _beside(self) -> tuple[Route, Leave] | None:
        """The first of the other models that can be paid for as well and is not left alone."""
        able = (each for each in self._left if self._outlay.fitted(each) and self._breaker.closed(each.spec))
        if (route := next(able, None)) is None:
            return None
        self._left.remove(route)
        return route, self._breaker.insist(route.spec)

    async def _persist(self, route: Route, leave: Leave) -> bool:
        """Ask a model as often as its failures call for; whether nothing else is to be tried."""
        attempt, again = 0, route
        try:
            while sent := self._outlay.fitted(again):
                if (error := await self._request(sent, leave)) is None:
                    return True
                if (found := await self._remedy(error, again, attempt)) is None:
                    return False
                again, attempt = found, attempt + 1
        finally:
            leave.over()
        return False

    async def _remedy(self, error: OutsideError, route: Route, attempt: int) -> Route | None:
        """What to send to a model after a failure, once it is time; None: nothing more."""
        if isinstance(error, ContextTooLongError):
            return route.shortened() if route in self.admission.routes else None
        if isinstance(error, GiveUpError):
            return route.in_words()
        if not isinstance(error, TryAgainError) or not self._breaker.closed(route.spec):
            return None
        wait = self._patience.wait(error, attempt, last=not self._left)
        if wait is None:
            return None
        await asyncio.sleep(wait)
        return route

    async def _request(self, route: Route, leave: Leave) -> OutsideError | None:
        """Send one request and hand on what it brings; the failure after which something may be tried."""
        request = self._outlay.begin(route)
        try:
            await self._listen(request, leave)
        except OutsideError as error:
            self._outlay.end(request, charged(request, error), ended(error))
            return self._failed(request, error, leave)
        finally:  # a vendor charges for what it read, whoever waits for the answer
            self._outlay.left(request)
        return None

    async def _listen(self, request: Request, leave: Leave) -> None:
        model, completion = self._models[request.route.spec.provider], request.route.completion
        async with aclosing(model.stream(completion)) as chunks:
            async for chunk in chunks:
                self._outlay.took(request, chunk)
                if not self._hear(request, chunk, leave):
                    return
        if request.finished is None:
            raise StreamCutError("the stream ended without its end")
        if not (usage := request.finished.usage).estimated:
            self.draft.readings.append(request.route.reading(usage.input_tokens))

    def _hear(self, request: Request, chunk: Chunk, leave: Leave) -> bool:
        """Hand on what a model says, from its first visible word on; False if another one answers."""
        if self._over or self._speaker not in {None, request}:
            return False
        if isinstance(chunk, TextDelta):
            if self._speaker:
                self._say(chunk.text)
            elif (text := "".join(request.text)).strip():
                self._let_speak(request, leave)
                self._say(text)
        elif isinstance(chunk, Thinking):
            self._think(chunk)
        elif self._speaker or not self._others():
            self.draft.spec, self.draft.finished = request.route.spec, chunk
        if isinstance(chunk, Finished) and not self._speaker:
            leave.worked()
        return True

    def _say(self, text: str) -> None:
        self.draft.text.append(text)
        self._pieces.put_nowait(TextDelta(text))

    def _think(self, sign: Thinking) -> None:
        if not self._thinks and not self._speaker:
            self._thinks = True
            self._pieces.put_nowait(sign)

    def _let_speak(self, request: Request, leave: Leave) -> None:
        """Let this be the answer, and end every other request."""
        self._speaker, self.spoke_at = request, self._clock.now()
        self.draft.spec, self.draft.failure = request.route.spec, None
        leave.worked()
        self._hush()

    def _hush(self) -> None:
        for rival in self._others():
            rival.cancel()

    def _others(self) -> Sequence[asyncio.Task[bool]]:
        """Who is asked beside the one that is heard now."""
        return [each for each in self._rivals if each is not asyncio.current_task() and not each.done()]

    def _failed(self, request: Request, error: OutsideError, leave: Leave) -> OutsideError | None:
        """Note a failure; the same if something else may be tried after it."""
        spec = request.route.spec
        self.draft.faults.append((spec, error))
        if isinstance(error, TryAgainError):
            leave.failed(error)
        else:
            leave.replied()
        if isinstance(error, ContextTooLongError):
            self.draft.readings.append(request.route.reading(None))
        if self._over or self._speaker not in {None, request}:
            return None
        self.draft.spec, self.draft.failure = spec, self._reason(error)
        if isinstance(error, ContentRefusedError):
            self._over = True
            self._hush()
        return None if self._over or self._speaker else error

    def _reason(self, error: OutsideError) -> FailureReason:
        cut = FailureReason.CUT if self._speaker else FailureReason.BUSY
        reasons: tuple[tuple[type[OutsideError], FailureReason], ...] = (
            (LateError, FailureReason.TIMEOUT),
            (TryAgainError, cut),
            (ContextTooLongError, FailureReason.TOO_LONG),
            (ContentRefusedError, FailureReason.REFUSED),
        )
        return next((reason for kind, reason in reasons if isinstance(error, kind)), FailureReason.BROKEN)

    def broken(self) -> Sequence[tuple[ModelSpec, OutsideError]]:
        """Failures that only the operator can mend: of the key, the model, or what is sent to it."""
        return [(spec, error) for spec, error in self.draft.faults if mendable(error)]

    def charges(self) -> tuple[Charge, ...]:
        """Every request that a vendor charges, or must be taken to charge, with its tokens and cost."""
        return self._outlay.charges()

    def calls(self) -> tuple[Call, ...]:
        """Every request that was made, as it went."""
        return tuple(self._outlay.calls)

    def usage(self) -> Usage:
        """All tokens spent on the answer, those of a request that was broken off estimated."""
        return total([charge.usage for charge in self.charges()])

    def cost(self) -> Micros | None:
        """What it cost, None if any model used has no price."""
        costs = [charge.cost for charge in self.charges()]
        known = [each for each in costs if each is not None]
        return Micros(sum(known)) if len(known) == len(costs) else None

    def outcome(self) -> Finish | FailureReason:
        """How it ended; a good end without a word is none."""
        if not self.draft.finished:
            return self._interrupted or self.draft.failure or FailureReason.CUT
        finish = self.draft.finished.finish
        if self.draft.text:
            return finish
        return FailureReason.REFUSED if finish is Finish.SAFETY else FailureReason.BROKEN


def charged(request: Request, error: OutsideError) -> Usage | None:
    """What a request that failed has cost, as its vendor said or must be taken to charge; None: nothing."""
    if error.usage or not (request.text or isinstance(error, MAY_CHARGE)):
        return error.usage
    return request.estimate()


def mendable(error: OutsideError) -> bool:
    """Whether a failure stays until the operator mends something."""
    if isinstance(error, ContextTooLongError | ContentRefusedError):
        return False
    return isinstance(error, TellOperatorError | GiveUpError)
