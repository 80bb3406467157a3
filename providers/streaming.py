"""Reads any vendor's stream with the same patience, the same counting and the same idea of an end."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from engine.context import BYTES_PER_TOKEN, size, tokens
from engine.errors import LateError, OutsideError, StreamCutError
from engine.models import Chunk, Completion, Finish, Finished, TextDelta, Thinking, Usage
from providers.failures import Fault, broke, said

E = TypeVar("E")
THINKING = Thinking()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a silence is borne, in seconds; below a minute, since members wait for it.

    The SDKs are told to wait for ever: what ends a request is here.
    """

    connect: float = 10.0
    first: float = 55.0
    """From the request to the first sign of an answer: a word, or that the model thinks."""
    between: float = 55.0
    """Between two signs; what else a vendor sends to keep a connection alive is none."""
    tail: float = 5.0
    """For the count of tokens, once the answer itself is complete."""

    def of(self, completion: Completion) -> Patience:
        """The same with the bounds of the model that is asked, where it has some of its own."""
        first, between = completion.first_token, completion.between_tokens
        return replace(
            self,
            first=self.first if first is None else first,
            between=self.between if between is None else between,
        )


class Reading(ABC, Generic[E]):
    """One stream as far as it was read: what came, how it ended and what it used."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self._text: list[str] = []
        self._thoughts = 0
        self._thinks = False
        self._told = False
        self.opened = False
        self.alive = False
        """Whether the last event was a sign of an answer."""
        self.over = False
        """Whether more was counted than was asked for at most, before the vendor ended it."""
        self.finish: Finish | None = None
        self.input_tokens: int | None = None
        self.cached_input_tokens = 0
        self.cache_written_tokens = 0
        self.output_tokens: int | None = None
        self.reasoning_tokens = 0

    @abstractmethod
    def read(self, event: E) -> str:
        """Take an event in; the text of the answer in it, if any.

        Raises an OutsideError if the event says that there will be no answer.
        """

    def rest(self) -> str:
        """Text that `read` held back, once there is no more."""
        return ""

    def thinks(self, thought: str = "") -> None:
        """Note, while an event is read, that the model is reasoning; of the thought only its size is kept."""
        self._thinks = True
        self._thoughts += len(thought.encode())

    def take(self, event: E) -> Chunk | None:
        """What an event shows: words, or that the model began to think; a run of thoughts is told once."""
        self._thinks = False
        text = self.read(event)
        self.alive = bool(text) or self._thinks
        if not self.finish and whole(self.output_tokens) > self._completion.max_output:
            self.finish, self.over = Finish.LENGTH, True
        if text:
            return self.wrote(text)
        if not self._thinks or self._told:
            return None
        self._told = True
        return THINKING

    def wrote(self, text: str) -> TextDelta:
        """Note a piece of the answer."""
        self._text.append(text)
        self._told = False
        return TextDelta(text)

    @property
    def begun(self) -> bool:
        """Whether any words came."""
        return bool(self._text)

    def usage(self) -> Usage:
        """Tokens as reported; whatever was not, or not to its end, is estimated from the text."""
        told, written, reasoned = map(whole, (self.input_tokens, self.output_tokens, self.reasoning_tokens))
        sent = told or size(self._completion)
        seen = tokens("".join(self._text)) if self._text else 0
        if self.finish and told and (written or not seen):
            return self._usage(sent, written, reasoned)
        thought = max(reasoned, -(-self._thoughts // BYTES_PER_TOKEN))
        return replace(self._usage(sent, max(seen + thought, written), thought), estimated=True)

    def _usage(self, sent: int, written: int, thought: int) -> Usage:
        """Parts are never more than the whole, whatever a server says."""
        cached = min(whole(self.cached_input_tokens), sent)
        return Usage(
            sent,
            cached,
            written,
            cache_written_tokens=min(whole(self.cache_written_tokens), sent - cached),
            reasoning_tokens=min(thought, written),
        )


def whole(count: object) -> int:
    """A count as a vendor tells it, which the SDKs hand on unchecked; 0 for what is none."""
    return max(0, count) if isinstance(count, int) else 0


class Watch:
    """Until when, by the event loop's clock, the next sign of an answer is waited for."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._now = asyncio.get_running_loop().time
        self._ended = False
        self.due = self._now() + patience.first

    def saw(self, reading: Reading[E]) -> None:
        """An event was read, and what it showed was handed on."""
        ended, self._ended = self._ended, reading.finish is not None
        if reading.alive or self._ended > ended:
            self.due = self._now() + (self._patience.tail if self._ended else self._patience.between)


class Wire(Protocol[E]):
    """A vendor's protocol, as its SDK gives it."""

    @property
    def vendor(self) -> str:
        """Its name in messages to the operator."""
        ...

    @property
    def patience(self) -> Patience:
        """How long it is waited for."""
        ...

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """All that the SDK and what is below it raise when a call fails."""
        ...

    async def open(self, completion: Completion) -> AbstractAsyncContextManager[AsyncIterator[E]]:
        """Send a request and have its stream of events, once the vendor has accepted it."""
        ...

    def reading(self, completion: Completion) -> Reading[E]:
        """A fresh reader of such a stream."""
        ...

    def explain(self, error: Exception) -> Fault | None:
        """What the vendor said; None if it said nothing: the connection failed."""
        ...


async def relay(wire: Wire[E], completion: Completion) -> AsyncGenerator[Chunk, None]:
    """A vendor's stream as the engine wants it; see `engine.ports.Model`."""
    reading, watch = wire.reading(completion), Watch(wire.patience.of(completion))
    failures: tuple[type[Exception], ...] = (*wire.failures, TimeoutError)
    try:
        stream = await _open(wire, completion, reading, watch)
        async with stream as events:
            reading.opened = True
            while (event := await _next(events, watch)) is not None:
                if chunk := _read(event, reading, wire.vendor):
                    yield chunk
                if reading.over:  # money is held for no more
                    break
                watch.saw(reading)
    except failures as error:
        if not reading.finish:  # an answer that is complete is not undone by what breaks after it
            raise _failure(wire, error, reading) from error
    if text := reading.rest():
        yield reading.wrote(text)
    if not reading.finish:
        raise StreamCutError(f"{wire.vendor} ended its stream without an end", usage=reading.usage())
    yield Finished(reading.finish, reading.usage())


async def _open(
    wire: Wire[E], completion: Completion, reading: Reading[E], watch: Watch
) -> AbstractAsyncContextManager[AsyncIterator[E]]:
    bound = asyncio.timeout_at(watch.due)
    try:
        async with bound:
            return await wire.open(completion)
    except TimeoutError as error:
        if not bound.expired():
            raise
        # The request is with the vendor, which may have begun to work and to charge.
        raise LateError(f"{wire.vendor} gave no sign in time", usage=reading.usage()) from error


async def _next(events: AsyncIterator[E], watch: Watch) -> E | None:
    async with asyncio.timeout_at(watch.due):
        return await anext(events, None)


def _read(event: E, reading: Reading[E], vendor: str) -> Chunk | None:
    try:
        return reading.take(event)
    except (AttributeError, TypeError) as error:  # the SDKs hand on what is in a chunk unchecked
        if reading.finish:
            return None
        raise StreamCutError(f"{vendor} sent a chunk of unknown shape", usage=reading.usage()) from error


def _failure(wire: Wire[E], error: Exception, reading: Reading[E]) -> OutsideError:
    usage = reading.usage() if reading.opened else None
    fault = wire.explain(error)
    if fault is None:
        return broke(error, wire.vendor, usage=usage, opened=reading.opened)
    return said(fault, wire.vendor, usage=usage, begun=reading.begun)
