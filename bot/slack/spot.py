"""Where somebody said something, and how to answer so that only they see it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.reply import Reply
from bot.slack.blocks import Content, of_reply
from bot.slack.text import fallback
from bot.slack.workspace import Workspace
from bot.words import say
from engine.domain import Seat
from engine.errors import GoneError, OutsideError

log = logging.getLogger("bot.slack")


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel or DM, the thread to answer in, and Slack's response_url (five uses in 30 minutes).

    `unthreaded`: nobody has answered there yet, so it is a thread only once we do. `home` is the workspace or
    organisation of a user from outside, who is in a channel that is shared with theirs; `team` is the
    workspace that the user belongs to, where Slack says so. `alone`: what it is about was for the
    user's eyes, and so is what comes of it.
    """

    channel: str
    user: str
    thread_ts: str | None = None
    response_url: str | None = None
    unthreaded: bool = False
    home: str = ""
    team: str = ""
    alone: bool = False

    @property
    def is_dm(self) -> bool:
        """Whether it is a DM, as Slack's ids of them tell."""
        return self.channel.startswith("D")


def seated(pressed: Spot, seat: Seat | None) -> tuple[Spot, Seat]:
    """Where a question that was kept is answered: where it was asked, wherever its button was pressed.

    What was asked privately is answered to the press; so is what cannot be written there.
    """
    found = seat or Seat(pressed.channel, pressed.thread_ts or "", pressed.alone)
    if found.private and found.channel != pressed.channel:
        return pressed, found
    elsewhere = found.channel != pressed.channel
    there = replace(
        pressed,
        channel=found.channel,
        thread_ts=found.below or None,
        unthreaded=elsewhere or pressed.unthreaded,
        alone=found.private,
    )
    return there, found


async def show_privately(workspace: Workspace, spot: Spot, replies: Sequence[Reply]) -> None:
    """Show replies to one person; what is `direct` goes by DM or, if that cannot be, like the others."""
    for reply in replies:
        shown = await after_direct(workspace, spot, reply, reply.direct) if reply.direct else reply
        if shown and shown.file:
            shown = await after_file(workspace, spot, shown, *shown.file)
        if shown:
            await whisper(workspace, spot, of_reply(shown, alone=spot.alone))


async def after_file(
    workspace: Workspace, spot: Spot, reply: Reply, name: str, content: bytes
) -> Reply | None:
    """Send the file by DM; what is to be shown on the spot, nothing if the spot is that very DM."""
    try:
        await workspace.send_file(spot.user, name, content, fallback(reply.text))
    except OutsideError as error:
        log.warning("a file was not sent", extra={"why": str(error)})
        return Reply(say("slack-file-not-sent"))
    return None if spot.is_dm else Reply(say("slack-file-sent"))


async def after_direct(workspace: Workspace, spot: Spot, reply: Reply, direct: Reply) -> Reply | None:
    """Send the direct part; what is left to be shown on the spot, nothing if the spot is that very DM."""
    try:
        channel = await workspace.direct(spot.user, of_reply(direct))
    except OutsideError as error:
        log.info("no direct message", extra={"why": str(error)})
        return direct
    return None if channel == spot.channel else reply


async def whisper(workspace: Workspace, spot: Spot, content: Content, *, instead: bool = False) -> None:
    """Show one message privately; GoneError if there is no way to.

    `instead` of what was shown through the same response_url before, which is the only way to change it.

    Slack shows nobody an ephemeral message in a thread without answers (chat.postEphemeral).
    """
    thread = None if spot.unthreaded else spot.thread_ts
    if spot.response_url:
        try:
            return await workspace.respond(spot.response_url, content, thread, instead=instead)
        except GoneError as error:
            log.info("response_url is used up", extra={"why": str(error)})
    if spot.is_dm:
        await workspace.post(spot.channel, content, spot.thread_ts)
    else:
        await workspace.whisper(spot.channel, spot.user, content, thread)
    return None
