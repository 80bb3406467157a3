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
from engine.changes import Changes
from engine.checkout import Checkout, CheckoutLink, Links
from engine.dispatch import Dispatch
from engine.domain import Interval, Person, TierName
from engine.duties import Duties
from engine.facts import Mode, SessionId, Subscription, TierChange
from engine.ledger import Tx
from engine.metering import Meter
from engine.notices import Notice
from engine.reconcile import Reconcile
from engine.settings import StripeSettings
from engine.subscriptions import Subscriptions
from engine.terms import Policy
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
USUAL = Policy()


@dataclass(slots=True)
class Till:
    """One process that sells."""

    store: Store
    clock: FakeClock
    stripe: FakeStripe
    gateway: StripeGateway
    subscriptions: Subscriptions
    checkout: Checkout
    alter: Changes
    meter: Meter
    duties: Duties
    dispatch: Dispatch
    reconcile: Reconcile
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
        """Let every event arrive and do the work that is due, and what follows from it."""
        await self.stripe.courier.settled()
        self.clock.advance(timedelta(seconds=2))
        while await self.work():
            await self.stripe.courier.settled()
            self.clock.advance(timedelta(seconds=2))

    async def work(self) -> int:
        """What a worker does in a round; how much it was."""
        return (
            await self.subscriptions.work()
            + await self.subscriptions.look()
            + await self.duties.work()
            + await self.dispatch.seal()
            + await self.dispatch.work()
        )

    async def regular_looks(self) -> int:
        """The looks of every quarter of an hour, hour and night that are due; how many were."""
        return sum([await look() for look in self.reconcile.rounds])

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass here and at Stripe, and settle."""
        self.clock.advance(by)
        self.stripe.drive.advance(0)
        await self.settle()

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


def open_gateway(clock: FakeClock, fake: FakeStripe, policy: Policy = USUAL) -> StripeGateway:
    """The gateway of a process."""
    settings = StripeSettings(SecretStr("sk_test_fake"), fake.base_url, (SecretStr(SECRET),), {})
    return StripeGateway(settings, TIERS, clock, policy, patience=QUICK)


def open_till(
    store: Store,
    clock: FakeClock,
    fake: FakeStripe,
    policy: Policy = USUAL,
    gateway: StripeGateway | None = None,
) -> Till:
    """A process over these."""
    gateway = gateway or open_gateway(clock, fake, policy)
    catalogue = Catalogue(TIERS, ())
    subscriptions = Subscriptions(store, clock, gateway, policy=policy)
    dispatch = Dispatch(store, clock, gateway)
    duties = Duties(store, clock, gateway, policy, lambda: None)
    return Till(
        store,
        clock,
        fake,
        gateway,
        subscriptions,
        Checkout(store, clock, gateway, catalogue, subscriptions, LINKS, policy),
        Changes(store, clock, gateway, catalogue, subscriptions, dispatch.flush),
        Meter(store, clock, gateway, catalogue, subscriptions, policy),
        duties,
        dispatch,
        Reconcile(store, clock, gateway, subscriptions, duties, (dispatch.differences,), (dispatch.mend,)),
    )


@pytest.fixture
def policy() -> Policy:
    """How things are sold; a module that wants it otherwise has a fixture of its own."""
    return USUAL


@pytest.fixture
async def till(
    store: Store, clock: FakeClock, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Till]:
    """A till with its webhook route served, and nothing sent that Stripe would refuse."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeStripe(wall=lambda: clock.now().timestamp()))
        till = open_till(store, clock, fake, policy)
        stack.push_async_callback(till.gateway.aclose)
        inbox = StripeInbox(till.gateway.parse_webhook_event, till.subscriptions.receive)
        site = Site("http://127.0.0.1", stripe=inbox)
        till.port = await stack.enter_async_context(serve(site, "127.0.0.1", 0))
        fake.deliver_to(f"http://127.0.0.1:{till.port}/stripe/webhook")
        yield till
        assert fake.rejections == []
