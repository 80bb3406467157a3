"""Failures of the outside world, split by what to do about them."""

from __future__ import annotations

from engine.models import Usage


class OutsideError(Exception):
    """Something outside failed; `usage` is what a vendor reported or must be assumed to charge."""

    def __init__(self, message: str, *, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage


class TryAgainError(OutsideError):
    """Overloaded, limited, unreachable or late: the same request may succeed after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None, usage: Usage | None = None) -> None:
        super().__init__(message, usage=usage)
        self.retry_after = retry_after


class LateError(TryAgainError):
    """No answer, or no more of it, within the time we wait."""


class StreamCutError(TryAgainError):
    """A model's stream ended without its end: not an answer."""


class GiveUpError(OutsideError):
    """The request itself is at fault: sending it again gives the same."""


class ContextTooLongError(GiveUpError):
    """The messages do not fit the model's window."""


class ContentRefusedError(GiveUpError):
    """The vendor's safety system refused."""


class GoneError(GiveUpError):
    """What was named no longer exists outside (a deleted customer, a message, a channel)."""


class UnreachableError(GiveUpError):
    """The person cannot be written to (closed DMs, no shared server)."""


class TellOperatorError(OutsideError):
    """Only the operator can mend it: a bad key, an unknown model or price, missing rights."""


class BadSignatureError(Exception):
    """A webhook that was not signed by whom it says, or not now."""


class BadPayloadError(Exception):
    """A webhook whose body is no event."""
