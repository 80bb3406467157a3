"""Refusals of the Discord API, with the codes that Discord documents."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """One error answer: an HTTP status and Discord's own code."""

    def __init__(self, status: int, code: int, message: str, errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> Json:
        """Return the answer's JSON."""
        plain: Json = {"message": self.message, "code": self.code}
        return plain if self.errors is None else {**plain, "errors": dict(self.errors)}


def invalid_form(field: str, code: str, message: str) -> ApiError:
    """Return error 50035 pointing at one field, whose nested names are joined by dots."""
    errors: Json = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(field.split(".")):
        errors = {name: errors}
    return ApiError(400, 50035, "Invalid Form Body", errors)


def unauthorized() -> ApiError:
    """Return the answer to a wrong bot token."""
    return ApiError(401, 0, "401: Unauthorized")


def no_such_route() -> ApiError:
    """Return the answer to an address that is not part of the API."""
    return ApiError(404, 0, "404: Not Found")


def unknown_channel() -> ApiError:
    """Return error 10003."""
    return ApiError(404, 10003, "Unknown Channel")


def unknown_message() -> ApiError:
    """Return error 10008."""
    return ApiError(404, 10008, "Unknown Message")


def unknown_webhook() -> ApiError:
    """Return error 10015, which a follow-up before any acknowledgement also gets."""
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """Return error 10062, the answer to an acknowledgement after three seconds."""
    return ApiError(404, 10062, "Unknown interaction")


def already_acknowledged() -> ApiError:
    """Return error 40060."""
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def expired_token() -> ApiError:
    """Return error 50027, the answer to an interaction token after fifteen minutes."""
    return ApiError(401, 50027, "Invalid Webhook Token")


def thread_archived() -> ApiError:
    """Return error 50083."""
    return ApiError(400, 50083, "Thread is archived")


def missing_access() -> ApiError:
    """Return error 50001, for a channel in which the bot is not."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """Return error 50013."""
    return ApiError(403, 50013, "Missing Permissions")


def no_history() -> ApiError:
    """Return error 160002."""
    return ApiError(400, 160002, "Cannot reply without permission to read message history")


def thread_exists() -> ApiError:
    """Return error 160004."""
    return ApiError(400, 160004, "A thread has already been created for this message")


def not_the_author() -> ApiError:
    """Return error 50005."""
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> ApiError:
    """Return error 50006."""
    return ApiError(400, 50006, "Cannot send an empty message")


def too_large() -> ApiError:
    """Return error 40005."""
    return ApiError(413, 40005, "Request entity too large")


CLOSED_DMS = {
    50007: "Cannot send messages to this user",
    50278: "Cannot send messages to this user due to having no mutual guilds",
}


def closed_dms(code: int) -> ApiError:
    """Return error 50007 or 50278."""
    return ApiError(403, code, CLOSED_DMS[code])
