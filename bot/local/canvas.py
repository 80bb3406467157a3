"""Paints one answer into one message of the playground."""

from __future__ import annotations

from collections.abc import Sequence

from bot.local.posts import Post, Room, Spot, Wall
from bot.local.show import show
from bot.reply import Frame, Reply
from bot.words import say

PAGE_LIMIT = 1_000_000
"""The page scrolls, so an answer is never split."""


class LocalCanvas:
    """The one message of an answer, in the room it was asked in."""

    def __init__(self, wall: Wall, spot: Spot, answer: str, *, private: bool = False) -> None:
        """`answer` is the id that the message gets; a private one is seen by the asker alone."""
        self._private = private
        self._wall = wall
        self._spot = spot
        self._answer = answer
        self._painted = False

    @property
    def channel(self) -> str:
        return f"local:{self._answer}"

    @property
    def page_limit(self) -> int:
        return PAGE_LIMIT

    async def paint(self, frame: Frame) -> None:
        title = (f"**{frame.title}**",) if frame.title else ()
        text = "\n\n".join((*title, *frame.pages))
        kind = self._spot.kind(private=self._private)
        footer = say("local-reasoning") if frame.reasons else frame.footer
        await self._wall.put(Post(self._answer, self._spot, kind, text, frame.state, footer, frame.buttons))
        self._painted = True

    async def reply(self, reply: Reply) -> None:
        await show(self._wall, self._spot, [reply], self._answer)

    def anchors(self) -> Sequence[str]:
        return [message_anchor(self._answer)] if self._painted else []

    def places(self) -> Sequence[str]:
        return [dm_anchor(self._spot.person)] if self._spot.room is Room.DM else []

    def place(self) -> str | None:
        return self._answer if self._painted else None


def message_anchor(message: str) -> str:
    """A reply to this message continues its conversation."""
    return f"local:message:{message}"


def dm_anchor(person: str) -> str:
    """What is said in a person's DM continues its conversation."""
    return f"local:dm:{person}"
