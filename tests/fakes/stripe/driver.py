"""What people and time do to the fake Stripe: pay, decline, cancel, miss a payment, grow older."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.fakes.stripe import catalogue, checkout, customers, lifecycle, portal, subscriptions
from tests.fakes.stripe.api import ROUTES
from tests.fakes.stripe.calls import Call
from tests.fakes.stripe.wire import Json
from tests.fakes.stripe.world import World

PRICES = {"premium": (899, 8900), "team": (2999, 29900), "pro": (4999, 49900)}
"""US cents by tier, a month and a year."""


@dataclass(frozen=True, slots=True)
class Driver:
    """Every method returns the object it changed, and emits the events that Stripe would."""

    world: World

    def stock(self, prices: Mapping[str, tuple[int, int]] = PRICES, version: str = "v1") -> dict[str, str]:
        """Make a product for each tier, with a monthly and a yearly price; price ids by lookup key."""
        made = {}
        for tier, (month, year) in prices.items():
            product = catalogue.add_product(self.world, tier.title(), {"tier": tier})
            for interval, amount in (("month", month), ("year", year)):
                key = f"{tier}_{interval}ly_{version}"
                extra = {"lookup_key": key}
                price = catalogue.add_price(self.world, product["id"], amount, {"interval": interval}, extra)
                made[key] = price["id"]
        return made

    def pay(self, session: str) -> Json:
        """Pay an open Checkout session."""
        return checkout.complete(self.world, self.world.get("checkout.session", session, "session"))

    def decline(self, session: str) -> Json:
        """Have the card declined at Checkout: the session stays open and no subscription is made."""
        return self.world.get("checkout.session", session, "session")

    def expire_session(self, session: str) -> Json:
        """Let a Checkout session run out."""
        route = ROUTES["POST /v1/checkout/sessions/{session}/expire"]
        return route.serve(self.world, Call({}, {"session": session}))

    def add_subscription(self, customer: str, price: str, quantity: int = 1, trial_days: int = 0) -> Json:
        """Start a subscription past Checkout, as an operator does in the dashboard."""
        line = (self.world.get("price", price, "price"), quantity)
        return lifecycle.start(self.world, customer, [line], {}, trial_days)

    def cancel_subscription(self, subscription: str, *, at_period_end: bool = False) -> Json:
        """Cancel now, or as the portal does it at the end of the period."""
        found = self._subscription(subscription)
        if at_period_end:
            return portal.schedule_end(self.world, found, pending=True)
        return lifecycle.cancel(self.world, found)

    def resume_subscription(self, subscription: str) -> Json:
        """Take a pending cancellation back."""
        return portal.schedule_end(self.world, self._subscription(subscription), pending=False)

    def fail_renewal(self, subscription: str) -> Json:
        """Have the renewal's payment fail: past due, until `recover` or `give_up`."""
        found = self._subscription(subscription)
        lifecycle.fail(self.world, found)
        return found

    def recover(self, subscription: str) -> Json:
        """Have the failed payment succeed after all."""
        found = self._subscription(subscription)
        lifecycle.recover(self.world, found)
        return found

    def give_up(self, subscription: str) -> Json:
        """End the dunning of a past-due subscription: Stripe cancels it."""
        return lifecycle.cancel(self.world, self._subscription(subscription), "payment_failed")

    def change_price(self, subscription: str, price: str, quantity: int | None = None) -> Json:
        """Move the first item to another price; its quantity becomes 1 unless one is given."""
        found = self._subscription(subscription)
        subscriptions.swap_price(self.world, found["items"]["data"][0], price, quantity)
        return lifecycle.updated(self.world, found)

    def set_status(self, subscription: str, status: str) -> Json:
        """Put a subscription into any status."""
        found = self._subscription(subscription)
        found["status"] = status
        return lifecycle.updated(self.world, found)

    def delete_customer(self, customer: str) -> Json:
        """Delete a customer in the dashboard."""
        route = customers.ROUTES["DELETE /v1/customers/{customer}"]
        return route.serve(self.world, Call({}, {"customer": customer}))

    def advance(self, seconds: int) -> Json:
        """Move the fake's clock on and do all that falls due."""
        self.world.offset += seconds
        lifecycle.catch_up(self.world)
        return {"now": self.world.now()}

    def roll_secret(self, secret: str, *, keep_old: bool = True) -> Json:
        """Give every endpoint a new signing secret; the old ones go on signing too unless dropped."""
        for held in self.world.endpoint_secrets.values():
            held[:] = [secret, *held] if keep_old else [secret]
        return {"secrets": len(self.world.endpoint_secrets)}

    def emit(self, kind: str, subject: Json) -> Json:
        """Send an event of any type about any object."""
        return self.world.emit(kind, subject)

    def _subscription(self, wanted: str) -> Json:
        return self.world.get("subscription", wanted, "subscription")
