"""Stripe itself, as the engine's Billing and BillingRecords ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import stripe

from billing.changing import Changing
from billing.checkouts import checkout_params
from billing.client import Patience, StripeCaller, Turn, at_once
from billing.doctor import Premises, check_stripe
from billing.fresh import Fresh
from billing.keys import mode_of
from billing.money_back import MoneyBackDesk
from billing.prices import Prices, Purchase
from billing.reading import Reading
from billing.records import Records
from billing.setup_portal import barred, find_portal
from billing.snapshots import checkout_session, plain
from billing.usage import Usage
from billing.webhook import parse_webhook_event
from engine.domain import Interval, Micros, Tier, TierName
from engine.errors import GoneError, TellOperatorError
from engine.facts import (
    BillingEvent,
    CheckoutRequest,
    CheckoutSession,
    CustomerFacts,
    CustomerId,
    Mode,
    MoneyBack,
    SessionId,
    SessionStatus,
    Subscription,
)
from engine.ports import Clock
from engine.settings import StripeSettings
from engine.terms import ChangeOrder, ChangeResult, Policy, Preview, UsageReport, Wish


def is_stripe_configured(settings: StripeSettings | None) -> bool:
    """Whether there is a key to call Stripe with and a secret to know its events by."""
    return settings is not None and bool(settings.secret_key.get_secret_value() and settings.webhook_secrets)


def for_sale(tiers: Mapping[TierName, Tier]) -> dict[Purchase, Micros]:
    """Everything that can be bought, with its price in config.toml."""
    offers = {(name, interval): tier.price(interval) for name, tier in tiers.items() for interval in Interval}
    return {purchase: price for purchase, price in offers.items() if price > 0}


class StripeGateway:
    """Billing and BillingRecords on Stripe's API; `aclose` when done.

    Every POST carries an idempotency key: one of ours where a crash must not do it twice, else a fresh one of
    the SDK's. `pace` is awaited before every GET.
    """

    def __init__(
        self,
        settings: StripeSettings,
        tiers: Mapping[TierName, Tier],
        clock: Clock,
        policy: Policy = Policy(),  # noqa: B008 - frozen
        patience: Patience | None = None,
        pace: Turn | None = None,
        app_url: str = "http://localhost",
    ) -> None:
        key = settings.secret_key.get_secret_value()
        self._settings = settings
        self._premises = Premises(tiers, policy, app_url, clock)
        self._mode = mode_of(key)
        self._clock = clock
        self._secrets = tuple(secret.get_secret_value() for secret in settings.webhook_secrets)
        self._caller = StripeCaller(key, settings.api_base, patience or Patience(), pace or at_once)
        self._api = self._caller.sdk.v1
        self._prices = Prices(self._caller, for_sale(tiers), settings.prices)
        self._reading = Reading(self._caller, self._prices, self._mode, clock)
        self._changing = Changing(self._caller, self._reading, self._prices, tiers, policy)
        self._money_back = MoneyBackDesk(self._caller, self._mode)
        self._usage = Usage(self._caller)
        self._records = Records(self._caller, self._mode)
        self._portals: Fresh[str, str] = Fresh()

    @property
    def mode(self) -> Mode:
        return self._mode

    async def aclose(self) -> None:
        """Close the connections to Stripe."""
        await self._caller.close()

    async def create_customer(self, account: str, epoch: int) -> CustomerId:
        params: stripe.params.CustomerCreateParams = {"metadata": {"account_id": account, "mode": self._mode}}
        key = f"cust-{self._mode}-{account}-{epoch}"
        made = await self._caller.call(
            lambda: self._api.customers.create_async(params, {"idempotency_key": key})
        )
        return CustomerId(made.id)

    async def find_customer(self, account: str) -> CustomerId | None:
        query = f"metadata['account_id']:'{account}' AND metadata['mode']:'{self._mode}'"
        found = await self._caller.call(lambda: self._api.customers.search_async({"query": query}))
        oldest = min(found.data, key=lambda each: each.created, default=None)
        return CustomerId(oldest.id) if oldest else None

    async def check_price(self, tier: TierName, interval: Interval) -> None:
        await self._prices.sold((tier, interval))

    async def create_checkout_session(self, request: CheckoutRequest) -> CheckoutSession:
        price = await self._prices.sold((request.tier, request.interval))
        params = checkout_params(request, price)
        key = f"co-{request.attempt}"
        made = await self._caller.call(
            lambda: self._api.checkout.sessions.create_async(params, {"idempotency_key": key})
        )
        return checkout_session(plain(made))

    async def get_checkout_session(self, session: SessionId) -> CheckoutSession:
        found = await self._caller.call(lambda: self._api.checkout.sessions.retrieve_async(session))
        return checkout_session(plain(found))

    async def expire_checkout_session(self, session: SessionId) -> None:
        try:
            await self._caller.call(lambda: self._api.checkout.sessions.expire_async(session))
        except GoneError:
            return
        except TellOperatorError:
            # Stripe refuses to close what is closed, without a code of its own for that.
            found = await self.get_checkout_session(session)
            if found.status is SessionStatus.OPEN:
                raise

    async def create_customer_portal_session(
        self, customer: CustomerId, return_url: str, *, sells: bool = True
    ) -> str:
        params: stripe.params.billing_portal.SessionCreateParams = {
            "customer": customer,
            "return_url": return_url,
        }
        if ours := await (self._portal() if sells else barred(self._caller)):
            params["configuration"] = ours
        made = await self._caller.call(lambda: self._api.billing_portal.sessions.create_async(params))
        return made.url

    async def _portal(self) -> str:
        """Our portal configuration, which is never Stripe's default; '' where none was set up."""
        kept = self._portals.get("ours")
        if kept is None:
            found = await find_portal(self._caller)
            kept = self._portals.keep("ours", found["id"] if found else "")
        return kept

    async def get_stripe_subscription_status(self, customer: CustomerId) -> CustomerFacts:
        return await self._reading.customer(customer)

    async def preview_change(self, subscription: Subscription, wish: Wish, now: datetime) -> Preview:
        return await self._changing.preview(subscription, wish, now)

    async def change_subscription(self, order: ChangeOrder) -> ChangeResult:
        return await self._changing.carry_out(order)

    async def end_subscription(self, subscription: str, key: str, *, refund: bool) -> None:
        with suppress(GoneError):  # that is what Stripe says of one that is over
            await self._caller.call(lambda: self._api.subscriptions.cancel_async(subscription))
        if refund:
            await self._money_back.give_back(subscription, key)

    async def look_into(self, subject: str) -> MoneyBack | None:
        return await self._money_back.look_into(subject)

    async def report_usage(self, report: UsageReport) -> None:
        await self._usage.report(report)

    async def reported_usage(self, customer: CustomerId, since: datetime, until: datetime) -> int:
        return await self._usage.reported(customer, since, until)

    def parse_webhook_event(self, body: bytes, signature: str | None) -> BillingEvent:
        return parse_webhook_event(body, signature, self._secrets, self._clock.now())

    async def verify_stripe_config(self) -> Sequence[str]:
        self._prices.forget()
        return await check_stripe(self._caller, self._settings, self._premises)

    def undelivered_events(self, since: datetime) -> AsyncIterator[BillingEvent]:
        return self._records.undelivered_events(since)

    def all_subscriptions(self) -> AsyncIterator[Subscription]:
        return self._reading.everybody()

    def money_back(self, since: datetime) -> AsyncIterator[MoneyBack]:
        return self._money_back.since(since)

    def customers(self) -> AsyncIterator[tuple[CustomerId, str]]:
        return self._records.customers()
