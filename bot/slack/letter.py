"""One message of an answer: streamed, then edited once Slack has closed the stream, or edited all along."""

from __future__ import annotations

import logging
import re
from os.path import commonprefix
from typing import TYPE_CHECKING

from bot.slack.blocks import PAGE_LIMIT, Page
from bot.slack.calls import code_behind
from bot.slack.stream import Stream, StreamOverError
from bot.slack.text import finished, harmless
from bot.split import pages
from engine.errors import GiveUpError, TryAgainError

if TYPE_CHECKING:
    from bot.slack.spot import Spot
    from bot.slack.workspace import Workspace

log = logging.getLogger("bot.slack")

CLOSING = re.compile(r"\n(?:`{3,}|~{3,})\Z")
"""The end of a fence, which a page has although its text goes on within."""
SAFE_PART = 0.5
"""Of a page: it does not end before, since words end behind it (the prices in `bot.breaks`)."""
STILL_STREAMED = "streaming_state_conflict"
MESSAGE_GONE = frozenset({"message_not_found", "channel_not_found", "is_archived", "not_in_channel"})


class Letter:
    """Shows one page as it grows. Nothing that was shown is shown again, nothing is left out at the end."""

    def __init__(
        self,
        workspace: Workspace,
        spot: Spot,
        ts: str,
        shown: Page | None = None,
        *,
        stream: Stream | None = None,
        prepaid: bool = False,
    ) -> None:
        """`shown` is what an edited message shows; `prepaid`: one edit of it is counted already."""
        self._workspace = workspace
        self._spot = spot
        self.ts = ts
        self._shown = shown
        self._stream = stream
        self._prepaid = prepaid
        self._streamed: str | None = None
        """What a closed stream has shown, until an edit has gone over it."""
        self._before = ""
        """What the page shows in a message before this one, as that could not be edited."""
        self.stopped = False
        """Whether the stream came to its end."""

    async def write(self, page: Page, *, grows: bool, hasty: bool) -> None:
        """Show this. `grows`: there will be more of it; `hasty`: rather skip it than wait."""
        if self._stream and grows:
            await self._append(self._stream, page)
        elif self._stream:
            await self._stop(self._stream, page, more=hasty)
        if self._stream is None and self._shown != page and not (grows and self._spent()):
            await self._edit(page, hasty=hasty)

    async def discard(self) -> None:
        """Take the message away."""
        if self._stream:
            await self._hand_over(self._stream)
        await self._workspace.delete(self._spot.channel, self.ts)

    async def _append(self, stream: Stream, page: Page) -> None:
        text = settled(page.text)
        if not (text.startswith(stream.sent) or stream.sent.startswith(text)) or not stream.sure:
            return await self._hand_over(stream)
        more = text[len(stream.sent) :]
        if more and self._workspace.streaming.appends.allows():
            try:
                await stream.append(more)
            except StreamOverError as error:
                self._closed(stream, error)
        return None

    async def _stop(self, stream: Stream, page: Page, *, more: bool) -> None:
        whole = harmless(page.text)
        if not whole.startswith(stream.sent) or not stream.sure:
            return await self._hand_over(stream)
        try:
            await stream.stop(whole.removeprefix(stream.sent), page.foot, more=more)
        except StreamOverError as error:
            self._closed(stream, error)
        else:
            self._stream, self._shown, self.stopped = None, page, not more
        return None

    async def _hand_over(self, stream: Stream) -> None:
        """Close the stream as it is; from now on the message is edited."""
        try:
            await stream.stop()
        except StreamOverError as error:
            self._closed(stream, error)
        else:
            self._stream, self._streamed = None, stream.sent

    def _closed(self, stream: Stream, error: StreamOverError) -> None:
        log.info("Slack closed a stream", extra={"why": str(error)})
        self._stream, self._streamed = None, stream.sent

    def _spent(self) -> bool:
        return not self._workspace.budget.allows()

    async def _edit(self, page: Page, *, hasty: bool) -> None:
        if not self._prepaid:
            self._workspace.budget.spend(1)
        self._prepaid = False
        try:
            await self._update(page, hasty=hasty)
        except TryAgainError as error:
            self._workspace.budget.rest(error.retry_after)
            raise
        except GiveUpError as error:
            if self._streamed is None or code_behind(error) in MESSAGE_GONE:
                raise
            await self._replace(page, self._streamed, error)
        self._streamed, self._shown = None, page

    async def _replace(self, page: Page, streamed: str, error: GiveUpError) -> None:
        """A message that was streamed cannot be edited: what it lacks goes into the next one."""
        if code_behind(error) == STILL_STREAMED:
            await self._hand_over(Stream(self._workspace, self._spot.channel, self.ts, streamed))
            return await self._update(page, hasty=False)
        log.warning("a streamed message cannot be edited", extra={"why": str(error)})
        self._before = streamed
        content = self._lacking(page).content
        self.ts = await self._workspace.post(self._spot.channel, content, self._spot.thread_ts)
        return None

    async def _update(self, page: Page, *, hasty: bool) -> None:
        content = self._lacking(page).content
        await self._workspace.update(self._spot.channel, self.ts, content, hasty=hasty)

    def _lacking(self, page: Page) -> Page:
        if not self._before:
            return page
        rest = harmless(page.text).removeprefix(self._before)
        return Page(rest, page.note, page.above, page.below)


def settled(text: str, limit: int = PAGE_LIMIT) -> str:
    """As much of a growing page as will hardly leave it, whatever comes behind it; harmless.

    A page that gets full is ended at its best place, so then only what is before the best place so far is
    shown. Should it end sooner all the same, the message is edited.
    """
    bare = CLOSING.sub("", text)
    if len(bare) > limit * SAFE_PART:
        full = pages(bare + "x" * limit, limit)[0]
        bare = commonprefix((bare, full))  # noqa: RUF071 - of strings, as it is meant
    return harmless(finished(bare))
