"""A simulated Stripe with prices, a clock that is moved, and a webhook receiver, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from billing.simulated import SimulatedBilling
from billing.simulated_clock import SimulatedClock
from billing.simulation import Simulation
from engine.domain import AccountId, Interval, Micros, Person, Platform, Tier, TierName
from engine.facts import CheckoutRequest, CustomerId, CustomerRecord, Mode, Subscription
from engine.ports import Store
from engine.terms import ChangeKind, ChangeOrder, ChangeResult, Policy, Preview, Wish
from tests.billing.inbox import Inbox
from tests.fakes.clock import FakeClock

APP = "http://127.0.0.1:8080"
ANNA = Person(Platform.LOCAL, "", "anna")


def tier(name: TierName, month: int, year: int, seats: int = 1) -> Tier:
    """A tier whose extra seats cost 5 a month and 50 a year."""
    return Tier(
        name,
        list(TierName).index(name),
        Micros(month),
        Micros(year),
        None,
        None,
        None,
        None,
        frozenset(),
        seats=seats,
        extra_seat_month=Micros(5_000_000) if seats > 1 else None,
        extra_seat_year=Micros(50_000_000) if seats > 1 else None,
    )


PRICED = {
    TierName.PREMIUM: tier(TierName.PREMIUM, 9_000_000, 90_000_000),
    TierName.TEAM: tier(TierName.TEAM, 30_000_000, 300_000_000, seats=5),
    TierName.PRO: tier(TierName.PRO, 50_000_000, 500_000_000),
}


@dataclass(slots=True)
class SimulatedTill:
    """One customer of one simulated Stripe; `inbox` gets its events while it is entered."""

    store: Store
    wall: FakeClock
    inbox: Inbox
    clock: SimulatedClock = field(init=False)
    billing: SimulatedBilling = field(init=False)
    simulation: Simulation = field(init=False)
    customer: CustomerId = field(init=False)
    heard: int = 0

    def __post_init__(self) -> None:
        self.clock = SimulatedClock(self.wall)
        policy = Policy(metered_markup=Decimal("1.25"))
        self.billing = SimulatedBilling(self.store, self.clock, APP, PRICED, policy)
        self.simulation = Simulation(self.store, self.clock, self.billing)

    async def meet(self) -> None:
        """Anna gets an account and its customer."""
        now = self.clock.now()
        account = await self.store.transact(lambda tx: tx.lock_account(ANNA, now))
        self.customer = await self.billing.create_customer(account.id, 0)
        record = CustomerRecord(account.id, Mode.SIMULATED, self.customer, 0)
        await self.store.transact(lambda tx: tx.save_customer(record))

    async def buy(self, tier: TierName = TierName.PREMIUM, **more: object) -> Subscription:
        """Anna pays a checkout; `more` are fields of its request. The events are out of the way then."""
        await self.buy_unheard(tier, **more)
        await self.hears("customer.subscription.created", "invoice.paid", "checkout.session.completed")
        return await self.sub()

    async def buy_unheard(self, tier: TierName = TierName.PREMIUM, **more: object) -> None:
        """The same, whoever takes the events."""
        request = CheckoutRequest(
            attempt=f"attempt-{tier}-{self.clock.now().isoformat()}",
            account=AccountId("account-1"),
            customer=self.customer,
            tier=tier,
            interval=Interval.MONTH,
            quantity=1,
            expires_at=self.clock.now() + timedelta(hours=1),
            success_url=f"{APP}/billing/success",
            cancel_url=f"{APP}/billing/cancel",
        )
        session = await self.billing.create_checkout_session(replace(request, **more))  # type: ignore[arg-type]
        await self.billing.pay(session.id)

    async def sub(self) -> Subscription:
        """Her newest subscription."""
        facts = await self.billing.get_stripe_subscription_status(self.customer)
        return facts.subscriptions[0]

    async def passes(self, **span: float) -> None:
        """Time, by the simulation's clock."""
        await self.simulation.advance(timedelta(**span))

    async def hears(self, *kinds: str) -> None:
        """The next events that arrive are exactly these."""
        await self.inbox.holds(self.heard + len(kinds))
        assert tuple(self.inbox.types()[self.heard :]) == kinds
        self.heard += len(kinds)

    async def change(
        self, kind: ChangeKind, tier: TierName, interval: Interval = Interval.MONTH, quantity: int = 1
    ) -> tuple[Preview, ChangeResult]:
        """Preview a wish and confirm it."""
        sub, wish = await self.sub(), Wish(kind, tier, interval, quantity)
        preview = await self.billing.preview_change(sub, wish, self.clock.now())
        order = ChangeOrder(uuid4().hex, sub, wish, preview.timing, preview.effective_at)
        return preview, await self.billing.change_subscription(order)

    async def portal(self) -> str:
        """The id of a fresh portal session."""
        url = await self.billing.create_customer_portal_session(self.customer, APP)
        return url.rpartition("/")[2]


@asynccontextmanager
async def opened_till(store: Store, wall: FakeClock, inbox: Inbox) -> AsyncIterator[SimulatedTill]:
    """A till whose events are delivered meanwhile."""
    till = SimulatedTill(store, wall, inbox)
    await till.meet()
    delivering = asyncio.create_task(till.billing.run(inbox.url))
    try:
        yield till
    finally:
        delivering.cancel()
        with suppress(asyncio.CancelledError):
            await delivering
