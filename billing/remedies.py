"""Turns what the Stripe SDK raises into the engine's errors, by what can be done about it."""

from __future__ import annotations

import stripe

from engine.errors import GiveUpError, GoneError, LateError, OutsideError, TellOperatorError, TryAgainError

_CONFLICT = 409
_SERVER_FAULTS = 500
_MISSING = "resource_missing"
_REFUNDED = "charge_already_refunded"
_KNOWN_USAGE = "already exists with identifier"
"""Stripe gives no code when a meter event comes a second time, only these words."""


class PriceMissingError(TellOperatorError):
    """A price that the operator named, or that its lookup key should lead to, does not exist."""


class AlreadyDoneError(GiveUpError):
    """What was asked for had been done before."""


def remedy(error: stripe.StripeError) -> OutsideError:
    """The engine's error for an SDK error; codes as in docs.stripe.com/error-codes."""
    words = f"Stripe: {error.user_message or error}"
    match error:
        case stripe.APIConnectionError():
            late = isinstance(error.__cause__, TimeoutError)
            return LateError("Stripe did not answer in time") if late else TryAgainError("no line to Stripe")
        case stripe.RateLimitError():
            return TryAgainError(words, retry_after=1.0)
        case stripe.AuthenticationError() | stripe.PermissionError():
            return TellOperatorError(words)
        case stripe.InvalidRequestError():
            return _of_request(error, words)
        case stripe.IdempotencyError() | stripe.CardError():
            return GiveUpError(words)
    return _of_status(error.http_status, words)


def _of_request(error: stripe.InvalidRequestError, words: str) -> OutsideError:
    if error.code == _REFUNDED or _KNOWN_USAGE in words:
        return AlreadyDoneError(words)
    if error.code != _MISSING:
        return TellOperatorError(words)
    return PriceMissingError(words) if "price" in (error.param or "") else GoneError(words)


def _of_status(status: int | None, words: str) -> OutsideError:
    """A 409 is another request with the same idempotency key that still runs."""
    again = status is None or status == _CONFLICT or status >= _SERVER_FAULTS
    return TryAgainError(words) if again else TellOperatorError(words)
