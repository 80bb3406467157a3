"""Stripe itself, as the engine's Billing port: customers, checkout, portal, subscriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import stripe

from billing.client import Patience, StripeCaller
from billing.doctor import check_stripe
from billing.prices import Prices, Purchase
from billing.snapshots import checkout_session, items_of, plain, subscription
from billing.webhook import parse_webhook_event
from engine.config import StripeSettings
from engine.domain import Interval, Micros, Tier, TierName
from engine.errors import GoneError, TellOperatorError
from engine.facts import (
    BillingEvent,
    CheckoutRequest,
    CheckoutSession,
    CustomerFacts,
    CustomerId,
    Mode,
    SessionId,
    SessionStatus,
    Subscription,
)
from engine.ports import Clock

PAGE = 100
LIVE_KEYS = ("sk_live_", "rk_live_")


def is_stripe_configured(settings: StripeSettings | None) -> bool:
    """Whether there is a key to call Stripe with and a secret to know its events by."""
    return settings is not None and bool(settings.secret_key.get_secret_value() and settings.webhook_secrets)


def mode_of(secret_key: str) -> Mode:
    """The world that a secret or restricted key opens (docs.stripe.com/keys)."""
    return Mode.LIVE if secret_key.startswith(LIVE_KEYS) else Mode.TEST


def for_sale(tiers: Mapping[TierName, Tier]) -> dict[Purchase, Micros]:
    """Everything that can be bought, with its price in config.toml."""
    offers = {(name, interval): tier.price(interval) for name, tier in tiers.items() for interval in Interval}
    return {purchase: price for purchase, price in offers.items() if price > 0}


class StripeGateway:
    """The Billing port on Stripe's API; `aclose` when done."""

    def __init__(
        self,
        settings: StripeSettings,
        tiers: Mapping[TierName, Tier],
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        key = settings.secret_key.get_secret_value()
        self._settings = settings
        self._mode = mode_of(key)
        self._clock = clock
        self._offers = for_sale(tiers)
        self._secrets = tuple(secret.get_secret_value() for secret in settings.webhook_secrets)
        self._caller = StripeCaller(key, settings.api_base, patience or Patience())
        self._api = self._caller.sdk.v1
        self._prices = Prices(self._caller, self._offers, settings.prices)

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

    async def create_checkout_session(self, request: CheckoutRequest) -> CheckoutSession:
        price = await self._prices.price_of((request.tier, request.interval))
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

    async def create_customer_portal_session(self, customer: CustomerId, return_url: str) -> str:
        made = await self._caller.call(
            lambda: self._api.billing_portal.sessions.create_async(
                {"customer": customer, "return_url": return_url}
            )
        )
        return made.url

    async def get_stripe_subscription_status(self, customer: CustomerId) -> CustomerFacts:
        try:
            listed = await self._all_subscriptions(customer)
        except GoneError:
            return CustomerFacts(gone=True)
        return CustomerFacts(tuple([await self._snapshot(each) for each in listed]))

    def parse_webhook_event(self, body: bytes, signature: str | None) -> BillingEvent:
        return parse_webhook_event(body, signature, self._secrets, self._clock.now())

    async def verify_stripe_config(self) -> Sequence[str]:
        self._prices.forget()
        return await check_stripe(self._caller, self._prices, self._settings, self._offers)

    async def _all_subscriptions(self, customer: CustomerId) -> list[stripe.Subscription]:
        """Every page, each as a call of its own, so that one bad moment repeats one page."""
        page = await self._page(customer, None)
        listed = list(page.data)
        while page.has_more:
            page = await self._page(customer, listed[-1].id)
            listed.extend(page.data)
        return listed

    async def _page(self, customer: CustomerId, after: str | None) -> stripe.ListObject[stripe.Subscription]:
        params: stripe.params.SubscriptionListParams = {"customer": customer, "status": "all", "limit": PAGE}
        if after is not None:
            params["starting_after"] = after
        return await self._caller.call(lambda: self._api.subscriptions.list_async(params))

    async def _snapshot(self, found: stripe.Subscription) -> Subscription:
        fields = plain(found)
        tiers = [await self._prices.tier_of(item["price"]) for item in items_of(fields)]
        return subscription(fields, tiers, self._mode)


def checkout_params(request: CheckoutRequest, price: str) -> stripe.params.checkout.SessionCreateParams:
    """A subscription of one price; equal requests give equal parameters, as idempotency keys demand."""
    metadata = {"account_id": request.account, "attempt": request.attempt}
    return {
        "mode": "subscription",
        "customer": request.customer,
        "client_reference_id": request.account,
        "line_items": [{"price": price, "quantity": request.quantity}],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
        "adaptive_pricing": {"enabled": False},
        "metadata": metadata,
        "subscription_data": {"metadata": metadata},
    }
