"""Messages that Slack itself lets grow: started, appended to and stopped, within Slack's limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from slack_sdk.models.messages.chunk import MarkdownTextChunk

from bot.slack.budget import Budget
from bot.slack.calls import called, code_behind
from engine.errors import GiveUpError, GoneError, OutsideError, TellOperatorError, TryAgainError

if TYPE_CHECKING:
    from bot.slack.blocks import Block
    from bot.slack.spot import Spot
    from bot.slack.workspace import Workspace

LIMITED = frozenset({"rate_limited", "ratelimited"})
"""Refusals after which it is sure that nothing was done."""
OF_ONE_THREAD = frozenset({"invalid_thread_ts", "thread_not_found", "message_not_found"})
"""Refusals that say nothing about other threads."""
REFUSED_SECONDS = 600.0
"""How long a kind of channel in which Slack does not stream is left alone."""


class StreamOverError(GiveUpError):
    """Slack does not stream this message any more; it may still be edited.

    It closes a stream after about five minutes though text is coming, or because a member stopped it.
    """


class Streaming:
    """What a workspace may still stream: starts and appends by their own limits, and where it cannot.

    `chat.startStream` and `stopStream` are tier-2 methods, 20 calls a minute in a workspace; `appendStream`
    is of tier 4, with 100.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives monotonic seconds."""
        self._now = now
        self.starts = Budget(now, a_second=12 / 60, at_once=6.0)
        self.appends = Budget(now, a_second=80 / 60, at_once=15.0)
        self._refused: dict[str, float] = {}

    def take(self, channel: str) -> bool:
        """Take one of the streams that there may still be; False if none may be started there now."""
        if not self.starts.allows() or self._refused.get(channel[:1], 0) > self._now():
            return False
        self.starts.spend(1)
        return True

    def refuse(self, channel: str) -> None:
        """Slack does not stream in channels of this kind, which ids begin with: leave it for a while."""
        self._refused[channel[:1]] = self._now() + REFUSED_SECONDS


class Stream:
    """One message that is streamed; `sent` is its text so far, as far as Slack has said so."""

    def __init__(self, workspace: Workspace, channel: str, ts: str, sent: str) -> None:
        self._workspace = workspace
        self._channel = channel
        self.ts = ts
        self.sent = sent
        self.sure = True
        """Whether what Slack has is exactly `sent`: not after an append that got no answer."""

    async def append(self, text: str) -> None:
        """Add text, without waiting where Slack says to wait. StreamOverError, TryAgainError."""
        self._workspace.streaming.appends.spend(1)
        call = self._workspace.hasty.chat_appendStream(
            channel=self._channel, ts=self.ts, chunks=[MarkdownTextChunk(text=text)]
        )
        try:
            await called(call)
        except OutsideError as error:
            if isinstance(error, TryAgainError):
                self._workspace.streaming.appends.rest(error.retry_after)
            raise self._judged(error) from error.__cause__
        self.sent += text

    async def stop(self, text: str = "", below: Sequence[Block] = (), *, more: bool = False) -> None:
        """Add the last text, close the message and put blocks below it. StreamOverError, TryAgainError.

        `more`: the answer goes on, so the agent session does, too.
        """
        call = self._workspace.client.chat_stopStream(
            channel=self._channel,
            ts=self.ts,
            chunks=[MarkdownTextChunk(text=text)] if text else None,
            blocks=list(below) or None,
            session_status="processing" if more else None,
        )
        try:
            await called(call)
        except OutsideError as error:
            raise self._judged(error) from error.__cause__
        self.sent += text

    def _judged(self, error: OutsideError) -> OutsideError:
        code = code_behind(error)
        if isinstance(error, TryAgainError):
            self.sure = self.sure and code in LIMITED
            return error
        return error if isinstance(error, GoneError) else StreamOverError(str(error))


async def start(workspace: Workspace, spot: Spot, text: str) -> Stream | None:
    """Begin a streamed reply with its first text; None: not here or not now, so it has to be edited."""
    call = workspace.hasty.chat_startStream(
        channel=spot.channel,
        thread_ts=str(spot.thread_ts),
        recipient_team_id=spot.home or spot.team or workspace.identity.team,
        recipient_user_id=spot.user,
        chunks=[MarkdownTextChunk(text=text)],
    )
    try:
        answer = await called(call)
    except TryAgainError as error:
        workspace.streaming.starts.rest(error.retry_after)
        return None
    except (GiveUpError, TellOperatorError) as error:
        if not isinstance(error, GoneError) and code_behind(error) not in OF_ONE_THREAD:
            workspace.streaming.refuse(spot.channel)
        return None
    return Stream(workspace, spot.channel, str(answer["ts"]), text)
