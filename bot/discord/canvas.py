"""Paints one answer into Discord messages, edited as it grows."""

from __future__ import annotations

from collections.abc import Sequence

from bot.discord.posts import Post
from bot.discord.spots import Spot
from bot.discord.views import MESSAGE_LIMIT, Page
from bot.reply import Frame, Reply, State
from bot.split import marker, open_fence
from bot.words import say

FOOTER_LIMIT = 200
SMALL = "\n-# "
"""Discord's Markdown for small, grey text."""


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
        return MESSAGE_LIMIT - FOOTER_LIMIT - len(SMALL)

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
    """A frame as messages."""
    thinking = frame.state in {State.THINKING, State.WRITING}
    empty = f"-# {say('discord-thinking') if thinking else say('discord-no-words')}"
    texts = [text for text in frame.pages if text.strip()] or [empty]
    if frame.state is State.FAILED and len("\n\n".join(texts[-2:])) <= MESSAGE_LIMIT - FOOTER_LIMIT:
        texts[-2:] = ["\n\n".join(texts[-2:])]
    if frame.state is State.WRITING and (fence := open_fence(texts[-1])):
        texts[-1] += f"\n{marker(fence)}"
    if frame.footer:
        texts[-1] += f"{SMALL}{frame.footer[:FOOTER_LIMIT]}"
    return [*(Page(text) for text in texts[:-1]), Page(texts[-1], frame.buttons)]


def message_anchor(message: int) -> str:
    """The anchor of one message: a reply to it continues its conversation."""
    return f"discord:message:{message}"
