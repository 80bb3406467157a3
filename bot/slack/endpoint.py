"""HTTP mode: signed calls from Slack, verified before anything else looks at them."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier

from engine.ports import Clock, HttpAnswer, HttpRequest

TIMESTAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
UNIX_TIME = re.compile(r"[0-9]{1,12}")
UNSIGNED = HttpAnswer(
    401, "The signature does not fit: calls have to be signed with this app's signing secret."
)
NOT_READY = HttpAnswer(503, "Not connected to Slack yet.")
UNREADABLE = HttpAnswer(400, "The body cannot be read.")


class VerifierClock(SlackClock):
    """The house's clock in the shape that slack_sdk wants."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Unix seconds."""
        return self._clock.now().timestamp()


class SlackHttp:
    """The engine's PlatformEndpoint for Slack; it answers 503 until `app` is set."""

    def __init__(self, signing_secret: str, clock: Clock) -> None:
        self._verifier = SignatureVerifier(signing_secret, VerifierClock(clock))
        self.app: AsyncApp | None = None

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not self.signed(request.body, headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")):
            return UNSIGNED
        if self.app is None:
            return NOT_READY
        try:
            call = AsyncBoltRequest(body=request.body.decode(), query=request.query, headers={**headers})
        except (ValueError, AttributeError):  # Bolt takes every JSON for an object
            return UNREADABLE
        answer = await self.app.async_dispatch(call)
        content_type = answer.first_headers().get("content-type", "text/plain")
        return HttpAnswer(answer.status, answer.body, content_type.partition(";")[0])

    def signed(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Whether the body was signed with our secret within five minutes of now.

        The SDK raises for a timestamp that is no number, for a body that is no UTF-8 and for a signature that
        is no ASCII; those are simply not signed.
        """
        if not (UNIX_TIME.fullmatch(timestamp) and signature.isascii()):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:
            return False
