"""The installed workspace: who we are there, and the clients that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from bot.slack.admins import Admins
from bot.slack.blocks import Content
from bot.slack.budget import Budget
from bot.slack.calls import called
from bot.slack.clients import Denied, client
from bot.slack.locales import Locales
from bot.slack.publishing import Publishing
from bot.slack.responding import respond, upload
from bot.slack.seldom import Seldom
from bot.slack.stream import Streaming
from engine.domain import Person, Place, Platform
from engine.errors import GoneError, TellOperatorError, UnreachableError

HISTORY_PAGE = 200
SUGGESTED_SECONDS = 6 * 3600.0
"""How long Slack is trusted to go on showing questions to begin with in a DM."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The workspace, or the organisation that the app is installed in as a whole, and the bot in it."""

    team: str
    bot_user: str
    bot: str
    org_wide: bool = False


class Workspace:
    """Everything we do in a workspace except listening; failures are OutsideErrors by remedy."""

    def __init__(
        self,
        identity: Identity,
        token: str,
        api_url: str,
        session: ClientSession,
        denied: Denied | None = None,
    ) -> None:
        """Has to be made inside a running event loop; `denied` as for `client`."""
        self.identity = identity
        self.session = session
        self.client = client(token, api_url, session, patient=True, denied=denied)
        self.hasty = client(token, api_url, session, patient=False, denied=denied)
        self.locales = Locales(self.hasty)
        self.admins = Admins(self.hasty, identity)
        self.budget = Budget(asyncio.get_running_loop().time)
        self.streaming = Streaming(asyncio.get_running_loop().time)
        self.publishing = Publishing()
        self.suggesting = Seldom(asyncio.get_running_loop().time, SUGGESTED_SECONDS)

    def person(self, user: str, home: str = "") -> Person:
        """A member of the workspace, or of another one (`home`) that shares a channel with it."""
        return Person(Platform.SLACK, home or self.identity.team, user)

    def place(self, channel: str) -> Place | None:
        """Where the rules of a place hold: in channels of the workspace, or organisation; not in DMs."""
        if not channel or channel.startswith("D"):
            return None
        return Place(Platform.SLACK, self.identity.team, (channel,))

    def anchor(self, channel: str, ts: str = "") -> str:
        """A place a conversation can be at: a thread by its first message, or a DM as a whole."""
        place = f"slack:{self.identity.team}/{channel}"
        return f"{place}/{ts}" if ts else place

    async def post(
        self,
        channel: str,
        content: Content,
        thread_ts: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> str:
        """Post a message and return its ts."""
        answer = await called(
            self.client.chat_postMessage(
                channel=channel,
                text=content.text,
                blocks=list(content.blocks),
                thread_ts=thread_ts,
                metadata=dict(metadata) if metadata else None,
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return str(answer["ts"])

    async def update(self, channel: str, ts: str, content: Content, *, hasty: bool) -> None:
        """Change a message; `hasty` does not wait where Slack says to wait, but raises TryAgainError."""
        web = self.hasty if hasty else self.client
        await called(web.chat_update(channel=channel, ts=ts, text=content.text, blocks=list(content.blocks)))

    async def delete(self, channel: str, ts: str) -> None:
        """Take a message of ours away."""
        await called(self.client.chat_delete(channel=channel, ts=ts))

    async def whisper(self, channel: str, user: str, content: Content, thread_ts: str | None) -> None:
        """Post what only one member of a channel sees."""
        await called(
            self.client.chat_postEphemeral(
                channel=channel,
                user=user,
                text=content.text,
                blocks=list(content.blocks),
                thread_ts=thread_ts,
            )
        )

    async def respond(
        self, url: str, content: Content, thread_ts: str | None, *, instead: bool = False
    ) -> None:
        """Answer privately through a response_url. GoneError: it is used up or too old."""
        await respond(self.session, url, content, thread_ts, instead=instead)

    async def open_dm(self, user: str) -> str:
        """The DM with a member. UnreachableError: they cannot be written to."""
        try:
            answer = await called(self.client.conversations_open(users=user))
        except GoneError as error:
            raise UnreachableError(str(error)) from error
        return str(answer["channel"]["id"])

    async def direct(self, user: str, content: Content, metadata: Mapping[str, object] | None = None) -> str:
        """Write to a member by DM and return the DM's id. UnreachableError: they cannot be written to."""
        channel = await self.open_dm(user)
        try:
            await self.post(channel, content, metadata=metadata)
        except GoneError as error:
            raise UnreachableError(str(error)) from error
        return channel

    async def send_file(self, user: str, name: str, content: bytes, words: str) -> None:
        """Send a file by DM. UnreachableError: they cannot be written to.

        The SDK's own way would hold everything up while it sends.
        """
        channel = await self.open_dm(user)
        place = await called(self.client.files_getUploadURLExternal(filename=name, length=len(content)))
        await upload(self.session, str(place["upload_url"]), content)
        files: list[dict[str, str | None]] = [{"id": str(place["file_id"]), "title": name}]
        await called(
            self.client.files_completeUploadExternal(files=files, channel_id=channel, initial_comment=words)
        )

    async def message(self, channel: str, ts: str, thread_ts: str) -> Mapping[str, Any]:
        """One message, perhaps of a thread. GoneError: it is not there, or we may not read it."""
        one: dict[str, Any] = {"oldest": ts, "latest": ts, "inclusive": True, "limit": 2}
        try:
            page = await called(
                self.hasty.conversations_replies(channel=channel, ts=thread_ts, **one)
                if thread_ts
                else self.hasty.conversations_history(channel=channel, **one)
            )
        except TellOperatorError as error:
            raise GoneError(f"messages cannot be read there: {error}") from error
        found = next((each for each in page.get("messages") or () if each.get("ts") == ts), None)
        if found is None:
            raise GoneError("there is no such message")
        return dict(found)

    async def said_since(self, channel: str, since: float) -> Sequence[Mapping[str, object]]:
        """Metadata of the messages in a channel since a unix time."""
        found: list[Mapping[str, object]] = []
        latest: str | None = None
        while True:
            page = await called(
                self.client.conversations_history(
                    channel=channel,
                    oldest=f"{since:.6f}",
                    latest=latest,
                    limit=HISTORY_PAGE,
                    include_all_metadata=True,
                )
            )
            messages = page.get("messages") or []
            found += [message["metadata"] for message in messages if message.get("metadata")]
            if not (messages and page.get("has_more")):
                return found
            latest = str(messages[-1]["ts"])
