"""One question's way through a surface: events in, frames out, always the latest text."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

from bot import render
from bot.pacing import Pacing
from bot.reply import Canvas, Frame, State
from bot.split import pages
from engine.chat import Chat
from engine.domain import Answered, Ask, ChatEvent, Delta, Failed, Refusal, Started
from engine.errors import OutsideError, TryAgainError


class Painter:
    """Paints the newest frame whenever the channel's clock allows; the last one is always painted."""

    def __init__(self, canvas: Canvas, pacing: Pacing) -> None:
        self._canvas = canvas
        self._pacing = pacing
        self._newest: Frame | None = None
        self._changed = asyncio.Event()
        self._last = False

    def show(self, frame: Frame) -> None:
        """Let this be the frame that is painted next."""
        self._newest = frame
        self._changed.set()

    def end(self) -> None:
        """There will be no more frames."""
        self._last = True
        self._changed.set()

    async def run(self) -> None:
        """Paint until the last frame is painted."""
        while True:
            await self._changed.wait()
            if self._newest is not None:
                await self._pacing.moment(self._canvas.channel)
            self._changed.clear()
            frame, self._newest = self._newest, None
            if frame is not None:
                await self._canvas.paint(frame)
            if self._last and self._newest is None:
                return


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
        return Frame(pages(event.text, canvas.page_limit), State.DONE, render.answered_footer(event))
    words = render.failure(event)
    shown = pages(event.text, canvas.page_limit)
    return Frame((*shown, words), State.FAILED, render.failed_footer(event))


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it is gone."""
    task.cancel()
    await asyncio.wait({task})
