"""Notices by DM, each shown once."""

from __future__ import annotations

from collections.abc import Callable

from bot import news
from bot.slack.blocks import of_reply
from bot.slack.mender import SlackMender
from bot.slack.workspace import Workspace
from bot.slack.workspaces import Workspaces
from bot.words import speaking
from engine.domain import Person
from engine.errors import UnreachableError
from engine.notices import Notice

NOTICE = "notice"
"""`event_type` of the metadata that carries a notice's key."""
SLACK_BEHIND = 120.0
"""Seconds that Slack's clock may be behind ours when the past is searched."""


Sent = Callable[[Workspace, Person], None]


class SlackMessenger(SlackMender):
    """The engine's Messenger for Slack, and its Mender."""

    def __init__(self, workspaces: Workspaces, sent: Sent) -> None:
        """`sent` hears of every notice that was sent."""
        super().__init__(workspaces)
        self._sent = sent

    async def deliver(self, notice: Notice, *, again: bool) -> None:
        """Send the notice; an earlier try that got through is recognised by the key in its metadata.

        Slack has no silent messages: a quiet notice waits for the person's next command. So does one for a
        workspace that the app is no longer in.
        """
        if news.quiet(notice):
            raise UnreachableError("a quiet notice would make a noise")
        workspace = await self._workspaces.at(notice.person.workspace)
        if workspace is None:
            raise UnreachableError("the app is not in the person's workspace")
        if again and await shown(workspace, notice):
            return
        metadata = {"event_type": NOTICE, "event_payload": {"key": notice.key}}
        with speaking(notice.locale):
            await workspace.direct(notice.person.user, of_reply(news.notice(notice)), metadata)
            self._sent(workspace, notice.person)


async def shown(workspace: Workspace, notice: Notice) -> bool:
    """Whether the notice is in the person's DM. UnreachableError: they have none any more."""
    channel = await workspace.open_dm(notice.person.user)
    since = notice.created_at.timestamp() - SLACK_BEHIND
    return any(
        said.get("event_type") == NOTICE and key_of(said) == notice.key
        for said in await workspace.said_since(channel, since)
    )


def key_of(metadata: object) -> object:
    """The notice key in a message's metadata, None if there is none."""
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return payload.get("key") if isinstance(payload, dict) else None
