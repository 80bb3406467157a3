"""Notices by DM, alerts there and in channels, each shown once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot import alarms, announcing, news
from bot.reply import Reply
from bot.slack.blocks import Content, of_reply
from bot.slack.mender import SlackMender
from bot.slack.workspace import Workspace
from bot.slack.workspaces import Workspaces
from bot.words import speaking
from engine.alerts import Bulletin
from engine.announcements import Letter
from engine.channels import Channel
from engine.domain import Person
from engine.errors import GoneError, TellOperatorError, UnreachableError
from engine.notices import Notice

NOTICE = "notice"
"""`event_type` of the metadata that carries a notice's key."""
INVITE = "write /invite and the app's name there, or name another channel in config.toml"
SLACK_BEHIND = 120.0
"""Seconds that Slack's clock may be behind ours when the past is searched."""


Sent = Callable[[Workspace, Person], None]


class SlackMessenger(SlackMender):
    """The engine's Messenger, Herald and Crier for Slack, and its Mender."""

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
        if again and await shown(workspace, notice.person, notice.key, notice.created_at):
            return
        with speaking(notice.locale):
            await workspace.direct(notice.person.user, of_reply(news.notice(notice)), named(notice.key))
            self._sent(workspace, notice.person)

    async def tell(self, bulletin: Bulletin, *, again: bool) -> None:
        to, since = bulletin.to, bulletin.since if again else None
        with speaking(bulletin.locale):
            content = of_reply(alarms.bulletin(bulletin))
        if isinstance(to, Channel):
            await self._post(to, bulletin.id, content, since)
        else:
            await self._write(to, bulletin.id, content, since)

    async def publish(self, channel: Channel, key: str, text: str, tried_since: datetime | None) -> None:
        await self._post(channel, key, of_reply(Reply(text)), tried_since)

    async def _post(self, to: Channel, key: str, content: Content, tried_since: datetime | None) -> None:
        """Write into a channel; an earlier try is recognised by its metadata, where we may read these."""
        workspace = await self._workspaces.at(to.workspace)
        if workspace is None:
            raise UnreachableError("the app is not in the channel's workspace")
        if tried_since and await seen(workspace, to.id, key, tried_since):
            return
        try:
            await workspace.post(to.id, content, metadata=named(key))
        except GoneError as error:
            raise UnreachableError(f"{error}; {INVITE}") from error

    async def announce(self, letter: Letter, *, again: bool) -> None:
        with speaking(letter.locale):
            content = of_reply(announcing.announcement(letter))
        await self._write(letter.person, letter.key, content, letter.since if again else None)

    async def _write(self, person: Person, key: str, content: Content, tried_since: datetime | None) -> None:
        """Write to a person; an earlier try that got through is recognised by the key in its metadata."""
        workspace = await self._workspaces.at(person.workspace)
        if workspace is None:
            raise UnreachableError("the app is not in the person's workspace")
        if tried_since is None or not await shown(workspace, person, key, tried_since):
            await workspace.direct(person.user, content, named(key))


async def shown(workspace: Workspace, person: Person, key: str, since: datetime) -> bool:
    """Whether what has that key is in the person's DM. UnreachableError: they have none any more."""
    return await said(workspace, await workspace.open_dm(person.user), key, since)


async def seen(workspace: Workspace, channel: str, key: str, since: datetime) -> bool:
    """Whether it is in a channel; no where we may not read what was written."""
    try:
        return await said(workspace, channel, key, since)
    except (GoneError, TellOperatorError):
        return False


async def said(workspace: Workspace, channel: str, key: str, since: datetime) -> bool:
    """Whether what has that key was written there since that moment."""
    return any(
        each.get("event_type") == NOTICE and key_of(each) == key
        for each in await workspace.said_since(channel, since.timestamp() - SLACK_BEHIND)
    )


def named(key: str) -> dict[str, object]:
    """The metadata by which a message is found again."""
    return {"event_type": NOTICE, "event_payload": {"key": key}}


def key_of(metadata: object) -> object:
    """The notice key in a message's metadata, None if there is none."""
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return payload.get("key") if isinstance(payload, dict) else None
