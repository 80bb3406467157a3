"""HTTP mode's side of the fake: signed requests to the app's one address."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack.log import SECONDS_TO_ACK, Delivery, Log
from tests.fakes.slack.signing import signed

if TYPE_CHECKING:
    from collections.abc import Callable

FORM = "application/x-www-form-urlencoded"


class Posts:
    """Sends deliveries to `url`, signed, and takes the answer for the acknowledgement."""

    def __init__(self, url: str, log: Log, now: Callable[[], float]) -> None:
        self.url = url
        self.also: tuple[str, ...] = ()
        """Other addresses that get a copy of everything, as when a proxy repeats what it forwards."""
        self._log = log
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def send(self, delivery: Delivery) -> None:
        """Post one delivery; a failed or refused one becomes a finding."""
        body, content_type = encoded(delivery)
        headers = {"Content-Type": content_type, **signed(body, self._now()), **_retry_headers(delivery)}
        try:
            async with asyncio.timeout(SECONDS_TO_ACK + 1):
                (status, text), *_ = await asyncio.gather(
                    *(self.post(body, headers, url) for url in (self.url, *self.also))
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            self._log.find(f"{delivery.kind} could not be posted: {error!r}")
            return
        if status != 200:
            self._log.find(f"{delivery.kind} was answered with {status}: {text[:200]}")
        answer = json.loads(text) if text.startswith("{") else {"text": text} if text else None
        self._log.acked(delivery, asyncio.get_running_loop().time(), status, answer)

    async def post(self, body: bytes, headers: dict[str, str], url: str = "") -> tuple[int, str]:
        """Post raw bytes; the status and body of the answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(
            url or self.url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, await answer.text()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()


def encoded(delivery: Delivery) -> tuple[bytes, str]:
    """A delivery's body and content type, which differ for each kind."""
    if delivery.kind == "events_api":
        return json.dumps(delivery.payload).encode(), "application/json"
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload).encode(), FORM
    return urlencode({"payload": json.dumps(delivery.payload)}).encode(), FORM


def _retry_headers(delivery: Delivery) -> dict[str, str]:
    if not delivery.retry:
        return {}
    return {"X-Slack-Retry-Num": str(delivery.retry), "X-Slack-Retry-Reason": delivery.reason}
