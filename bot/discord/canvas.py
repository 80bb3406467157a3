"""Paints one answer into Discord messages, edited as it grows."""

from __future__ import annotations

from collections.abc import Sequence

from bot.discord.disarm import disarmed
from bot.discord.posts import Post
from bot.discord.spots import Spot
from bot.discord.views import SMALL, TEXT_LIMIT, Page
from bot.reply import Frame, Reply, State
from bot.words import say

FOOTER_LIMIT = 250
PAGE_LIMIT = TEXT_LIMIT - FOOTER_LIMIT - len(SMALL)
"""Characters of a model's text in a message."""


class DiscordCanvas:
    """The messages of one answer; the last of them carries the buttons and the footer."""

    def __init__(self, spot: Spot) -> None:
        self._spot = spot
        self._shown: list[tuple[Post, Page]] = []

    @property
    def channel(self) -> str:
        return self._spot.clock

    @property
    def page_limit(self) -> int:
        return PAGE_LIMIT

    async def paint(self, frame: Frame) -> None:
        wanted = of_frame(frame)
        for number, page in enumerate(wanted):
            if number == len(self._shown):
                self._shown.append((await self._spot.post(page), page))
            elif self._shown[number][1] != page:
                post = self._shown[number][0]
                await post.edit(page)
                self._shown[number] = (post, page)
        while len(self._shown) > len(wanted):
            post, _ = self._shown.pop()
            await post.delete()

    async def reply(self, reply: Reply) -> None:
        await self._spot.show(reply)

    def anchors(self) -> Sequence[str]:
        return [*(message_anchor(post.id) for post, _ in self._shown), *self._spot.anchors]


def of_frame(frame: Frame) -> Sequence[Page]:
    """A frame as messages; none of them stands there as if the bot itself had said it."""
    texts = [text.rstrip() for text in frame.pages if text.strip()]
    notice = texts.pop() if frame.state is State.FAILED and texts else ""
    last = texts.pop() if texts else ""
    first = [Page(disarmed(text, PAGE_LIMIT), footer=say("discord-continues")) for text in texts]
    return [*first, Page(disarmed(last, PAGE_LIMIT), notice, footer(frame, last), frame.buttons)]


def footer(frame: Frame, text: str) -> str:
    """How far the answer is, and what is said of it."""
    words = {
        State.THINKING: say("discord-thinking"),
        State.WRITING: say("discord-writing") if text else say("discord-thinking"),
        State.DONE: "" if text else say("discord-no-words"),
        State.STOPPED: say("discord-stopped"),
        State.FAILED: say("discord-failed"),
    }
    return " · ".join(filter(None, (words[frame.state], frame.footer)))[:FOOTER_LIMIT]


def message_anchor(message: int) -> str:
    """The anchor of one message: a reply to it continues its conversation."""
    return f"discord:message:{message}"
