"""Web API calls whose failures say what to do about them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from engine.errors import GiveUpError, GoneError, OutsideError, TellOperatorError, TryAgainError

GONE = frozenset(
    {
        "cannot_reply_to_message",
        "cant_update_message",
        "channel_not_found",
        "edit_window_closed",
        "is_archived",
        "is_inactive",
        "message_not_found",
        "messages_tab_disabled",
        "not_in_channel",
        "thread_not_found",
        "user_disabled",
        "user_not_found",
        "user_not_in_channel",
        "user_not_visible",
        "cannot_dm_bot",
    }
)
"""The place or the person is not, or no longer, one we may write to."""
BUSY = frozenset(
    {
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    }
)
OPERATOR = frozenset(
    {
        "access_denied",
        "account_inactive",
        "ekm_access_denied",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
DENIED = frozenset({"account_inactive", "invalid_auth", "token_expired", "token_revoked"})
"""A token is good for nothing any more; where it is not the operator's own, they cannot mend it."""
SERVER_ERROR = 500


class RemovedError(SlackApiError):
    """The workspace whose token was used has removed us."""

    def __init__(self, code: str, response: object) -> None:
        super().__init__(code, response)  # type: ignore[no-untyped-call]


async def called(call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    """Await a call; raises the OutsideError for what Slack or the network said."""
    try:
        return await call
    except SlackApiError as error:
        raise translated(error) from error
    except (ClientError, OSError, TimeoutError, SlackClientError) as error:
        raise TryAgainError(f"Slack cannot be reached: {error!r}") from error


def translated(error: SlackApiError) -> OutsideError:
    """Slack's error code as one of ours; restricted_action and its kin mean that a place is closed to us."""
    code, status = code_of(error), getattr(error.response, "status_code", 0)
    if isinstance(error, RemovedError):
        return GoneError(f"Slack: {code}")
    if code in BUSY or status >= SERVER_ERROR or not code:
        return TryAgainError(f"Slack: {code or status}", retry_after=retry_after(error))
    if code in GONE or code.startswith("restricted_action"):
        return GoneError(f"Slack: {code}")
    if code in OPERATOR:
        needed = body_of(error).get("needed")
        return TellOperatorError(f"Slack: {code}" + (f", needed: {needed}" if needed else ""))
    details = body_of(error).get("response_metadata", {}).get("messages", "")
    return GiveUpError(f"Slack: {code} {details}".strip())


def code_behind(error: OutsideError) -> str:
    """Slack's own code for a failure that `called` raised; empty if it has none."""
    return code_of(error.__cause__) if isinstance(error.__cause__, SlackApiError) else ""


def code_of(error: SlackApiError) -> str:
    """The `error` field of the answer; empty if the answer was no JSON."""
    return str(body_of(error).get("error", ""))


def body_of(error: SlackApiError) -> dict[str, Any]:
    """The answer; the SDK leaves something else there when it was no JSON."""
    data = getattr(error.response, "data", None)
    return data if isinstance(data, dict) else {}


def retry_after(error: SlackApiError) -> float | None:
    """Seconds that Slack asks us to wait."""
    headers = getattr(error.response, "headers", None) or {}
    text = str(headers.get("Retry-After", ""))
    return float(text) if text.isdecimal() else None
