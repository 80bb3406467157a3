"""Paints one answer into Slack messages: streamed where Slack allows it, else edited as it grows."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.reply import ENDS, Frame, Reply
from bot.slack.blocks import PAGE_LIMIT, Block, Page, of_frame
from bot.slack.calls import code_behind
from bot.slack.letter import Letter, settled
from bot.slack.mender import place_of
from bot.slack.session import Session
from bot.slack.spot import Spot, show_privately, whisper
from bot.slack.stream import start
from bot.slack.workspace import Workspace
from bot.words import say
from engine.errors import GoneError, TryAgainError

log = logging.getLogger("bot.slack")

DELETED = frozenset({"message_not_found"})
"""The message is gone, its place is not."""


class SlackCanvas:
    """The messages of one answer: in the thread it was asked in, or a new thread after a command.

    In a thread it is streamed: while the model thinks Slack says so, with a button that stops it. Elsewhere,
    and where Slack does not stream, messages are posted and edited. Where we may not post at all, the asker
    gets the complete answer privately instead. `close` has to be called at the end.
    """

    def __init__(
        self,
        workspace: Workspace,
        spot: Spot,
        above: Sequence[Block] = (),
        title: str = "",
        *,
        private: bool = False,
        thinks: bool = True,
    ) -> None:
        """`above` stands over the first message; `title` names a thread that begins here.

        `private`: the answer is for the asker alone, though others may be there; `thinks`: they are told that
        it comes, which costs a use of their address. After a press nothing tells so: what is shown in its
        place would be shown in place of the message that was pressed.
        """
        self._workspace = workspace
        self._spot = spot
        self._above = above
        self._session = None if above or spot.thread_ts is None else Session(workspace, spot, title)
        self._streams = False
        self._start_taken = False
        self._letters: list[Letter] = []
        self._anew = False
        self._private = (private or spot.alone) and not spot.is_dm
        self._thinking_whispered = False
        self._whispered = 0
        self._thinks_aloud = thinks and not spot.alone

    @property
    def channel(self) -> str:
        """A clock for each answer: what Slack limits is the workspace's calls, and budgets count those."""
        return f"slack:{self._spot.channel}:{id(self)}"

    @property
    def page_limit(self) -> int:
        return PAGE_LIMIT

    async def paint(self, frame: Frame) -> None:
        if frame.state in ENDS:
            await self._paint(frame, hasty=False)
        elif self._private:
            await self._whisper_thinking(frame)
        elif not await self._thinks(frame):
            try:
                await self._paint(frame, hasty=True)
            except TryAgainError as error:
                log.info("a text on its way was skipped", extra={"why": str(error)})

    async def reply(self, reply: Reply) -> None:
        await show_privately(self._workspace, self._spot, [reply])

    def anchors(self) -> Sequence[str]:
        """None: a reply is a thread, which goes on by itself."""
        return ()

    def place(self) -> str | None:
        if not self._letters:
            return None
        spot, ts = self._spot, self._letters[-1].ts
        return place_of(self._workspace.identity.team, spot.channel, self._thread, ts)

    def places(self) -> Sequence[str]:
        place = self._spot
        if place.thread_ts:
            return [self._workspace.anchor(place.channel, place.thread_ts)]
        if place.is_dm:
            own = [self._workspace.anchor(place.channel, each.ts) for each in self._letters]
            return [*own, self._workspace.anchor(place.channel)]
        return [self._workspace.anchor(place.channel, each.ts) for each in self._letters[:1]]

    async def close(self) -> None:
        """Nothing more will be painted."""
        if self._session:
            await self._session.end(rests=bool(self._letters) and self._letters[-1].stopped)

    async def _thinks(self, frame: Frame) -> bool:
        """Let Slack itself say that we are thinking, if it can; then there is no message before the text."""
        if frame.pages or self._letters or not self._session:
            return False
        if self._streams:
            await self._session.reason()
        elif self._may_start():
            self._streams = self._start_taken = await self._session.begin()
        return self._streams

    async def _whisper_thinking(self, frame: Frame) -> None:
        """Say once that we are thinking, until the answer replaces it: an address works five times."""
        if self._thinking_whispered or not (self._thinks_aloud and self._spot.response_url):
            return
        self._thinking_whispered = True
        await whisper(self._workspace, self._spot, of_frame(frame, self._above)[0].content)

    async def _paint(self, frame: Frame, *, hasty: bool) -> None:
        if self._session:
            await self._session.still()
        if not self._private:
            await self._paint_where_it_may(of_frame(frame, self._above), hasty=hasty)
        if self._private and not hasty:
            await self._whisper(of_frame(frame, self._above, alone=True))

    async def _whisper(self, pages: Sequence[Page]) -> None:
        """Show the pages of an answer privately, each once, however often this has to be tried.

        A response_url works five times; more is shown only where we are in the channel.
        """
        for number, page in enumerate(pages[self._whispered :], self._whispered):
            instead = self._thinking_whispered and number == 0
            await whisper(self._workspace, self._spot, page.content, instead=instead)
            self._whispered = number + 1

    async def _paint_where_it_may(self, pages: Sequence[Page], *, hasty: bool) -> None:
        """Paint for all to see; where we may not, or not any more, the canvas is private from now on.

        A message that was deleted is written anew once: deleted again, it is not wanted (GoneError).
        """
        try:
            await self._paint_openly(pages, hasty=hasty)
        except GoneError as error:
            if code_behind(error) in DELETED:
                return await self._paint_anew(pages, error, hasty=hasty)
            if not self._spot.response_url:
                raise
            self._private = True
            await self.reply(Reply(say("slack-not-a-member")))
        return None

    async def _paint_anew(self, pages: Sequence[Page], error: GoneError, *, hasty: bool) -> None:
        if self._anew or not self._letters:
            raise error
        log.info("a message was deleted and is written anew", extra={"why": str(error)})
        self._anew = True
        self._letters.pop()  # the one that grows; those before it are as they will stay
        await self._paint_openly(pages, hasty=hasty)

    async def _paint_openly(self, pages: Sequence[Page], *, hasty: bool) -> None:
        for number, page in enumerate(pages):
            grows = hasty and number == len(pages) - 1
            if number < len(self._letters):
                await self._letters[number].write(page, grows=grows, hasty=hasty)
            elif not await self._begin(page, grows=grows):
                return
        for surplus in self._letters[len(pages) :]:
            await surplus.discard()
        del self._letters[len(pages) :]

    async def _begin(self, page: Page, *, grows: bool) -> bool:
        """Show a page behind those that are there; False if it is not there yet.

        One that will change is shown only if the workspace may still spend an edit on its end.
        """
        if grows and self._streams and self._may_start():
            return await self._stream(page)
        if grows and not self._workspace.budget.allows():
            return False
        await self._post(page, grows=grows)
        return True

    def _may_start(self) -> bool:
        """Take one of the workspace's streams, unless one was taken for this page already."""
        self._start_taken = self._start_taken or self._workspace.streaming.take(self._spot.channel)
        return self._start_taken

    async def _stream(self, page: Page) -> bool:
        text = settled(page.text)
        if not text:
            return False
        self._start_taken = False
        stream = await start(self._workspace, self._spot, text)
        if stream is None:
            self._streams = False
            return await self._begin(page, grows=True)
        self._letters.append(Letter(self._workspace, self._spot, stream.ts, stream=stream))
        return True

    @property
    def _thread(self) -> str | None:
        """The thread that the next page goes to."""
        thread, begun = self._spot.thread_ts, self._letters and not self._spot.is_dm
        return thread or (self._letters[0].ts if begun else None)

    async def _post(self, page: Page, *, grows: bool) -> None:
        if grows:  # before anybody else can look at what is left
            self._workspace.budget.spend(1)
        ts = await self._workspace.post(self._spot.channel, page.content, self._thread)
        self._letters.append(Letter(self._workspace, self._spot, ts, page, prepaid=grows))
