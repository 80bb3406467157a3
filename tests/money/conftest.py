"""A till: checkout, sync and the webhook route over a fake Stripe, on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
import stripe
from pydantic import SecretStr

from billing.client import Patience
from billing.gateway import StripeGateway
from engine.catalogue import Catalogue
from engine.checkout import Checkout, CheckoutLink, Links
from engine.config import StripeSettings
from engine.domain import Interval, Person, TierName
from engine.facts import Mode, Notice, SessionId, Subscription, TierChange
from engine.ledger import Tx
from engine.subscriptions import Subscriptions
from storage.store import Store
from tests.billing.conftest import TIERS
from tests.engine.conftest import ALICE
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import SECRET, FakeStripe
from webhooks.server import serve
from webhooks.site import Site, StripeInbox

LINKS = Links(
    "http://127.0.0.1/billing/success?session_id={CHECKOUT_SESSION_ID}",
    "http://127.0.0.1/c",
    "http://127.0.0.1",
)
QUICK = Patience(whole=2.0, after_limits=(0.01, 0.01))


@dataclass(slots=True)
class Till:
    """One process that sells."""

    store: Store
    clock: FakeClock
    stripe: FakeStripe
    gateway: StripeGateway
    subscriptions: Subscriptions
    checkout: Checkout
    port: int = 0

    async def buy(self, tier: TierName = TierName.PREMIUM, person: Person = ALICE) -> CheckoutLink:
        """A checkout link."""
        link = await self.checkout.upgrade(person, tier, Interval.MONTH)
        assert isinstance(link, CheckoutLink)
        return link

    def session(self) -> SessionId:
        """The newest Checkout session's id."""
        return SessionId(self.stripe.world.rows("checkout.session")[0]["id"])

    async def paid(self, tier: TierName = TierName.PREMIUM) -> str:
        """Buy, pay, and let the news arrive and be read; the subscription's id."""
        await self.buy(tier)
        self.stripe.drive.pay(self.session())
        await self.settle()
        return str(self.stripe.world.rows("subscription")[0]["id"])

    async def settle(self) -> None:
        """Let every event arrive and do the work that is due."""
        await self.stripe.courier.settled()
        self.clock.advance(timedelta(seconds=2))
        while await self.subscriptions.work():
            pass

    async def tier(self, person: Person = ALICE) -> TierName:
        """The person's tier now."""
        return (await self.subscriptions.access(person)).tier

    async def changes(self) -> list[TierChange]:
        """Alice's tier changes."""
        return await self.store.read(lambda tx: list(tx.tier_changes(tx.find_account(ALICE).id)))  # type: ignore[union-attr]

    async def notices(self) -> list[Notice]:
        """What Alice is owed or was sent."""
        return await self.store.read(lambda tx: list(tx.notices(tx.find_account(ALICE).id)))  # type: ignore[union-attr]

    async def facts(self) -> list[Subscription]:
        """Our copy of Alice's subscriptions."""

        def work(tx: Tx) -> list[Subscription]:
            account = tx.find_account(ALICE)
            return list(tx.subscriptions(account.id, Mode.TEST)) if account else []

        return await self.store.read(work)


def open_till(store: Store, clock: FakeClock, fake: FakeStripe) -> Till:
    """A process over these."""
    settings = StripeSettings(SecretStr("sk_test_fake"), fake.base_url, (SecretStr(SECRET),), {})
    gateway = StripeGateway(settings, TIERS, clock, QUICK)
    subscriptions = Subscriptions(store, clock, gateway)
    checkout = Checkout(store, clock, gateway, Catalogue(TIERS, ()), subscriptions, LINKS)
    return Till(store, clock, fake, gateway, subscriptions, checkout)


@pytest.fixture
async def till(store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """A till with its webhook route served, and nothing sent that Stripe would refuse."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeStripe(wall=lambda: clock.now().timestamp()))
        till = open_till(store, clock, fake)
        stack.push_async_callback(till.gateway.aclose)
        inbox = StripeInbox(till.gateway.parse_webhook_event, till.subscriptions.receive)
        site = Site("http://127.0.0.1", stripe=inbox)
        till.port = await stack.enter_async_context(serve(site, "127.0.0.1", 0))
        fake.deliver_to(f"http://127.0.0.1:{till.port}/stripe/webhook")
        yield till
        assert fake.rejections == []
