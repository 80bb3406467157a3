"""Paints one answer into Slack messages, edited as it grows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.reply import Frame, Reply, State
from bot.slack.blocks import PAGE_LIMIT, Block, Content, of_frame
from bot.slack.spot import Spot, show_privately, whisper
from bot.slack.workspace import Workspace
from bot.words import say
from engine.errors import GoneError, TryAgainError

log = logging.getLogger("bot.slack")

LAST_TRIES = (1.0, 3.0, 8.0)
"""Seconds to wait before each new try to paint a last frame."""
WHISPERED_PAGES = 4
"""A response_url works five times, and one use is the note that says why the answer is private."""


@dataclass(slots=True)
class Painted:
    """A message as it was last painted."""

    ts: str
    content: Content


class SlackCanvas:
    """The messages of one answer: in the thread it was asked in, in a DM, or a new thread after a command.

    Where we may not post, the asker gets the complete answer privately instead.
    """

    def __init__(self, workspace: Workspace, spot: Spot, above: Sequence[Block] = ()) -> None:
        """`above` stands over the first message."""
        self._workspace = workspace
        self._spot = spot
        self._above = above
        self._painted: list[Painted] = []
        self._private = False

    @property
    def channel(self) -> str:
        """A clock for each answer: what Slack limits is the workspace's edits, and `Budget` counts those."""
        return f"slack:{self._spot.channel}:{id(self)}"

    @property
    def page_limit(self) -> int:
        return PAGE_LIMIT

    async def paint(self, frame: Frame) -> None:
        if frame.state in {State.DONE, State.FAILED}:
            await self._paint_last(frame)
        elif not self._private and (not self._painted or self._workspace.budget.allows()):
            try:
                await self._paint(frame, hasty=True)
            except TryAgainError as error:
                log.info("a text on its way was skipped", extra={"why": str(error)})
                self._workspace.budget.rest(error.retry_after or 0)

    async def reply(self, reply: Reply) -> None:
        await show_privately(self._workspace, self._spot, [reply])

    def anchors(self) -> Sequence[str]:
        place = self._spot
        if place.thread_ts:
            return [self._workspace.anchor(place.channel, place.thread_ts)]
        if place.is_dm:
            own = [self._workspace.anchor(place.channel, each.ts) for each in self._painted]
            return [*own, self._workspace.anchor(place.channel)]
        return [self._workspace.anchor(place.channel, each.ts) for each in self._painted[:1]]

    async def _paint_last(self, frame: Frame) -> None:
        """What has to be seen: tried again until it is."""
        for wait in LAST_TRIES:
            try:
                return await self._paint(frame, hasty=False)
            except TryAgainError as error:
                log.warning("the end of an answer waits for Slack", extra={"why": str(error)})
                await asyncio.sleep(max(wait, error.retry_after or 0))
        return await self._paint(frame, hasty=False)

    async def _paint(self, frame: Frame, *, hasty: bool) -> None:
        contents = of_frame(frame, self._above)
        if not self._private:
            await self._paint_openly(contents, hasty=hasty)
        if self._private and not hasty:
            for content in contents[:WHISPERED_PAGES]:
                await whisper(self._workspace, self._spot, content)

    async def _paint_openly(self, contents: Sequence[Content], *, hasty: bool) -> None:
        for number, content in enumerate(contents):
            if number < len(self._painted):
                await self._repaint(self._painted[number], content, hasty=hasty)
            elif not await self._post(content):
                return
        for surplus in self._painted[len(contents) :]:
            await self._workspace.delete(self._spot.channel, surplus.ts)
        del self._painted[len(contents) :]

    async def _repaint(self, painted: Painted, content: Content, *, hasty: bool) -> None:
        if painted.content == content:
            return
        self._workspace.budget.spend(1)
        await self._workspace.update(self._spot.channel, painted.ts, content, hasty=hasty)
        painted.content = content

    async def _post(self, content: Content) -> bool:
        """Post a page behind those that are there; False if we may not, and then the canvas is private."""
        thread = self._spot.thread_ts
        if self._painted and not (thread or self._spot.is_dm):
            thread = self._painted[0].ts
        try:
            ts = await self._workspace.post(self._spot.channel, content, thread)
        except GoneError:
            if self._painted or not self._spot.response_url:
                raise
            self._private = True
            await self.reply(Reply(say("slack-not-a-member")))
            return False
        self._painted.append(Painted(ts, content))
        return True
