"""Reads any vendor's stream with the same patience, the same counting and the same idea of an end."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from engine.context import size, tokens
from engine.errors import OutsideError, StreamCutError
from engine.models import Chunk, Completion, Finish, Finished, TextDelta, Usage
from providers.failures import Fault, broke, said

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a silence is borne, in seconds; below a minute, since members wait for it."""

    connect: float = 10.0
    silence: float = 55.0
    """Before the first event and between any two; the SDKs' own read timeouts are no shorter."""
    tail: float = 5.0
    """For the count of tokens, once the answer itself is complete."""


class Reading(ABC, Generic[E]):
    """One stream as far as it was read: what came, how it ended and what it used."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        self._text: list[str] = []
        self.opened = False
        self.finish: Finish | None = None
        self.input_tokens: int | None = None
        self.cached_input_tokens = 0
        self.output_tokens: int | None = None

    @abstractmethod
    def read(self, event: E) -> str:
        """Take an event in; the text of the answer in it, if any.

        Raises an OutsideError if the event says that there will be no answer.
        """

    def rest(self) -> str:
        """Text that `read` held back, once there is no more."""
        return ""

    def wrote(self, text: str) -> TextDelta:
        """Note a piece of the answer."""
        self._text.append(text)
        return TextDelta(text)

    @property
    def begun(self) -> bool:
        """Whether any words came."""
        return bool(self._text)

    def usage(self) -> Usage:
        """Tokens as reported; whatever was not, or not to its end, is estimated from the text."""
        sent = self.input_tokens or size(self._completion)
        written = tokens("".join(self._text)) if self._text else 0
        if self.finish and self.input_tokens and (self.output_tokens or not written):
            return Usage(sent, self.cached_input_tokens, self.output_tokens or 0)
        return Usage(sent, self.cached_input_tokens, max(written, self.output_tokens or 0), estimated=True)


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
    reading = wire.reading(completion)
    failures: tuple[type[Exception], ...] = (*wire.failures, TimeoutError)
    try:
        async with asyncio.timeout(wire.patience.silence):
            stream = await wire.open(completion)
        async with stream as events:
            reading.opened = True
            while (event := await _next(events, reading, wire.patience)) is not None:
                if text := _read(event, reading, wire.vendor):
                    yield reading.wrote(text)
    except failures as error:
        if not reading.finish:  # an answer that is complete is not undone by what breaks after it
            raise _failure(wire, error, reading) from error
    if text := reading.rest():
        yield reading.wrote(text)
    if not reading.finish:
        raise StreamCutError(f"{wire.vendor} ended its stream without an end", usage=reading.usage())
    yield Finished(reading.finish, reading.usage())


async def _next(events: AsyncIterator[E], reading: Reading[E], patience: Patience) -> E | None:
    async with asyncio.timeout(patience.tail if reading.finish else patience.silence):
        return await anext(events, None)


def _read(event: E, reading: Reading[E], vendor: str) -> str:
    try:
        return reading.read(event)
    except (AttributeError, TypeError) as error:  # the SDKs hand on what is in a chunk unchecked
        raise StreamCutError(f"{vendor} sent a chunk of unknown shape", usage=reading.usage()) from error


def _failure(wire: Wire[E], error: Exception, reading: Reading[E]) -> OutsideError:
    usage = reading.usage() if reading.opened else None
    fault = wire.explain(error)
    if fault is None:
        return broke(error, wire.vendor, usage=usage, opened=reading.opened)
    return said(fault, wire.vendor, usage=usage, begun=reading.begun)
