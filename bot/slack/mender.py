"""Repaints in Slack the answers whose process was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.render import lost_buttons
from bot.slack.blocks import PRESS, Block, Content, actions, markdown
from bot.slack.session import ornament
from bot.slack.stream import Stream, StreamOverError
from bot.slack.text import fallback
from bot.slack.workspace import Workspace
from bot.slack.workspaces import Workspaces
from bot.words import say, speaking
from engine.domain import TurnId
from engine.errors import GoneError

TEXT_LIMIT = 3_000
PASSING = frozenset({"plain_text"})
"""What our quiet lines are made of: of an answer being written they say that it is."""
PRESSED = frozenset({"actions", "context_actions"})
ENDED = ("again", "more", "other", "keep")
"""Buttons below an answer that has ended."""


class SlackMender:
    """The engine's Mender for Slack."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def mend(self, place: str, turn: TurnId, locale: str | None = None) -> None:
        """End a message that is still being written. GoneError too where it cannot be read.

        A stream that still runs is simply stopped. Else the message is read and edited; only in DMs, and in
        channels that the bot is in and may follow, Slack lets us.
        """
        team, channel, thread, ts = place.split("/")
        workspace = await self._workspaces.at(team)
        if workspace is None:
            raise GoneError("the app is not in that workspace any more")
        with speaking(locale):
            below = broken_off(turn)
        try:
            await Stream(workspace, channel, ts, "").stop(below=below)
        except StreamOverError:
            await self._edit(workspace, channel, thread, ts, turn, below)

    async def _edit(
        self,
        workspace: Workspace,
        channel: str,
        thread: str,
        ts: str,
        turn: TurnId,
        below: Sequence[Block],
    ) -> None:
        found = await workspace.message(channel, ts, thread)
        if not ended(found, turn):
            words = str(found.get("text") or "")[:TEXT_LIMIT] or fallback("")
            content = Content(words, (*kept(found), *below))
            await workspace.update(channel, ts, content, hasty=True)
        if thread:
            await ornament(
                workspace.hasty.agents_sessions_setStatus(
                    channel_id=channel, thread_ts=thread, status="active"
                )
            )


def place_of(team: str, channel: str, thread: str | None, ts: str) -> str:
    """Where the mender finds a message."""
    return f"{team}/{channel}/{thread or ''}/{ts}"


def broken_off(turn: TurnId) -> tuple[Block, ...]:
    """What stands below the text in the end."""
    return (*markdown(say("slack-broken-off")), *actions(lost_buttons(turn)))


def ended(message: Mapping[str, Any], turn: TurnId) -> bool:
    """Whether a message has the buttons of an answer that is over."""
    names = {
        str(element.get("action_id", ""))
        for block in message.get("blocks") or ()
        for element in block.get("elements") or ()
    }
    return any(name.startswith(f"{PRESS}{action}:{turn}") for name in names for action in ENDED)


def kept(message: Mapping[str, Any]) -> Sequence[Block]:
    """The blocks of a message that stay, as Slack gives them; a stream's text may come without any."""
    blocks = message.get("blocks")
    if blocks is None:
        text = str(message.get("text") or "")
        parts = [text[at : at + TEXT_LIMIT] for at in range(0, len(text), TEXT_LIMIT)]
        texts = [{"type": "mrkdwn", "text": part, "verbatim": True} for part in parts]
        return [{"type": "section", "text": each} for each in texts]
    return [block for block in blocks if block.get("type") not in PRESSED and not passing(block)]


def passing(block: Mapping[str, Any]) -> bool:
    """Whether a block is a quiet line of ours."""
    kinds = {element.get("type") for element in block.get("elements") or ()}
    return block.get("type") == "context" and kinds <= PASSING
