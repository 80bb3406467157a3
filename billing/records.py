"""Long lists of Stripe's for reconciliation: events that were not taken, and customers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime

import stripe

from billing.client import StripeCaller
from billing.pages import Listing, Page, every
from billing.webhook import SNAPSHOT_EVENTS, read_event
from engine.facts import BillingEvent, CustomerId, Mode

MOST_TYPES = 20
"""How many types one list of events may ask for (docs.stripe.com/webhooks/process-undelivered-events)."""


class Records:
    """Reads page by page, so that a long list takes no more memory than a page."""

    def __init__(self, caller: StripeCaller, mode: Mode) -> None:
        self._caller = caller
        self._api = caller.sdk.v1
        self._mode = mode

    async def undelivered_events(self, since: datetime) -> AsyncIterator[BillingEvent]:
        """Events of our types that some endpoint did not take, from then on; Stripe keeps them 30 days."""
        kinds = sorted(SNAPSHOT_EVENTS)
        for first in range(0, len(kinds), MOST_TYPES):
            async for event in self._events(since, kinds[first : first + MOST_TYPES]):
                yield event

    async def customers(self) -> AsyncIterator[tuple[CustomerId, str]]:
        """Customers that were made for an account of ours, from the list: searching lags behind."""
        base: stripe.params.CustomerListParams = {}

        def page(where: Page) -> Listing:
            return self._api.customers.list_async({**base, **where})

        async for customer in every(self._caller, page):
            metadata = customer.get("metadata") or {}
            account = metadata.get("account_id")
            if account and metadata.get("mode") == self._mode:
                yield CustomerId(customer["id"]), account

    async def _events(self, since: datetime, kinds: list[str]) -> AsyncIterator[BillingEvent]:
        base: stripe.params.EventListParams = {
            "delivery_success": False,
            "types": kinds,
            "created": {"gte": int(since.timestamp())},
        }

        def page(where: Page) -> Listing:
            return self._api.events.list_async({**base, **where})

        async for fields in every(self._caller, page):
            yield read_event(fields, json.dumps(fields, default=str).encode())
