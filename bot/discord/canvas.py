"""Paints one answer into Discord messages, edited as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.discord.disarm import disarmed
from bot.discord.posts import Post, place_of
from bot.discord.rests import Rests
from bot.discord.spots import Spot, Upkeep
from bot.discord.views import SMALL, TEXT_LIMIT, Page
from bot.discord.wire import FullError
from bot.reply import RUNNING, Frame, Reply, State
from bot.words import say
from engine.errors import OutsideError

FOOTER_LIMIT = NOTICE_LIMIT = 200
ROOM = TEXT_LIMIT - FOOTER_LIMIT - len(SMALL) - NOTICE_LIMIT
"""Characters that are left for a model's text."""
PAGE_LIMIT = ROOM - 250
"""So that a dozen links can be followed by their hosts."""
SHORT = 3
"""Messages beyond which an answer comes as a file too."""
FILE_NAME = "answer.md"


class DiscordCanvas:
    """The messages of one answer; the last of them carries the buttons and the footer.

    A message that is deleted meanwhile is written anew, once. Where a place takes no more and the bot itself
    is not there, the answer waits behind a button, whose press opens a new place for it.
    """

    def __init__(self, spot: Spot, rests: Rests) -> None:
        self._spot = spot
        self._rests = rests
        self._shown: list[tuple[Post, Page]] = []
        self._left = 0
        """Messages at earlier places, which are as they stay."""
        self._upkeep = Upkeep()
        self._waits = False
        self._frame = Frame((), State.THINKING)
        self._lock = asyncio.Lock()

    @property
    def channel(self) -> str:
        return self._spot.clock

    @property
    def private(self) -> bool:
        """Whether only its asker sees it."""
        return self._spot.private

    @property
    def page_limit(self) -> int:
        return PAGE_LIMIT

    async def paint(self, frame: Frame) -> None:
        async with self._lock:
            self._frame = frame
            if not self._waits:
                await self._paint()

    async def go_on(self, spot: Spot) -> None:
        """Go on at a new place, from the message that was not complete at the last one."""
        async with self._lock:
            self._spot, self._waits = spot, False
            del self._shown[self._left :]
            try:
                await self._paint()
            except OutsideError:
                self._waits = True
                raise

    async def reply(self, reply: Reply) -> None:
        await self._spot.show(reply)

    def anchors(self) -> Sequence[str]:
        return [message_anchor(post.id) for post, _ in self._shown]

    def places(self) -> Sequence[str]:
        return self._spot.anchors

    def place(self) -> str | None:
        reach = self._spot.reach
        return place_of(reach, self._shown[-1][0].id, self._spot.owner) if reach and self._shown else None

    async def _paint(self) -> None:
        wanted = of_frame(self._frame)
        if self._spot.closing and self._frame.state in RUNNING:
            await self._wait(wanted)
            return
        try:
            await self._make(wanted)
        except FullError:
            await self._wait(wanted)

    async def _make(self, wanted: Sequence[Page]) -> None:
        for number, page in enumerate(wanted[self._left :], self._left):
            if number == len(self._shown):
                self._shown.append((await self._spot.post(page), page))
            elif self._shown[number][1] != page:
                self._shown[number] = (
                    await self._upkeep.edit(self._spot, self._shown[number][0], page),
                    page,
                )
        while len(self._shown) > max(len(wanted), self._left):
            post, _ = self._shown.pop()
            await post.delete()

    async def _wait(self, wanted: Sequence[Page]) -> None:
        """Say in the last message that the rest is behind a button."""
        last = len(self._shown) - 1
        complete = last < len(wanted) - 1
        running = self._frame.buttons if self._frame.state in RUNNING else ()
        buttons = (self._rests.keep(self), *running)
        page = replace(wanted[max(last, 0)], notice=say("discord-rest"), buttons=buttons, files=())
        if last < self._left:
            self._shown.append((await self._spot.post(page), page))
        else:
            await self._shown[last][0].edit(page)
            self._left = last + 1 if complete else last
        self._waits = True


@dataclass(frozen=True, slots=True)
class Parts:
    """What a frame's pages are."""

    texts: tuple[str, ...]
    told: str = ""
    """What became of an answer that was stopped or failed, in our own words."""
    notice: str = ""
    """That again, if it belongs in a box."""


def parted(frame: Frame) -> Parts:
    """A frame's pages, the model's and ours apart."""
    texts = [text.rstrip() for text in frame.pages if text.strip()]
    told = texts.pop() if frame.state in {State.STOPPED, State.FAILED} and texts else ""
    return Parts(tuple(texts), told, told[:NOTICE_LIMIT] if frame.state is State.FAILED else "")


def of_frame(frame: Frame) -> Sequence[Page]:
    """A frame as messages; none of them stands there as if the bot itself had said it."""
    parts = parted(frame)
    last = parts.texts[-1] if parts.texts else ""
    first = [Page(disarmed(text, ROOM), footer=say("discord-continues")) for text in parts.texts[:-1]]
    long = len(first) >= SHORT and frame.state not in RUNNING
    files = ((FILE_NAME, frame.text.encode()),) if long and frame.text else ()
    below = footer(frame, last, parts.told)
    return [*first, Page(disarmed(last, ROOM), parts.notice, below, frame.buttons, files)]


def footer(frame: Frame, text: str, told: str) -> str:
    """How far the answer is, and what is said of it; `told` is what became of one that was stopped."""
    words = {
        State.THINKING: say("discord-reasoning") if frame.reasons else say("discord-thinking"),
        State.WRITING: say("discord-writing") if text else say("discord-thinking"),
        State.DONE: "" if text else say("discord-no-words"),
        State.STOPPED: told,
        State.FAILED: say("discord-failed"),
    }
    return " · ".join(filter(None, (words[frame.state], frame.footer)))[:FOOTER_LIMIT]


def message_anchor(message: int) -> str:
    """The anchor of one message: a reply to it continues its conversation."""
    return f"discord:message:{message}"
