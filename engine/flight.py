"""The answers in flight of one process, and the reading of several of them as one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TypeVar

from engine.answering import Answering
from engine.domain import FailureReason, Person, TurnId

T = TypeVar("T")


class InFlight:
    """Who is being answered here at the moment."""

    def __init__(self) -> None:
        self._answers: dict[TurnId, tuple[Person, Answering]] = {}
        self.idle = asyncio.Event()
        """Set while there is none."""
        self.idle.set()

    @property
    def turns(self) -> Sequence[TurnId]:
        """The turns being answered."""
        return tuple(self._answers)

    def enter(self, person: Person, answering: Answering) -> None:
        """An answer begins."""
        self._answers[answering.admission.turn] = (person, answering)
        self.idle.clear()

    def leave(self, answering: Answering) -> None:
        """An answer has ended; said twice it is said once."""
        self._answers.pop(answering.admission.turn, None)
        if not self._answers:
            self.idle.set()

    def stop(self, turn: TurnId, person: Person) -> bool:
        """Break off an answer of this person, with its whole comparison; False if it is not here."""
        owner, answering = self._answers.get(turn, (None, None))
        if answering is None or owner != person:
            return False
        batch = answering.admission.batch
        for _, each in self._answers.values():
            if each is answering or (batch is not None and each.admission.batch == batch):
                each.interrupt(FailureReason.STOPPED)
        return True

    def interrupt(self, turns: Sequence[TurnId], reason: FailureReason) -> None:
        """Break off those of these that are here."""
        for turn in turns:
            if turn in self._answers:
                self._answers[turn][1].interrupt(reason)


async def merged(streams: Mapping[int, AsyncGenerator[T, None]]) -> AsyncGenerator[tuple[int, T], None]:
    """What comes of several streams, as it comes, each with its number; all are read at once.

    A stream that raises does not keep the others from their end; its error is raised after it. Closing this
    closes them all.
    """
    news: asyncio.Queue[tuple[int, T] | None] = asyncio.Queue()

    async def read(number: int, stream: AsyncGenerator[T, None]) -> None:
        try:
            async for each in stream:
                news.put_nowait((number, each))
        finally:
            await stream.aclose()
            news.put_nowait(None)

    tasks = [asyncio.create_task(read(number, stream)) for number, stream in streams.items()]
    try:
        running = len(tasks)
        while running:
            if (pair := await news.get()) is None:
                running -= 1
            else:
                yield pair
        for task in tasks:
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
