"""One answer in the making: pumps a model's stream, retries and falls back before the first word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from engine.admission import Admission
from engine.context import tokens
from engine.domain import FailureReason, Micros
from engine.errors import (
    ContentRefusedError,
    ContextTooLongError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.estimates import Correction, Reading
from engine.models import Finish, Finished, ModelSpec, TextDelta, Usage
from engine.moderating import Inspection
from engine.ports import Model
from engine.pricing import cost, total
from engine.reserve import worst
from engine.routing import Route
from engine.turns import Charge


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a model is waited for, in seconds."""

    total: float = 600.0
    """Below the 15 minutes that a Discord interaction lives."""
    tries: int = 2
    """Of one model, before any of its words were seen."""
    back_off: float = 0.5
    longest_wait: float = 8.0


@dataclass(slots=True)
class Draft:
    """What has come so far."""

    spec: ModelSpec
    text: list[str] = field(default_factory=list)
    finished: Finished | None = None
    failure: FailureReason | None = None
    spent: list[tuple[ModelSpec, Usage]] = field(default_factory=list)
    errors: list[OutsideError] = field(default_factory=list)
    readings: list[tuple[Correction, Reading]] = field(default_factory=list)
    """What vendors counted, beside what we had estimated."""


class Answering:
    """Reads a model ahead of the one who shows its words; owned by the chat that made it."""

    def __init__(
        self,
        admission: Admission,
        models: Mapping[str, Model],
        patience: Patience,
        inspection: Inspection | None = None,
    ) -> None:
        self.admission = admission
        self.draft = Draft(admission.routes[0].spec)
        self.settled = False
        """Whether what became of it was written down."""
        self.inspection = inspection
        """What is waited for before a model is asked."""
        self._models = models
        self._patience = patience
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._pump: asyncio.Task[None] | None = None
        self._shown: list[str] = []
        self._interrupted: FailureReason | None = None
        self._asked: Route | None = None

    @property
    def shown(self) -> str:
        """The text that was handed on to the member."""
        return "".join(self._shown)

    async def texts(self) -> AsyncGenerator[str, None]:
        """The answer piece by piece, until it ends or breaks off."""
        if self._interrupted is not None:
            return
        self._pump = asyncio.create_task(self._run())
        while (piece := await self._pieces.get()) is not None:
            self._shown.append(piece)
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
        for route in self.admission.routes:
            if not self._affords(route):
                continue
            self.draft.spec = route.spec
            if await self._try_model(route) or self.draft.text:
                return

    async def _try_model(self, route: Route) -> bool:
        """Whether nothing else should be tried."""
        for attempt in range(self._patience.tries):
            if not self._affords(route):
                return False
            try:
                await self._read(route)
            except OutsideError as error:
                self._note(route, error)
                if self.draft.text or isinstance(error, ContentRefusedError):
                    return True
                if not isinstance(error, TryAgainError) or not await self._wait(error, attempt):
                    return False
            else:
                self.draft.failure = None
                return True
        return False

    def _note(self, route: Route, error: OutsideError) -> None:
        """Remember a request that failed, with what it cost."""
        self.draft.errors.append(error)
        if isinstance(error, ContextTooLongError):
            self.draft.readings.append(route.reading(None))
        if usage := error.usage or (self._estimate(route) if self.draft.text else None):
            self.draft.spent.append((route.spec, within(route, usage)))
        self._asked = None
        self.draft.failure = self._reason(error)

    def _affords(self, route: Route) -> bool:
        """Whether what is held would pay for one more request to this model, whatever it came to cost."""
        before = sum(cost(spec.price, usage) or 0 for spec, usage in self.draft.spent)
        return before + worst(route) <= self.admission.budget

    async def _read(self, route: Route) -> None:
        model = self._models[route.spec.provider]
        self._asked = route
        async with aclosing(model.stream(route.completion)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TextDelta):
                    self.draft.text.append(chunk.text)
                    self._pieces.put_nowait(chunk.text)
                elif isinstance(chunk, Finished):
                    self.draft.finished = chunk
        if self.draft.finished is None:
            raise StreamCutError("the stream ended without its end")
        usage = self.draft.finished.usage
        self.draft.spent.append((route.spec, within(route, usage)))
        if not usage.estimated:
            self.draft.readings.append(route.reading(usage.input_tokens))
        self._asked = None

    async def _wait(self, error: TryAgainError, attempt: int) -> bool:
        wait = error.retry_after or self._patience.back_off * 2**attempt
        if attempt + 1 >= self._patience.tries or wait > self._patience.longest_wait:
            return False
        await asyncio.sleep(wait)
        return True

    def _reason(self, error: OutsideError) -> FailureReason:
        cut = FailureReason.CUT if self.draft.text else FailureReason.BUSY
        reasons: tuple[tuple[type[OutsideError], FailureReason], ...] = (
            (LateError, FailureReason.TIMEOUT),
            (TryAgainError, cut),
            (ContextTooLongError, FailureReason.TOO_LONG),
            (ContentRefusedError, FailureReason.REFUSED),
        )
        return next((reason for kind, reason in reasons if isinstance(error, kind)), FailureReason.BROKEN)

    def broken(self) -> list[OutsideError]:
        """Errors that only the operator can mend."""
        return [error for error in self.draft.errors if isinstance(error, TellOperatorError)]

    def charges(self) -> tuple[Charge, ...]:
        """Every request that a vendor charges, or must be taken to charge, with its tokens and cost."""
        return tuple(
            Charge(spec.name, spec.provider, usage, cost(spec.price, usage)) for spec, usage in self._spent()
        )

    def usage(self) -> Usage:
        """All tokens spent on the answer, those of a request that was broken off estimated."""
        return total([charge.usage for charge in self.charges()])

    def cost(self) -> Micros | None:
        """What it cost, None if any model used has no price."""
        costs = [charge.cost for charge in self.charges()]
        known = [each for each in costs if each is not None]
        return Micros(sum(known)) if len(known) == len(costs) else None

    def _spent(self) -> list[tuple[ModelSpec, Usage]]:
        """Each request and its tokens; a vendor charges for what it read, whoever waits for the answer."""
        broken_off = [(self._asked.spec, self._estimate(self._asked))] if self._asked else []
        return [*self.draft.spent, *broken_off] or [(self.draft.spec, Usage())]

    def _estimate(self, route: Route) -> Usage:
        written = "".join(self.draft.text)
        out = tokens(written) if written else 0
        return within(route, Usage(route.size, 0, out, estimated=True))

    def outcome(self) -> Finish | FailureReason:
        """How it ended; a good end without a word is none."""
        if not self.draft.finished:
            return self._interrupted or self.draft.failure or FailureReason.CUT
        finish = self.draft.finished.finish
        if "".join(self.draft.text).strip():
            return finish
        return FailureReason.REFUSED if finish is Finish.SAFETY else FailureReason.BROKEN


def within(route: Route, usage: Usage) -> Usage:
    """A usage that was only estimated, at most what the request could have come to."""
    if not usage.estimated:
        return usage
    return replace(
        usage,
        input_tokens=min(usage.input_tokens, route.size),
        output_tokens=min(usage.output_tokens, route.completion.max_output),
    )
