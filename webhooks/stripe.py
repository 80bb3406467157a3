"""Takes Stripe's webhook events: raw bytes are verified and stored, and the answer says no more than that."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from engine.errors import BadPayloadError, BadSignatureError, OutsideError
from engine.tallies import Delivery
from webhooks.body import read_body
from webhooks.boundary import STRIPE_PATH
from webhooks.site import Knocked, StripeInbox
from webhooks.words import answer

if TYPE_CHECKING:
    from webhooks.metrics import Metrics

logger = logging.getLogger("webhooks.stripe")

MOST_BYTES = 1024 * 1024

OFF = "Billing is off here, so this address takes no events."
BAD_SIGNATURE = (
    "The Stripe-Signature header does not fit: the event must be signed with this endpoint's secret, "
    "less than five minutes ago."
)
BAD_PAYLOAD = "The body is signed but is not a Stripe event."


def routes(
    inbox: StripeInbox | None, metrics: Metrics | None = None, knocked: Knocked | None = None
) -> list[web.RouteDef]:
    """The endpoint, or where billing is off the words that say so."""
    if inbox is None:
        return [web.route("*", STRIPE_PATH, _off)]
    return [web.post(STRIPE_PATH, StripeEndpoint(inbox, metrics, knocked).take)]


class StripeEndpoint:
    """Answers 200 for an event that is stored, `changed` if it has consequences; 4xx for what is none."""

    def __init__(
        self, inbox: StripeInbox, metrics: Metrics | None = None, knocked: Knocked | None = None
    ) -> None:
        self._inbox = inbox
        self._metrics = metrics
        self._knocked = knocked

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Verify, store and answer; TryAgainError passes (503), so that Stripe delivers again."""
        loop = asyncio.get_running_loop()
        call = _Call(loop.time())
        try:
            return await self._take(request, call)
        finally:
            if self._metrics:
                self._metrics.webhook(call.type, call.outcome, loop.time() - call.begun)

    async def _take(self, request: web.Request, call: _Call) -> web.StreamResponse:
        body = await read_body(request, MOST_BYTES)
        try:
            event = self._inbox.parse(body, _signature(request))
        except BadSignatureError:
            call.outcome = "bad_signature"
            if self._knocked:
                await self._knocked(STRIPE_PATH)
            self._inbox.untaken(Delivery.SIGNATURE)
            raise _refused("signature", BAD_SIGNATURE) from None
        except BadPayloadError:
            call.outcome = "bad_payload"
            self._inbox.untaken(Delivery.PAYLOAD)
            raise _refused("payload", BAD_PAYLOAD) from None
        call.type = event.type
        try:
            changed = await self._inbox.receive(event)
        except OutsideError:
            self._inbox.untaken(Delivery.AWAY)
            raise
        call.outcome = "stored" if changed else "nothing_new"
        logger.info("event taken", extra={"id": event.id, "type": event.type, "changed": changed})
        return answer({"received": True, "changed": changed})


@dataclass(slots=True)
class _Call:
    """What has become of a call so far."""

    begun: float
    type: str = "unknown"
    outcome: str = "failed"


def _signature(request: web.Request) -> str | None:
    """The header, but None if it holds anything that no signature has."""
    text = request.headers.get("Stripe-Signature")
    return text if text is not None and text.isascii() else None


def _refused(why: str, words: str) -> web.HTTPBadRequest:
    logger.warning("event refused", extra={"why": why})
    return web.HTTPBadRequest(text=words)


async def _off(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text=OFF)
