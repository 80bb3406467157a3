"""The installed workspace: who we are there, and the clients that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.blocks import Content
from bot.slack.budget import Budget
from bot.slack.calls import SERVER_ERROR, called
from engine.config import SlackSettings
from engine.domain import Person, Platform
from engine.errors import GoneError, TryAgainError, UnreachableError

TIMEOUT = ClientTimeout(total=15, connect=5)
RATE_LIMIT_TRIES = 3
HISTORY_PAGE = 200
OK = 200


@dataclass(frozen=True, slots=True)
class Identity:
    """The workspace and the bot in it."""

    team: str
    bot_user: str
    bot: str


class Workspace:
    """Everything we do in the workspace except listening; failures are OutsideErrors by remedy."""

    def __init__(self, settings: SlackSettings) -> None:
        """Has to be made inside a running event loop."""
        self.session = ClientSession(timeout=TIMEOUT)
        token = settings.bot_token.get_secret_value()
        self.client = client(token, settings.api_url, self.session, patient=True)
        self.hasty = client(token, settings.api_url, self.session, patient=False)
        self.budget = Budget(asyncio.get_running_loop().time)
        self.identity = Identity("", "", "")

    def socket_client(self, app_token: str) -> AsyncWebClient:
        """The client of Socket Mode, which has a token of its own."""
        return client(app_token, str(self.client.base_url), self.session, patient=True)

    async def identify(self) -> None:
        """Learn who we are. TellOperatorError: the token is wrong."""
        answer = await called(self.client.auth_test())
        self.identity = Identity(
            str(answer["team_id"]), str(answer["user_id"]), str(answer.get("bot_id", ""))
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self.session.close()

    def person(self, user: str) -> Person:
        """A member of the workspace."""
        return Person(Platform.SLACK, self.identity.team, user)

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

    async def respond(self, url: str, content: Content, thread_ts: str | None) -> None:
        """Answer privately through a response_url. GoneError: it is used up or too old."""
        webhook = AsyncWebhookClient(url, session=self.session, retry_handlers=rate_limit_retries())
        try:
            answer = await webhook.send_dict(
                {
                    "text": content.text,
                    "blocks": list(content.blocks),
                    "replace_original": False,
                    **({"thread_ts": thread_ts} if thread_ts else {}),
                }
            )
        except (ClientError, OSError, TimeoutError) as error:
            raise TryAgainError(f"Slack cannot be reached: {error!r}") from error
        if answer.status_code >= SERVER_ERROR:
            raise TryAgainError(f"response_url: {answer.status_code}")
        if answer.status_code != OK:
            raise GoneError(f"response_url: {answer.status_code} {answer.body[:200]}")

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


def client(token: str, api_url: str, session: ClientSession, *, patient: bool) -> AsyncWebClient:
    """A Web API client that waits where Slack says to wait, or one that does not."""
    retries = rate_limit_retries() if patient else []
    return AsyncWebClient(token, api_url, session=session, retry_handlers=retries)


def rate_limit_retries() -> list[AsyncRetryHandler]:
    """Only this: the SDK's default, which repeats calls after a broken connection, would post twice."""
    return [AsyncRateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_TRIES)]
