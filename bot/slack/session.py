"""What Slack shows of an answer beside its text: that it is being worked on, and a button that stops it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.calls import called
from bot.words import say
from engine.errors import OutsideError, TryAgainError

if TYPE_CHECKING:
    from bot.slack.spot import Spot
    from bot.slack.workspace import Workspace

log = logging.getLogger("bot.slack")

TITLE_LIMIT = 200
RENEWED_EVERY = 100.0
"""Seconds; Slack takes the words of a status away after two minutes."""
NO_BUTTON = "missing_agent_session_stopped_event_subscription"
"""Slack's warning that it shows no button, since nobody would hear of it."""


class Session:
    """An agent session in one thread, from the question to the end of its answer.

    It is an ornament: no failure of it keeps an answer from being shown.
    """

    def __init__(self, workspace: Workspace, spot: Spot, title: str) -> None:
        """`title` names the thread where it is listed, if it begins here."""
        self._workspace = workspace
        self._spot = spot
        self._title = " ".join(title.split())[:TITLE_LIMIT]
        self._words: asyncio.Task[None] | None = None
        self._begun = False
        self._reasons = False

    async def begin(self) -> bool:
        """Show that we are thinking; whether Slack shows a button to stop us beside it."""
        call = self._workspace.hasty.agents_sessions_setStatus(
            channel_id=self._spot.channel,
            thread_ts=self._spot.thread_ts,
            status="processing",
            title=self._title or None,
            initiator_user_id=self._spot.user,
        )
        try:
            answer = await called(call)
        except OutsideError as error:
            if not isinstance(error, TryAgainError):
                self._workspace.streaming.refuse(self._spot.channel)
            log.info("no agent session", extra={"why": str(error)})
            return False
        self._begun = True
        if NO_BUTTON in str(answer.get("warning", "")):
            self._workspace.streaming.refuse(self._spot.channel)
            return False
        self._words = asyncio.create_task(self._show_words())
        return True

    async def reason(self) -> None:
        """Show that the model is reasoning, in place of the words before."""
        self._reasons = True
        await self.still()
        self._words = asyncio.create_task(self._show_words())

    async def still(self) -> None:
        """There is text now: no more words about thinking."""
        if self._words:
            self._words.cancel()
            await asyncio.wait({self._words})
            self._words = None

    async def end(self, *, rests: bool) -> None:
        """Let go of everything that is still shown; `rests` if the end of a stream has done it already."""
        await self.still()
        if self._begun and not rests:
            await ornament(
                self._workspace.hasty.agents_sessions_setStatus(
                    channel_id=self._spot.channel, thread_ts=self._spot.thread_ts, status="active"
                )
            )

    async def _show_words(self) -> None:
        while True:
            await ornament(
                self._workspace.hasty.assistant_threads_setStatus(
                    channel_id=self._spot.channel,
                    thread_ts=str(self._spot.thread_ts),
                    status=say("slack-status-reasoning") if self._reasons else say("slack-status"),
                    loading_messages=self._loading(),
                )
            )
            await asyncio.sleep(RENEWED_EVERY)

    def _loading(self) -> list[str]:
        """What Slack shows in turns beside the status."""
        if self._reasons:
            return [say("slack-reasoning")]
        return [say(f"slack-status-{number}") for number in range(1, 4)]


async def ornament(call: Awaitable[AsyncSlackResponse]) -> None:
    """Make a call that nothing depends on."""
    try:
        await called(call)
    except OutsideError as error:
        log.info("Slack did not show an ornament", extra={"why": str(error)})
