"""Stripe's idempotency: one key, one outcome, and a complaint when the key comes with other parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fakes.stripe.wire import Json, StripeError

_KEPT_SECONDS = 86_400
_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer."""

    status: int
    body: Json
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    fingerprint: str
    answer: Answer
    until: int


@dataclass(slots=True)
class Replays:
    """Outcomes by idempotency key, kept for 24 hours; failed ones too once an endpoint had begun its work."""

    _kept: dict[str, _Kept] = field(default_factory=dict)

    def find(self, key: str, fingerprint: str, now: int) -> Answer | None:
        """The kept answer of a key, if it was used for this very request."""
        if len(key) > _LONGEST_KEY:
            raise StripeError("Idempotency keys can have at most 255 characters.", kind="idempotency_error")
        kept = self._kept.get(key)
        if kept is None or kept.until <= now:
            return None
        if kept.fingerprint != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise StripeError(message, kind="idempotency_error")
        return Answer(kept.answer.status, kept.answer.body, replayed=True)

    def keep(self, key: str, fingerprint: str, answer: Answer, now: int) -> None:
        """Remember an outcome."""
        self._kept[key] = _Kept(fingerprint, answer, now + _KEPT_SECONDS)
