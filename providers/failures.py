"""Decides what a vendor's failure calls for: codes and status first, the words of its message last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from socket import gaierror
from typing import Protocol

from engine.errors import (
    ContentRefusedError,
    ContextTooLongError,
    GiveUpError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.models import NO_USAGE, Usage

MESSAGE_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """What a vendor said when it failed; `retry_after` in seconds."""

    status: int | None = None
    codes: tuple[str, ...] = ()
    text: str = ""
    retry_after: float | None = None


class Remedy(Enum):
    """What can be done about a fault."""

    TRY_AGAIN = TryAgainError
    SHORTEN = ContextTooLongError
    REPHRASE = ContentRefusedError
    TELL_OPERATOR = TellOperatorError
    GIVE_UP = GiveUpError


def _all(remedy: Remedy, *keys: str) -> Mapping[str, Remedy]:
    return dict.fromkeys(keys, remedy)


PRECISE: Mapping[str, Remedy] = {
    **_all(Remedy.SHORTEN, "context_length_exceeded", "request_too_large", "string_above_max_length"),
    **_all(Remedy.REPHRASE, "content_filter", "content_policy_violation", "invalid_prompt"),
    **_all(Remedy.REPHRASE, "ResponsibleAIPolicyViolation"),
    **_all(Remedy.TELL_OPERATOR, "insufficient_quota", "billing_hard_limit_reached", "billing_error"),
    **_all(Remedy.TELL_OPERATOR, "invalid_api_key", "API_KEY_INVALID", "model_not_found"),
    **_all(Remedy.TELL_OPERATOR, "unsupported_parameter", "unsupported_value"),
}
"""Codes that say more than the status they come with."""

BROAD: Mapping[str, Remedy] = {
    **_all(Remedy.TELL_OPERATOR, "authentication_error", "permission_error", "not_found_error"),
    **_all(Remedy.GIVE_UP, "invalid_request_error", "INVALID_ARGUMENT"),
}
"""Kinds of error that count where there is no status: inside a stream."""

WORDS: Mapping[str, Remedy] = {
    **_all(Remedy.SHORTEN, "context length", "context window", "context limit", "context size"),
    **_all(Remedy.SHORTEN, "prompt is too long", "too many tokens", "maximum number of tokens"),
    **_all(Remedy.REPHRASE, "content filtering policy"),
    **_all(Remedy.TELL_OPERATOR, "api key not valid", "credit balance is too low"),
    **_all(Remedy.TELL_OPERATOR, "not supported for this model", "not supported by this model"),
}
"""What vendors write where they give no code, in lower case."""

BAD_REQUEST = 400
OPERATOR_STATUS = frozenset({401, 402, 403, 404, 405})
TOO_LARGE = 413
WAIT_STATUS = frozenset({408, 409, 425, 429})
SERVER_TROUBLE = 500


def remedy(fault: Fault) -> Remedy:
    """What a fault calls for."""
    for code in fault.codes:
        if code in PRECISE:
            return PRECISE[code]
    if fault.status is None:
        return _without_status(fault)
    return _by_status(fault.status) or _by_words(fault.text) or Remedy.GIVE_UP


def _without_status(fault: Fault) -> Remedy:
    broad = next((BROAD[code] for code in fault.codes if code in BROAD), Remedy.TRY_AGAIN)
    return (_by_words(fault.text) or broad) if broad is Remedy.GIVE_UP else broad


def _by_status(status: int) -> Remedy | None:
    if status >= SERVER_TROUBLE or status in WAIT_STATUS:
        return Remedy.TRY_AGAIN
    if status in OPERATOR_STATUS or status < BAD_REQUEST:
        return Remedy.TELL_OPERATOR
    return Remedy.SHORTEN if status == TOO_LARGE else None


def _by_words(text: str) -> Remedy | None:
    folded = text.casefold()
    return next((found for words, found in WORDS.items() if words in folded), None)


def said(fault: Fault, vendor: str, *, usage: Usage | None, begun: bool) -> OutsideError:
    """The error for what a vendor said; `begun`: words of the answer had come by then."""
    kind = remedy(fault)
    name = " ".join([vendor, str(fault.status or "in the stream"), *fault.codes])
    if kind is Remedy.TRY_AGAIN:
        error = StreamCutError if begun else TryAgainError
        return error(name, retry_after=fault.retry_after, usage=usage)
    if kind is Remedy.TELL_OPERATOR:  # nobody else is told its words: they may repeat what a member wrote
        return TellOperatorError(f"{name}: {fault.text[:MESSAGE_SHOWN]}", usage=usage)
    error_class: type[OutsideError] = kind.value
    return error_class(name, usage=usage)


def broke(error: BaseException, vendor: str, *, usage: Usage | None, opened: bool) -> OutsideError:
    """The error for a connection that failed; `opened`: the vendor had begun its reply by then."""
    causes = list(_chain(error))
    if any(isinstance(each, TimeoutError) for each in causes):
        # Before that only connecting has a bound of the SDK's: nothing was sent.
        return LateError(f"{vendor} gave no sign in time", usage=usage if opened else NO_USAGE)
    if opened:
        return StreamCutError(f"{vendor} broke off: {type(causes[-1]).__name__}", usage=usage)
    last = causes[-1]
    why = NO_NAME if isinstance(last, gaierror) else type(last).__name__
    return TryAgainError(f"{vendor} cannot be reached: {why}")


NO_NAME = "no server of that name is known here"


class Explaining(Protocol):
    """An adapter as far as its failures go."""

    @property
    def vendor(self) -> str:
        """Its name in messages to the operator."""
        ...

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """All that the SDK and what is below it raise when a call fails."""
        ...

    def explain(self, error: Exception) -> Fault | None:
        """What the vendor said; None if it said nothing."""
        ...


@contextmanager
def worded(adapter: Explaining) -> Iterator[None]:
    """Calls of a vendor that are no streams: their failures come out as errors by remedy."""
    try:
        yield
    except adapter.failures as error:
        fault = adapter.explain(error)
        if fault is None:
            raise broke(error, adapter.vendor, usage=None, opened=False) from error
        raise said(fault, adapter.vendor, usage=None, begun=False) from error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a vendor asks us to wait (RFC 9110, 10.2.3); a date is relative to the reply's own."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name, "")
        if value.replace(".", "", 1).isdecimal():
            return float(value) / unit
    return _until(headers.get("retry-after", ""), headers.get("date", ""))


def _until(then: str, now: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds())
    except (ValueError, TypeError):
        return None
