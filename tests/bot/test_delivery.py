"""Streamed answers become few frames, always the latest text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest

from bot.delivery import compare, deliver
from bot.pacing import Kind, Pace, Pacing
from bot.reply import Frame, Reply, State
from engine.domain import Answered, Duplicate, Failed, Refusal
from engine.errors import GoneError, TryAgainError
from tests.engine.conftest import ALICE, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.fakes.models import Scripted
from tests.fakes.pulse import PATIENCE

QUICKLY = Pace(channel=0.0, process=1e6)


class PaperCanvas:
    """A canvas that keeps what was painted."""

    channel = "local:general"
    page_limit = 1000

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.replies: list[Reply] = []
        self.error: Exception | None = None
        self._news = asyncio.Event()

    async def painted(self, is_it: Callable[[Frame], bool]) -> None:
        """Wait for a frame."""
        while not any(map(is_it, self.frames)):
            self._news.clear()
            await self._news.wait()

    async def paint(self, frame: Frame) -> None:
        """Keep the frame."""
        if self.error:
            raise self.error
        self.frames.append(frame)
        self._news.set()
        await asyncio.sleep(0)

    async def reply(self, reply: Reply) -> None:
        """Keep the reply."""
        self.replies.append(reply)

    def anchors(self) -> Sequence[str]:
        """One message."""
        return ("local:message:1",)

    def places(self) -> Sequence[str]:
        """A channel, where nothing goes on by itself."""
        return ()

    def place(self) -> str | None:
        """The message."""
        return "1"


async def test_the_last_frame_is_the_whole_answer_with_its_footer(hall: Hall) -> None:
    canvas = PaperCanvas()
    end = await deliver(hall.chat(), hall.ask(), canvas, Pacing(QUICKLY))
    assert isinstance(end, Answered)
    assert canvas.frames[0].state in {State.THINKING, State.WRITING}
    last = canvas.frames[-1]
    assert (last.pages, last.state) == (("Hello there.",), State.DONE)
    assert last.footer == "quick · conversation 1 of 3 today"
    assert [button.label for button in last.buttons] == ["Regenerate", "Other model"]


async def test_a_reply_to_the_answer_continues_its_conversation(hall: Hall) -> None:
    chat = hall.chat()
    await deliver(chat, hall.ask(), PaperCanvas(), Pacing(QUICKLY))
    end = await deliver(chat, hall.ask(anchors=("local:message:1",)), PaperCanvas(), Pacing(QUICKLY))
    assert isinstance(end, Answered)
    assert end.standing.turn == 2


class EagerCanvas(PaperCanvas):
    """A canvas before somebody who replies at once when an answer has come to its end."""

    def __init__(self, hall: Hall) -> None:
        super().__init__()
        self._hall = hall
        self.next: object = None

    async def paint(self, frame: Frame) -> None:
        """Keep the frame, and reply to the last one."""
        await super().paint(frame)
        if frame.state is State.DONE:
            ask = self._hall.ask(anchors=("local:message:1",))
            self.next = await deliver(self._hall.chat(), ask, PaperCanvas(), Pacing(QUICKLY))


async def test_whoever_replies_as_soon_as_the_end_is_seen_goes_on(hall: Hall) -> None:
    canvas = EagerCanvas(hall)
    await deliver(hall.chat(), hall.ask(), canvas, Pacing(QUICKLY))
    assert isinstance(canvas.next, Answered)
    assert canvas.next.standing.turn == 2


async def test_fast_text_makes_few_paints_and_the_last_is_the_latest(hall: Hall) -> None:
    hall.one = Scripted(words=tuple(f"{n} " for n in range(200)))
    canvas = PaperCanvas()
    await deliver(hall.chat(), hall.ask(), canvas, Pacing(Pace(channel=0.05, process=1e6)))
    assert len(canvas.frames) < 20
    assert canvas.frames[-1].pages == ("".join(hall.one.words),)


async def test_a_refusal_is_a_reply_and_nothing_is_painted(hall: Hall) -> None:
    canvas = PaperCanvas()
    end = await deliver(hall.chat(), hall.ask(model="deep"), canvas, Pacing(QUICKLY))
    assert isinstance(end, Refusal)
    assert not canvas.frames
    assert "Premium" in canvas.replies[0].text
    assert canvas.replies[0].buttons[0].action == "upgrade:premium:month"


async def test_a_repeated_message_shows_nothing(hall: Hall) -> None:
    chat, canvas = hall.chat(), PaperCanvas()
    await deliver(chat, hall.ask(key="local:1"), PaperCanvas(), Pacing(QUICKLY))
    assert isinstance(await deliver(chat, hall.ask(key="local:1"), canvas, Pacing(QUICKLY)), Duplicate)
    assert not canvas.frames
    assert not canvas.replies


async def test_a_failure_is_told_and_said_not_to_count(hall: Hall) -> None:
    hall.one = Scripted(errors=[TryAgainError("busy")] * 2)
    hall.two = Scripted(errors=[TryAgainError("busy")] * 3)
    canvas = PaperCanvas()
    end = await deliver(hall.chat(), hall.ask(), canvas, Pacing(QUICKLY))
    assert isinstance(end, Failed)
    assert canvas.frames[-1].state is State.FAILED
    assert "not counted" in canvas.frames[-1].footer


async def test_a_deleted_place_ends_the_models_request(hall: Hall) -> None:
    hall.one = Scripted(pause=1)
    canvas = PaperCanvas()
    canvas.error = GoneError("deleted")
    delivering = asyncio.create_task(deliver(hall.chat(), hall.ask(), canvas, Pacing(QUICKLY)))
    await hall.one.waiting.wait()
    hall.one.go.set()
    with pytest.raises(GoneError):
        await delivering
    assert hall.one.closed == 1


async def test_a_database_that_is_away_is_said_in_words(hall: Hall) -> None:
    canvas, chat = PaperCanvas(), hall.chat()
    await hall.store.close()
    assert await deliver(chat, hall.ask(person=ALICE), canvas, Pacing(QUICKLY)) is None
    assert "try again" in canvas.replies[0].text


class DmCanvas(PaperCanvas):
    """A canvas in a DM."""

    def places(self) -> Sequence[str]:
        """The DM."""
        return ("local:dm:alice",)


async def test_a_new_conversation_wished_for_during_an_answer_begins_all_the_same(hall: Hall) -> None:
    dm = ("local:dm:alice",)
    hall.one.pause = 1
    chat = hall.chat()
    first = asyncio.create_task(deliver(chat, hall.ask(anchors=dm), DmCanvas(), Pacing(QUICKLY)))
    await hall.one.waiting.wait()
    await chat.forget(ALICE, dm)
    hall.one.go.set()
    await first
    end = await deliver(chat, hall.ask(anchors=dm), DmCanvas(), Pacing(QUICKLY))
    assert isinstance(end, Answered)
    assert end.standing.turn == 1


async def test_who_is_cancelled_in_the_moment_of_their_turn_holds_up_nobody() -> None:
    pacing = Pacing(Pace(channel=0.02, process=1e6))
    async with pacing.turn("here", Kind.PASSING):
        pass

    async def wait() -> None:
        async with pacing.turn("here", Kind.PASSING):
            pass

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    time.sleep(0.05)  # noqa: ASYNC251 - so that the turn has come before the cancelled task is woken
    async with asyncio.timeout(PATIENCE), pacing.turn("here", Kind.PASSING):
        pass
    assert waiting.cancelled()


async def test_that_a_model_reasons_is_a_frame_without_text_that_its_text_replaces(hall: Hall) -> None:
    hall.one = Scripted(thoughts=9, pause=0, pensive=True)
    canvas = PaperCanvas()
    delivering = asyncio.create_task(deliver(hall.chat(), hall.ask(), canvas, Pacing(QUICKLY)))
    await hall.one.waiting.wait()
    await canvas.painted(lambda frame: frame.reasons)
    reasoning = [frame for frame in canvas.frames if frame.reasons]
    assert [(frame.pages, frame.state) for frame in reasoning] == [((), State.THINKING)]
    assert len(canvas.frames) <= 2
    hall.one.go.set()
    assert isinstance(await delivering, Answered)
    assert [frame for frame in canvas.frames if frame.reasons] == reasoning
    assert canvas.frames[-1].pages == ("Hello there.",)


async def test_in_a_comparison_each_model_is_said_to_reason_by_itself(hall: Hall) -> None:
    hall.free(compare=2)
    hall.one = Scripted(thoughts=3, pause=0)
    canvases = [PaperCanvas() for _ in range(4)]
    asking = compare(hall.chat(), hall.ask(), ["quick", "spare"], canvases, Pacing(QUICKLY))
    comparing = asyncio.create_task(asking)
    await canvases[0].painted(lambda frame: frame.reasons)
    await canvases[1].painted(lambda frame: frame.state is State.DONE)
    assert not any(frame.reasons for frame in canvases[1].frames)
    hall.one.go.set()
    assert len(await comparing) == 2
