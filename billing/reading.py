"""Reads customers and subscriptions of Stripe as the engine's facts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import stripe

from billing.client import StripeCaller
from billing.monthly import is_metered, monthly
from billing.pages import Listing, Page, every
from billing.prices import Prices
from billing.snapshots import (
    EXPANDED,
    Fields,
    Findings,
    at,
    awaited_invoice,
    interval_of,
    items_of,
    name_of,
    next_phase,
    plain,
    subscription,
)
from engine.errors import GoneError
from engine.facts import CustomerFacts, CustomerId, Mode, PaymentStatus, Planned, Subscription
from engine.ports import Clock

LISTED = [f"data.{path}" for path in EXPANDED]


class Reading:
    """Every fact about subscriptions comes from here, in one shape."""

    def __init__(self, caller: StripeCaller, prices: Prices, mode: Mode, clock: Clock) -> None:
        self._caller = caller
        self._api = caller.sdk.v1
        self._prices = prices
        self._mode = mode
        self._clock = clock

    async def customer(self, customer: CustomerId) -> CustomerFacts:
        """All subscriptions of a customer, ended ones too; a deleted one keeps those it had."""
        params: stripe.params.SubscriptionListParams = {"customer": customer}
        try:
            listed = [fields async for fields in self._list(params)]
            gone = any(_deleted(fields["customer"]) for fields in listed)
            gone = gone or (not listed and await self._is_deleted(customer))
        except GoneError:
            return CustomerFacts(gone=True)
        return CustomerFacts(tuple([await self.snapshot(fields) for fields in listed]), gone=gone)

    async def everybody(self) -> AsyncIterator[Subscription]:
        """Every subscription of the Stripe account, ended ones too."""
        async for fields in self._list({}):
            yield await self.snapshot(fields)

    async def fields(self, wanted: str) -> Fields:
        """One subscription as Stripe has it now; GoneError if there is none of that id."""
        params: stripe.params.SubscriptionRetrieveParams = {"expand": list(EXPANDED)}
        return plain(await self._caller.call(lambda: self._api.subscriptions.retrieve_async(wanted, params)))

    async def snapshot(self, fields: Fields) -> Subscription:
        """The facts of a subscription that was read with `EXPANDED`."""
        items = items_of(fields)
        priced = [{**item, "price": await self._prices.whole(item["price"])} for item in items]
        return subscription(
            fields,
            self._mode,
            Findings(
                tiers=[await self._prices.tier_of(item["price"]) for item in items],
                mrr=monthly(priced, fields.get("discounts") or (), self._clock.now()),
                planned=await self._planned(fields),
                open_invoice=await self._open_invoice(fields),
            ),
        )

    def _list(self, base: stripe.params.SubscriptionListParams) -> AsyncIterator[Fields]:
        def page(where: Page) -> Listing:
            return self._api.subscriptions.list_async({**base, "status": "all", "expand": LISTED, **where})

        return every(self._caller, page)

    async def _is_deleted(self, customer: CustomerId) -> bool:
        return _deleted(plain(await self._caller.call(lambda: self._api.customers.retrieve_async(customer))))

    async def _open_invoice(self, fields: Fields) -> Fields | None:
        """The oldest invoice that is owed, else the one that something waits for."""
        if fields["status"] != PaymentStatus.PAST_DUE:
            return awaited_invoice(fields)

        base: stripe.params.InvoiceListParams = {"subscription": fields["id"], "status": "open"}

        def page(where: Page) -> Listing:
            return self._api.invoices.list_async({**base, **where})

        owed = [invoice async for invoice in every(self._caller, page)]
        return min(owed, key=lambda invoice: int(invoice["created"]), default=None)

    async def _planned(self, fields: Fields) -> Planned | None:
        phase = next_phase(fields)
        for item in phase["items"] if phase else ():
            price = await self._prices.retrieve(name_of(item["price"]) or "")
            if phase and not is_metered(price):
                tier = await self._prices.tier_of(price)
                return Planned(tier, interval_of(price), item.get("quantity") or 1, at(phase["start_date"]))
        return None


def _deleted(customer: str | Fields) -> bool:
    return not isinstance(customer, str) and bool(customer.get("deleted"))
