"""What needs no token: private answers through a response_url, and files to the address given for them."""

from __future__ import annotations

from aiohttp import ClientError, ClientSession
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.blocks import Content
from bot.slack.calls import SERVER_ERROR
from bot.slack.clients import rate_limit_retries
from engine.errors import GoneError, TryAgainError

OK = 200


async def respond(
    session: ClientSession, url: str, content: Content, thread_ts: str | None = None, *, instead: bool = False
) -> None:
    """Answer privately through a response_url, perhaps `instead` of what it showed before.

    GoneError: it is used up or too old.
    """
    webhook = AsyncWebhookClient(url, session=session, retry_handlers=rate_limit_retries())
    body = {"text": content.text, "blocks": list(content.blocks), "replace_original": instead}
    try:
        answer = await webhook.send_dict(body | ({"thread_ts": thread_ts} if thread_ts else {}))
    except (ClientError, OSError, TimeoutError) as error:
        raise TryAgainError(f"Slack cannot be reached: {error!r}") from error
    if answer.status_code >= SERVER_ERROR:
        raise TryAgainError(f"response_url: {answer.status_code}")
    if answer.status_code != OK:
        raise GoneError(f"response_url: {answer.status_code} {answer.body[:200]}")


async def upload(session: ClientSession, url: str, content: bytes) -> None:
    """Bring a file to the address that Slack gave for it. TryAgainError: it did not take it."""
    try:
        async with session.post(url, data=content) as answer:
            status = answer.status
    except (ClientError, OSError, TimeoutError) as error:
        raise TryAgainError(f"Slack cannot be reached: {error!r}") from error
    if status != OK:
        raise TryAgainError(f"upload: {status}")
