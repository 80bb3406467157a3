"""One question's way through a surface: events in, frames out, always the latest text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from functools import partial
from typing import Self

from bot import render
from bot.pacing import Kind, Pacing, Turn
from bot.reply import ENDS, Canvas, Frame, Reply, State
from bot.split import Pager, pages
from engine.chat import Chat
from engine.domain import Answered, Ask, ChatEvent, Delta, Failed, FailureReason, Refusal, Started
from engine.errors import OutsideError, TryAgainError
from engine.models import Thinking

log = logging.getLogger("bot")

Draw = Callable[[], Frame]
LAST_TRIES = (1.0, 3.0, 8.0)
"""Seconds to wait before each new try to paint a last frame."""


class Painter:
    """Paints the newest frame whenever the channel's turn has come; the last one is always painted.

    While Discord or Slack lets us wait, frames replace each other; so nothing stale is painted afterwards.
    """

    def __init__(self, canvas: Canvas, pacing: Pacing) -> None:
        self._canvas = canvas
        self._pacing = pacing
        self._newest: tuple[State, Draw] | None = None
        self._changed = asyncio.Event()
        self._ended = False
        self._turn: Turn | None = None
        self._shown: State | None = None
        self._began = asyncio.get_running_loop().time()

    def show(self, state: State, draw: Draw) -> None:
        """Let this be painted next; `draw` makes the frame, of this state, when its turn has come."""
        if state is State.THINKING and not (self._newest or self._shown):
            self._began = asyncio.get_running_loop().time()
        self._newest = (state, draw)
        self._changed.set()
        if self._turn:
            self._turn.hasten(*self._urgency(state))

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
                await self._paint_in_turn(self._newest[0])

    async def _paint_in_turn(self, state: State) -> None:
        kind, wait = self._urgency(state)
        self._turn = self._pacing.turn(self._canvas.channel, kind, wait, posts=self._shown is None)
        async with self._turn:
            self._turn, newest, self._newest = None, self._newest, None
            if newest:
                await (self._paint_last if newest[0] in ENDS else self._paint_passing)(newest[1]())

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
        pace = self._pacing.pace
        if state is State.THINKING:
            return Kind.THINKING, pace.thinking
        if self._shown is State.THINKING:
            age = asyncio.get_running_loop().time() - self._began
            return Kind.FIRST, max(pace.linger, min(pace.thinking / 3, pace.thinking * 4 / 3 - age))
        return (Kind.FIRST, pace.linger) if self._shown is None else (Kind.PASSING, 0.0)


class Kept:
    """A canvas whose messages go on with the conversation from the moment they are shown."""

    def __init__(self, chat: Chat, ask: Ask, canvas: Canvas) -> None:
        self._chat = chat
        self._person = ask.person
        self._canvas = canvas
        self._bound = {*ask.anchors}  # while admitting; /new may have let go of them since
        self._started: Started | None = None
        self._place: str | None = None

    @property
    def channel(self) -> str:
        return self._canvas.channel

    @property
    def page_limit(self) -> int:
        return self._canvas.page_limit

    def begin(self, started: Started) -> None:
        """From now on there is a conversation to go on with."""
        self._started = started

    async def paint(self, frame: Frame) -> None:
        """Paint; what is shown is bound before and after, as somebody may reply to it at once."""
        with suppress(TryAgainError):  # it is tried again
            await self.bind()
        await self._canvas.paint(frame)
        with suppress(TryAgainError):
            await self.bind()

    async def reply(self, reply: Reply) -> None:
        await self._canvas.reply(reply)

    async def bind(self) -> None:
        """Let the conversation go on at what is shown by now. TryAgainError: the database is away."""
        shown = [anchor for anchor in self._canvas.anchors() if anchor not in self._bound]
        places = [anchor for anchor in self._canvas.places() if anchor not in self._bound]
        at = self._canvas.place()
        if self._started and (shown or places or at != self._place):
            turn = self._started.turn
            await self._chat.bind(
                self._person, self._started.conversation, shown, turn, places=places, shown_at=at
            )
            self._bound.update(shown, places)
            self._place = at

    def anchors(self) -> Sequence[str]:
        return self._canvas.anchors()

    def places(self) -> Sequence[str]:
        return self._canvas.places()

    def place(self) -> str | None:
        return self._canvas.place()


class Showing:
    """One answer on its way to its canvas, event by event; painted in a task of its own while entered."""

    def __init__(self, canvas: Kept, pacing: Pacing, *, compared: bool = False) -> None:
        self._canvas = canvas
        self._compared = compared
        self._painter = Painter(canvas, pacing)
        self._painting: asyncio.Task[None] | None = None
        self._started: Started | None = None
        self._pager = Pager(canvas.page_limit)
        self._reasons = False

    async def __aenter__(self) -> Self:
        """Begin to paint."""
        self._painting = asyncio.create_task(self._painter.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End painting, finished or not."""
        await self.stop()

    async def take(self, event: ChatEvent) -> None:
        """Show what happened. GoneError: the place of the answer was deleted."""
        if self._painting and self._painting.done():
            await self._painting
        match event:
            case Started():
                self._started = event
                self._canvas.begin(event)
                self._painter.show(State.THINKING, partial(self._unfinished, State.THINKING))
            case Thinking():
                self._reasons = True
                self._painter.show(State.THINKING, partial(self._unfinished, State.THINKING))
            case Delta():
                self._pager.add(event.text)
                self._painter.show(State.WRITING, partial(self._unfinished, State.WRITING))
            case Answered() | Failed():
                frame = self._ended(event)
                self._painter.show(frame.state, lambda: frame)
            case Refusal():
                await self._canvas.reply(render.refusal(event))

    async def end(self) -> None:
        """Paint the last frame, and let the conversation go on there."""
        self._painter.end()
        if self._painting:
            await self._painting
        await self._canvas.bind()

    async def stop(self) -> None:
        """Paint no more."""
        if self._painting:
            self._painting.cancel()
            await asyncio.wait({self._painting})

    def _unfinished(self, state: State) -> Frame:
        buttons = render.stop_button(self._started.turn) if self._started else ()
        reasons = self._reasons and state is State.THINKING
        return Frame(self._pager.pages(), state, buttons=buttons, title=self._title(), reasons=reasons)

    def _ended(self, event: Answered | Failed) -> Frame:
        frame = ended(event, self._canvas.page_limit)
        if not self._compared:
            return frame
        if isinstance(event, Answered):
            buttons, footer = render.keep_button(event.turn), render.compared_footer(event)
            frame = replace(frame, footer=footer, buttons=buttons)
        return replace(frame, title=event.model)

    def _title(self) -> str:
        return self._started.model if self._compared and self._started else ""


async def deliver(chat: Chat, ask: Ask, canvas: Canvas, pacing: Pacing) -> ChatEvent | None:
    """Ask and show the answer as it comes; returns the last event, None if the database was away.

    GoneError: the place of the answer was deleted; what was spent is settled all the same.
    """
    async with Showing(Kept(chat, ask, canvas), pacing) as showing:
        event: ChatEvent | None = None
        try:
            async with aclosing(chat.ask(ask)) as events:
                async for event in events:
                    await showing.take(event)
            await showing.end()
        except TryAgainError:
            await showing.stop()
            await say_trouble(canvas)
            return None
        return event


async def compare(
    chat: Chat, ask: Ask, models: Sequence[str], canvases: Sequence[Canvas], pacing: Pacing
) -> Sequence[ChatEvent]:
    """Ask several models and show each answer on the canvas of its number; the last event of each.

    There have to be as many canvases as can be compared (`engine.comparison.MOST`); those that are not needed
    stay blank. A refusal is shown by the first. Raises as `deliver` does.
    """
    last: dict[int, ChatEvent] = {}
    async with AsyncExitStack() as stack:
        showings = [Showing(Kept(chat, ask, canvas), pacing, compared=True) for canvas in canvases]
        try:
            async with aclosing(chat.compare(ask, models)) as events:
                async for found in events:
                    number, event = found if isinstance(found, tuple) else (0, found)
                    if number not in last:
                        await stack.enter_async_context(showings[number])
                    last[number] = event
                    await showings[number].take(event)
            for number in last:
                await showings[number].end()
        except TryAgainError:
            for number in last:
                await showings[number].stop()
            await say_trouble(canvases[0])
    return [last[number] for number in sorted(last)]


async def say_trouble(canvas: Canvas) -> None:
    """Tell that the database is away."""
    with suppress(OutsideError):
        await canvas.reply(render.trouble())


def ended(event: Answered | Failed, page_limit: int) -> Frame:
    """The answer as it stays."""
    shown, buttons = pages(event.text, page_limit), render.after_buttons(event)
    if isinstance(event, Answered):
        footer = render.answered_footer(event)
        return Frame(shown, State.DONE, footer, buttons, event.text, rated=event.turn)
    state = State.STOPPED if event.reason is FailureReason.STOPPED else State.FAILED
    words = render.failure(event)
    return Frame((*shown, words), state, render.failed_footer(event), buttons, event.text)
