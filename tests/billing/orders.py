"""What a member goes through to change a subscription: see it, be shown a price, confirm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from billing.gateway import StripeGateway
from engine.domain import Interval, TierName
from engine.facts import CustomerId, Subscription
from engine.terms import ChangeKind, ChangeOrder, ChangeResult, Preview, Wish
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe

MONTH, YEAR = Interval.MONTH, Interval.YEAR
USAGE_CENTS = "0.12"


@dataclass(slots=True)
class Member:
    """A customer with one subscription on the fake, ten days into its period."""

    fake: FakeStripe
    gateway: StripeGateway
    clock: FakeClock
    customer: str
    orders: int = 0

    def subscribes(self, lookup_key: str, quantity: int = 1, trial_days: int = 0) -> None:
        """Start the subscription, and let ten days pass."""
        self.fake.drive.add_subscription(
            self.customer, self.fake.prices[lookup_key], quantity, trial_days=trial_days
        )
        self.clock.advance(timedelta(days=10))

    async def sees(self) -> Subscription:
        """The newest subscription."""
        facts = await self.gateway.get_stripe_subscription_status(CustomerId(self.customer))
        return facts.subscriptions[0]

    async def is_shown(self, wish: Wish) -> tuple[ChangeOrder, Preview]:
        """The preview of a wish, and the order that confirming it gives."""
        seen = await self.sees()
        shown = await self.gateway.preview_change(seen, wish, self.clock.now())
        self.orders += 1
        key = f"chg-{self.orders}"
        return ChangeOrder(key, seen, wish, shown.timing, shown.effective_at), shown

    async def gets(self, wish: Wish) -> ChangeResult:
        """Wish, see the price, and confirm."""
        order, _ = await self.is_shown(wish)
        return await self.gateway.change_subscription(order)


def switch(tier: TierName, interval: Interval = MONTH, quantity: int = 1) -> Wish:
    """Another tier or interval."""
    return Wish(ChangeKind.SWITCH, tier, interval, quantity)


def seats(quantity: int, interval: Interval = MONTH) -> Wish:
    """Another number of seats."""
    return Wish(ChangeKind.SEATS, TierName.TEAM, interval, quantity)


def same(kind: ChangeKind, seen: Subscription, quantity: int = 1) -> Wish:
    """A wish that leaves tier and interval as they are."""
    return Wish(kind, seen.tier or TierName.FREE, seen.interval or MONTH, quantity)
