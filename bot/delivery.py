"""One question's way through a surface: events in, frames out, always the latest text."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress

from bot import render
from bot.pacing import Kind, Pacing, Turn
from bot.reply import Canvas, Frame, State
from bot.split import pages
from engine.chat import Chat
from engine.domain import Answered, Ask, ChatEvent, Delta, Failed, Refusal, Started
from engine.errors import OutsideError, TryAgainError

log = logging.getLogger("bot")

ENDS = frozenset({State.DONE, State.STOPPED, State.FAILED})
LAST_TRIES = (1.0, 3.0, 8.0)
"""Seconds to wait before each new try to paint a last frame."""


class Painter:
    """Paints the newest frame whenever the channel's turn has come; the last one is always painted.

    While Discord or Slack lets us wait, frames replace each other; so nothing stale is painted afterwards.
    """

    def __init__(self, canvas: Canvas, pacing: Pacing) -> None:
        self._canvas = canvas
        self._pacing = pacing
        self._newest: Frame | None = None
        self._changed = asyncio.Event()
        self._ended = False
        self._turn: Turn | None = None
        self._shown: State | None = None
        self._began = asyncio.get_running_loop().time()

    def show(self, frame: Frame) -> None:
        """Let this be the frame that is painted next."""
        if frame.state is State.THINKING:
            self._began = asyncio.get_running_loop().time()
        self._newest = frame
        self._changed.set()
        if self._turn:
            self._turn.hasten(*self._urgency(frame.state))

    def end(self) -> None:
        """There will be no more frames."""
        self._ended = True
        self._changed.set()

    async def run(self) -> None:
        """Paint until the last frame is painted. GoneError: the place was deleted."""
        while self._newest or not self._ended:
            await self._changed.wait()
            self._changed.clear()
            if self._newest:
                await self._paint_in_turn(self._newest.state)

    async def _paint_in_turn(self, state: State) -> None:
        kind, wait = self._urgency(state)
        self._turn = self._pacing.turn(self._canvas.channel, kind, wait, posts=self._shown is None)
        async with self._turn:
            self._turn, frame, self._newest = None, self._newest, None
            if frame:
                await (self._paint_last if frame.state in ENDS else self._paint_passing)(frame)

    async def _paint_passing(self, frame: Frame) -> None:
        """What may be missed, as there will be more."""
        try:
            await self._canvas.paint(frame)
        except TryAgainError as error:
            log.info("a text on its way was skipped", extra={"why": str(error)})
            self._pacing.refused(self._canvas.channel, error.retry_after)
        else:
            self._shown = frame.state

    async def _paint_last(self, frame: Frame) -> None:
        """What has to be seen: tried again until it is."""
        for wait in LAST_TRIES:
            try:
                return await self._canvas.paint(frame)
            except TryAgainError as error:
                log.warning("the end of an answer has to wait", extra={"why": str(error)})
                await asyncio.sleep(max(wait, error.retry_after or 0))
        return await self._canvas.paint(frame)

    def _urgency(self, state: State) -> tuple[Kind, float]:
        """How urgent a frame is, and how long it waits at least."""
        if state in ENDS:
            return Kind.LAST, 0.0
        thinking = self._pacing.pace.thinking
        if state is State.THINKING:
            return Kind.THINKING, thinking
        if self._shown is State.THINKING:
            age = asyncio.get_running_loop().time() - self._began
            return Kind.FIRST, min(thinking / 3, thinking * 4 / 3 - age)
        return (Kind.FIRST if self._shown is None else Kind.PASSING), 0.0


async def deliver(chat: Chat, ask: Ask, canvas: Canvas, pacing: Pacing) -> ChatEvent | None:
    """Ask and show the answer as it comes; returns the last event, None if the database was away.

    GoneError: the place of the answer was deleted; what was spent is settled all the same.
    """
    painter = Painter(canvas, pacing)
    painting = asyncio.create_task(painter.run())
    try:
        return await follow(chat, ask, canvas, painter, painting)
    except TryAgainError:
        await stop(painting)
        with suppress(OutsideError):
            await canvas.reply(render.trouble())
        return None
    finally:
        await stop(painting)


async def follow(
    chat: Chat, ask: Ask, canvas: Canvas, painter: Painter, painting: asyncio.Task[None]
) -> ChatEvent | None:
    """Read the chat's events and hand each new frame to the painter."""
    text: list[str] = []
    started: Started | None = None
    event: ChatEvent | None = None
    bound = set(ask.anchors)  # while admitting; /new may have let go of them since
    async with aclosing(chat.ask(ask)) as events:
        async for event in events:
            if painting.done():
                await painting
            match event:
                case Started():
                    started = event
                    painter.show(Frame((), State.THINKING, buttons=render.stop_button(event.turn)))
                case Delta() if started:
                    text.append(event.text)
                    painter.show(writing(text, canvas, started))
                case Answered() | Failed():
                    with suppress(TryAgainError):  # it is tried again below
                        await bind(chat, ask, started, canvas, bound)
                    painter.show(ended(event, canvas))
                case Refusal():
                    await canvas.reply(render.refusal(event))
    painter.end()
    await painting
    await bind(chat, ask, started, canvas, bound)
    return event


async def bind(chat: Chat, ask: Ask, started: Started | None, canvas: Canvas, bound: set[str]) -> None:
    """Let the conversation go on at what is shown by now, before its end is seen and replied to."""
    fresh = [anchor for anchor in canvas.anchors() if anchor not in bound]
    if started and fresh:
        await chat.bind(ask.person, started.conversation, fresh)
        bound.update(fresh)


def writing(text: list[str], canvas: Canvas, started: Started) -> Frame:
    """The answer so far."""
    return Frame(
        pages("".join(text), canvas.page_limit), State.WRITING, buttons=render.stop_button(started.turn)
    )


def ended(event: Answered | Failed, canvas: Canvas) -> Frame:
    """The answer as it stays."""
    if isinstance(event, Answered):
        return Frame(
            pages(event.text, canvas.page_limit), State.DONE, render.answered_footer(event), text=event.text
        )
    words = render.failure(event)
    shown = pages(event.text, canvas.page_limit)
    return Frame((*shown, words), State.FAILED, render.failed_footer(event), text=event.text)


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it is gone."""
    task.cancel()
    await asyncio.wait({task})
