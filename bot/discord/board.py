"""A comparison on Discord: one message, with a section for each model that answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from bot.discord.canvas import footer, parted
from bot.discord.disarm import disarmed
from bot.discord.posts import Post, place_of
from bot.discord.rests import Rests
from bot.discord.spots import Spot, Upkeep
from bot.discord.views import SMALL, TEXT_LIMIT, Page, Section
from bot.pacing import Kind, Pacing
from bot.reply import RUNNING, Frame, Reply
from bot.split import open_fence, pages, utf16
from bot.words import say
from engine.errors import OutsideError

WHOLE = 1_000_000
"""Nothing is split before the sections are: a model's answer is shorter."""
TITLE_LIMIT, FOOTER_LIMIT, NOTICE_LIMIT = 60, 120, 160
LEAST_ROOM = 100
OPENING_ROOM = 120
"""What of the newest part is kept for the lines that open and close a fence."""
MORE = "…\n"
"""Stands before the newest part of a text."""
STOP = "stop:"
UNSAFE = re.compile(r"[^\w.-]", re.ASCII)


class Board:
    """The message of a comparison, painted by all of its sections together."""

    def __init__(self, spot: Spot, rests: Rests, pacing: Pacing, most: int) -> None:
        """`most`: how many sections there can be; those that nothing is painted in do not show."""
        self._spot = spot
        self._rests = rests
        self._pacing = pacing
        self._upkeep = Upkeep()
        self._frames: dict[int, Frame] = {}
        self._turns = [""] * most
        self._post: Post | None = None
        self._newest = self._painted = 0
        self._waits = False
        self._lock = asyncio.Lock()
        self.sections = tuple(SectionCanvas(self, number) for number in range(most))

    @property
    def clock(self) -> str:
        """The clock of its place."""
        return self._spot.clock

    @property
    def private(self) -> bool:
        """Whether only its asker sees it."""
        return self._spot.private

    @property
    def place(self) -> str | None:
        """Where it is found again, with the turns that are known."""
        reach = self._spot.reach
        if reach is None or self._post is None:
            return None
        return place_of(reach, self._post.id, self._spot.owner, self._turns)

    async def paint(self, number: int, frame: Frame) -> None:
        """Show a section's newest frame; one edit shows all that came meanwhile."""
        self._frames[number] = frame
        self._note_turn(number, frame)
        self._newest += 1
        mine = self._newest
        async with self._lock:
            if self._painted < mine and not self._waits:
                async with self._pacing.turn(
                    self._spot.clock, self._urgency(frame), posts=self._post is None
                ):
                    shown = self._newest
                    await self._show()
                    self._painted = shown

    async def go_on(self, spot: Spot) -> None:
        """Go on at a new place."""
        async with self._lock:
            self._spot, self._waits, self._post = spot, False, None
            try:
                await self._show()
            except OutsideError:
                self._waits = True
                raise

    async def reply(self, reply: Reply) -> None:
        """Show a reply in place of the comparison."""
        await self._spot.show(reply)

    def _note_turn(self, number: int, frame: Frame) -> None:
        """Remember which turn a section shows: what stops it tells."""
        found = ((button.action or "").partition(STOP)[2] for button in frame.buttons)
        self._turns[number] = next(filter(None, found), self._turns[number])

    def _urgency(self, frame: Frame) -> Kind:
        if frame.state not in RUNNING:
            return Kind.LAST
        return Kind.FIRST if self._post is None else Kind.PASSING

    async def _show(self) -> None:
        page = of_frames([self._frames[number] for number in sorted(self._frames)])
        waits = self._spot.closing and any(frame.state in RUNNING for frame in self._frames.values())
        if waits:
            page = replace(page, notice=say("discord-rest"), buttons=(self._rests.keep(self), *page.buttons))
        if self._post is None:
            self._post = await self._spot.post(page)
        else:
            self._post = await self._upkeep.edit(self._spot, self._post, page)
        self._waits = waits


class SectionCanvas:
    """The canvas of one answer of a comparison. Only `keep` lets a conversation go on at the message."""

    def __init__(self, board: Board, number: int) -> None:
        self._board = board
        self._number = number

    @property
    def channel(self) -> str:
        """A clock of its own, since the board has one for all."""
        return f"{self._board.clock}:{self._number}"

    @property
    def page_limit(self) -> int:
        return WHOLE

    async def paint(self, frame: Frame) -> None:
        await self._board.paint(self._number, frame)

    async def reply(self, reply: Reply) -> None:
        await self._board.reply(reply)

    def anchors(self) -> Sequence[str]:
        return ()

    def places(self) -> Sequence[str]:
        return ()

    def place(self) -> str | None:
        return self._board.place


def of_frames(frames: Sequence[Frame]) -> Page:
    """The frames as one message; what is cut of a finished answer comes as a file when all are finished.

    Whatever stops one answer stops all, so a single button does.
    """
    bare = [heading(frame) for frame in frames]
    texts = ["\n\n".join(parted(frame).texts) for frame in frames]
    wanted = [need(text) for text in texts]
    rooms = shares(wanted, TEXT_LIMIT - NOTICE_LIMIT - sum(weight(section) for section in bare))
    cut = [need > room for need, room in zip(wanted, rooms, strict=True)]
    ended = all(frame.state not in RUNNING for frame in frames)
    files = [
        (file_name(number, frame), (frame.text or text).encode())
        for number, (frame, text) in enumerate(zip(frames, texts, strict=True))
        if ended and cut[number]
    ]
    filled = map(fill, bare, frames, texts, rooms, cut)
    stop = next((frame.buttons for frame in frames if frame.state in RUNNING), ())
    return Page(sections=tuple(filled), buttons=stop, files=tuple(files))


def heading(frame: Frame) -> Section:
    """A frame's section without its text."""
    parts = parted(frame)
    below = footer(frame, "".join(parts.texts), parts.told).removeprefix(f"{frame.title} · ")[:FOOTER_LIMIT]
    buttons = () if frame.state in RUNNING else frame.buttons[:1]  # 40 components have to do for all
    return Section(frame.title[:TITLE_LIMIT], "", parts.notice[:NOTICE_LIMIT], below, buttons)


def fill(section: Section, frame: Frame, text: str, room: int, cut: bool) -> Section:  # noqa: FBT001 - mapped
    """The section with as much of its text as there is room for: while it is written, the newest."""
    if not cut:
        return replace(section, text=disarmed(text, room))
    if frame.state in RUNNING:
        return replace(section, text=disarmed(newest(text, room), room))
    footer = " · ".join(filter(None, (section.footer, say("discord-cut"))))
    return replace(section, text=disarmed(first(text, room), room), footer=footer)


def need(text: str) -> int:
    """How much room a text takes, as far as a message has any."""
    return utf16(disarmed(text, WHOLE)) if len(text) <= TEXT_LIMIT else TEXT_LIMIT + 1


def weight(section: Section) -> int:
    """Characters of a section without its text, with the word that it is cut."""
    words = (f"**{section.title}**", f"{SMALL}{section.footer}", section.notice, f" · {say('discord-cut')}")
    return sum(utf16(each) for each in words)


def file_name(number: int, frame: Frame) -> str:
    """What the file with a section's whole answer is called."""
    return f"{number + 1}-{UNSAFE.sub('-', frame.title)}.md"


def shares(wanted: Sequence[int], room: int) -> Sequence[int]:
    """How much of the room each gets: what one does not need is the others'."""
    given = [0] * len(wanted)
    left = sorted(range(len(wanted)), key=lambda number: wanted[number])
    while left:
        number = left.pop(0)
        given[number] = min(wanted[number], room // (len(left) + 1))
        room -= given[number]
    return given


def first(text: str, room: int) -> str:
    """The beginning of a text, whole where there is room."""
    return next(iter(pages(text[: 2 * TEXT_LIMIT], max(room, LEAST_ROOM))), "")


def newest(text: str, room: int) -> str:
    """The end of a text that is too long; a fence that is open where it begins is opened again."""
    characters = (room - OPENING_ROOM) // (1 if text.isascii() else 2)
    at = len(text) - max(characters, 1)
    at = text.find("\n", at, at + characters // 2) + 1 or at
    fence = open_fence(text[:at])
    head = f"{MORE}{fence}\n" if fence else MORE
    return first(f"{head}{text[at:]}", room)
