"""The Web API's clients: one connection pool, Slack's rate limits, and tokens that stopped working."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.calls import DENIED, RemovedError, code_of

TIMEOUT = ClientTimeout(total=15, connect=5)
RATE_LIMIT_TRIES = 3
Denied = Callable[[str], None]
"""Takes the code by which Slack said that a token is good for nothing."""


def open_session() -> ClientSession:
    """The connections that all clients share. Has to be called inside a running event loop."""
    return ClientSession(timeout=TIMEOUT)


def client(
    token: str | None, api_url: str, session: ClientSession, *, patient: bool, denied: Denied | None = None
) -> AsyncWebClient:
    """A Web API client that waits where Slack says to wait, or one that does not.

    With `denied`, a token that no longer works is not the operator's affair but the workspace's end: it is
    told there, and the call raises RemovedError.
    """
    retries = rate_limit_retries() if patient else []
    if denied is None:
        return AsyncWebClient(token, api_url, session=session, retry_handlers=retries)
    return GuestClient(denied, token, api_url, session=session, retry_handlers=retries)


def rate_limit_retries() -> list[AsyncRetryHandler]:
    """Only this: the SDK's default, which repeats calls after a broken connection, would post twice."""
    return [AsyncRateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_TRIES)]


class GuestClient(AsyncWebClient):
    """The client of a workspace that may remove us at any time."""

    def __init__(self, denied: Denied, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        super().__init__(*arguments, **options)
        self._denied = denied

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:  # noqa: ANN401 - the SDK's
        """Call a method, as the SDK does."""
        try:
            return await super().api_call(api_method, **options)
        except SlackApiError as error:
            code = code_of(error)
            if code not in DENIED:
                raise
            self._denied(code)
            raise RemovedError(code, error.response) from error
