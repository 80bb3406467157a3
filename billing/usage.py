"""Tells Stripe's meter of use beyond what a tier includes, and asks it what it has."""

from __future__ import annotations

from datetime import datetime

import stripe

from billing.client import StripeCaller
from billing.fresh import Fresh
from billing.pages import Listing, Page, every
from billing.remedies import AlreadyDoneError
from billing.wanted import METER_EVENT
from engine.errors import TellOperatorError
from engine.facts import CustomerId
from engine.terms import UsageReport

HOUR = 3600


class Usage:
    """One meter, found by the name of its events."""

    def __init__(self, caller: StripeCaller) -> None:
        self._caller = caller
        self._api = caller.sdk.v1.billing
        self._meter: Fresh[str, str] = Fresh()

    async def report(self, report: UsageReport) -> None:
        """Tell the meter once: it refuses an identifier that it knows, which is as good."""
        params: stripe.params.billing.MeterEventCreateParams = {
            "event_name": METER_EVENT,
            "identifier": report.identifier,
            "payload": {"stripe_customer_id": report.customer, "value": str(report.units)},
            "timestamp": int(report.stamp.timestamp()),
        }
        try:
            await self._caller.call(lambda: self._api.meter_events.create_async(params))
        except AlreadyDoneError:
            return

    async def reported(self, customer: CustomerId, since: datetime, until: datetime) -> int:
        """Units of the whole hours from `since` to `until`."""
        start, end = (int(moment.timestamp()) // HOUR * HOUR for moment in (since, until))
        if start >= end:
            return 0
        meter = self._meter.get(METER_EVENT) or self._meter.keep(METER_EVENT, await self._find())
        base: stripe.params.billing.MeterEventSummaryListParams = {
            "customer": customer,
            "start_time": start,
            "end_time": end,
            "value_grouping_window": "hour",
        }

        def page(where: Page) -> Listing:
            return self._api.meters.event_summaries.list_async(meter, {**base, **where})

        return sum([int(summary["aggregated_value"]) async for summary in every(self._caller, page)])

    async def _find(self) -> str:
        base: stripe.params.billing.MeterListParams = {"status": "active"}

        def page(where: Page) -> Listing:
            return self._api.meters.list_async({**base, **where})

        async for meter in every(self._caller, page):
            if meter["event_name"] == METER_EVENT:
                wanted: str = meter["id"]
                return wanted
        raise TellOperatorError(f"Stripe has no active meter for {METER_EVENT}. Run main.py stripe-setup.")
