"""The Stripe SDK's client as we use it: on aiohttp, with retries that end in time, and our own errors."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
import stripe

from billing.remedies import remedy
from engine.errors import LateError

T = TypeVar("T")
Answer = tuple[bytes, int, Mapping[str, str]]
Turn = Callable[[], Awaitable[None]]

RETRIES = 2
BEYOND = 2
"""A single try may take so many times our patience: if both ran out at one moment, aiohttp would swallow our
cancellation and the SDK would try again, with nobody left to stop it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long Stripe is waited for, in seconds.

    A call with all its tries may take `whole`, so that a chat command answers within 10 s. After a 429, which
    the SDK does not retry, we wait each of `after_limits` in turn.
    """

    whole: float = 9.0
    after_limits: Sequence[float] = (0.25, 0.5, 1.0, 2.0)


async def at_once() -> None:
    """The turn of those who need not wait for one."""


class StripeHttp(stripe.AIOHTTPClient):
    """aiohttp under the SDK; errors while a body is read become the SDK's own, so it retries them too.

    Each read, and each repetition of one, awaits its `turn` first.
    """

    def __init__(self, timeout: float, turn: Turn) -> None:
        super().__init__(timeout=aiohttp.ClientTimeout(timeout))
        self._turn = turn

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> Answer:
        if method.lower() == "get":
            await self._turn()
        try:
            return await super().request_async(method, url, headers, post_data)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._handle_request_error(error)


class StripeCaller:
    """Makes calls through the SDK; `sdk` has its services."""

    def __init__(
        self, secret_key: str, api_base: str | None, patience: Patience, turn: Turn = at_once
    ) -> None:
        stripe.enable_telemetry = False  # it would write a file into the home directory
        self._http = StripeHttp(BEYOND * patience.whole, turn)
        self._patience = patience
        self.sdk = stripe.StripeClient(
            secret_key,
            http_client=self._http,
            max_network_retries=RETRIES,
            base_addresses={"api": api_base.rstrip("/")} if api_base else {},
        )

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Await what `ask` makes, again after a 429; OutsideError by remedy.

        A call that runs out of patience may still take effect: what is made carries an idempotency key.
        """
        try:
            async with asyncio.timeout(self._patience.whole):
                return await self._past_limits(ask)
        except TimeoutError:
            raise LateError("Stripe did not answer in time") from None
        except stripe.StripeError as error:
            raise remedy(error) from error

    async def _past_limits(self, ask: Callable[[], Awaitable[T]]) -> T:
        for wait in self._patience.after_limits:
            try:
                return await ask()
            except stripe.RateLimitError:
                await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, guards nothing
        return await ask()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]
