"""Billing without Stripe, for development and the offline demo: the same port, events and sync, no money."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from billing.simulated_changes import changed, outdated, preview
from billing.simulated_deeds import invoice_of, refunded
from billing.simulated_life import ended
from billing.simulated_objects import Invoice, Payer, Portal, Quarrel, Sale, Use
from billing.simulated_pages import SimulatedPages
from billing.simulated_plans import Affairs, Plan
from billing.simulated_prices import SimulatedPrices
from billing.simulated_records import SimulatedRecords
from billing.simulated_shelf import find, load
from billing.simulated_world import World
from billing.webhook import parse_webhook_event
from engine.domain import Interval, Tier, TierName
from engine.errors import GiveUpError, GoneError, TellOperatorError, TryAgainError
from engine.facts import (
    BillingEvent,
    CheckoutRequest,
    CheckoutSession,
    CustomerFacts,
    CustomerId,
    Mode,
    MoneyBack,
    SessionId,
    Subscription,
)
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.simulated import SimulatedObject
from engine.terms import (
    ChangeKind,
    ChangeOrder,
    ChangeResult,
    ChangeState,
    Policy,
    Preview,
    UsageReport,
    Wish,
)

PORTAL_LIFE = timedelta(hours=1)
OLDEST_USE = timedelta(days=35)
"""Meters refuse what happened longer ago (docs.stripe.com/api/billing/meter-event)."""
NOTHING_SOLD: Mapping[TierName, Tier] = MappingProxyType({})
USUAL = Policy()


class SimulatedBilling(SimulatedPages, SimulatedRecords):
    """The Billing, BillingRecords and SimulatedCheckout ports on simulated objects.

    Its pages are served under `app_url`. Somebody has to `run` it, or its events stay where they are. Without
    `tiers` everything costs nothing.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        app_url: str,
        tiers: Mapping[TierName, Tier] = NOTHING_SOLD,
        policy: Policy = USUAL,
    ) -> None:
        super().__init__(World(store, clock, app_url, SimulatedPrices(tiers, policy.metered_markup)))

    @property
    def mode(self) -> Mode:
        return Mode.SIMULATED

    async def run(self, webhook_url: str) -> None:
        """Deliver events to our own webhook route until cancelled."""
        await self.world.courier.run(webhook_url, await self.world.secret())

    def wake(self) -> None:
        """Time was moved: let it pass for subscriptions now."""
        self.world.courier.wake()

    async def aclose(self) -> None:
        pass

    async def create_customer(self, account: str, epoch: int) -> CustomerId:
        made = await self.world.name("cus", f"{account}:{epoch}")
        fresh = Payer(made, account)
        await self.world.store.transact(lambda tx: tx.add_object(fresh.stored()))
        return CustomerId(made)

    async def find_customer(self, account: str) -> CustomerId | None:
        found = [customer async for customer, owner in self.customers() if owner == account]
        return found[0] if found else None

    async def check_price(self, tier: TierName, interval: Interval) -> None:
        self.world.prices.check(tier, interval)

    async def create_checkout_session(self, request: CheckoutRequest) -> CheckoutSession:
        self.world.prices.check(request.tier, request.interval)
        fresh = Sale(
            await self.world.name("cs", request.attempt),
            request.customer,
            request.tier,
            request.interval,
            request.quantity,
            request.expires_at,
            request.success_url,
            request.cancel_url,
            trial_days=request.trial_days,
        )

        def work(tx: Tx, affairs: Affairs) -> tuple[Affairs, Sale]:
            tx.add_object(fresh.stored())
            return affairs, find(tx, Sale, fresh.id)

        return self._shown(await self.world.change(request.customer, work))

    async def get_checkout_session(self, session: SessionId) -> CheckoutSession:
        return self._shown(await self._sale(session))

    async def expire_checkout_session(self, session: SessionId) -> None:
        def work(tx: Tx) -> None:
            tx.put_object(replace(find(tx, Sale, session), closed=True).stored())

        with suppress(GoneError):
            await self.world.store.transact(work)

    async def create_customer_portal_session(
        self,
        customer: CustomerId,
        return_url: str,  # noqa: ARG002 - the simulated portal shows what it did and leads nowhere
        *,
        sells: bool = True,  # noqa: ARG002 - it never does
    ) -> str:
        expires_at = self.world.clock.now() + PORTAL_LIFE
        fresh = Portal(f"sim_bps_{secrets.token_urlsafe(24)}", customer, expires_at)

        def work(tx: Tx, affairs: Affairs) -> tuple[Affairs, None]:
            tx.add_object(fresh.stored())
            return affairs, None

        await self.world.change(customer, work)
        return f"{self.world.pages}/portal/{fresh.id}"

    async def get_stripe_subscription_status(self, customer: CustomerId) -> CustomerFacts:
        try:
            affairs = await self.world.read(customer)
        except GoneError:
            return CustomerFacts(gone=True)
        if affairs.payer.deleted_at:
            return CustomerFacts(gone=True)
        return CustomerFacts(tuple(self.world.shown(affairs, plan) for plan in reversed(affairs.plans)))

    async def preview_change(self, subscription: Subscription, wish: Wish, now: datetime) -> Preview:
        self.world.prices.check(wish.tier, wish.interval)
        if wish.kind is ChangeKind.METER and wish.quantity and not self.world.prices.markup:
            raise TellOperatorError("Metered use is off: [billing] metered_markup is 0")
        affairs = await self.world.read(subscription.customer)
        return preview(affairs, _running(affairs, subscription.id), wish, now, self.world.prices)

    async def change_subscription(self, order: ChangeOrder) -> ChangeResult:
        done = await self.world.name("order", order.key)

        def work(tx: Tx, affairs: Affairs) -> tuple[Affairs, ChangeResult]:
            known = tx.get_object(done)
            if known:
                state, pay_url = json.loads(known.body)
                return affairs, ChangeResult(ChangeState(state), pay_url)
            affairs, result = self._changed(affairs, order)
            body = json.dumps([result.state, result.pay_url])
            tx.add_object(SimulatedObject(done, "order", affairs.payer.id, body))
            return affairs, result

        return await self.world.change(order.subscription.customer, work)

    def _changed(self, affairs: Affairs, order: ChangeOrder) -> tuple[Affairs, ChangeResult]:
        plan = next((each for each in affairs.plans if each.id == order.subscription.id), None)
        if plan is None:
            raise GoneError("there is no such simulated subscription")
        if plan.ended_at or outdated(order, self.world.shown(affairs, plan)):
            return affairs, ChangeResult(ChangeState.OUTDATED)
        affairs, state = changed(affairs, plan, order, self.world.prices)
        needed = state is ChangeState.PAYMENT_NEEDED
        pay_url = self.world.shown(affairs, affairs.plan(plan.id)).pay_url if needed else None
        return affairs, ChangeResult(state, pay_url)

    async def end_subscription(
        self,
        subscription: str,
        key: str,  # noqa: ARG002 - ending twice is ending once here, whatever the key
        *,
        refund: bool,
    ) -> None:
        def work(_tx: Tx, affairs: Affairs) -> tuple[Affairs, None]:
            now, plan = self.world.clock.now(), affairs.plan(subscription)
            if plan.ended_at is None:
                affairs = ended(affairs, plan, now, "cancellation_requested")
            return ((refunded(affairs, now, plan) or affairs) if refund else affairs), None

        await self.world.change(await self.world.owner(subscription), work)

    async def look_into(self, subject: str) -> MoneyBack | None:
        def work(tx: Tx) -> MoneyBack | None:
            if subject.startswith("sim_dp_"):
                return find(tx, Quarrel, subject).shown()
            return find(tx, Invoice, invoice_of(subject)).money_back()

        try:
            return await self.world.store.read(work)
        except GoneError:
            return None

    async def report_usage(self, report: UsageReport) -> None:
        now = self.world.clock.now()
        if now - report.hour > OLDEST_USE:
            raise GiveUpError("the simulated meter takes nothing older than 35 days")
        use = Use(f"sim_mev_{report.identifier}", report.customer, report.units, report.hour)

        def work(tx: Tx, affairs: Affairs) -> tuple[Affairs, None]:
            plan = affairs.running()
            if tx.add_object(use.stored()) and plan:
                affairs = affairs.having(replace(plan, unbilled=plan.unbilled + report.units))
            return affairs, None

        await self.world.change(report.customer, work)

    async def reported_usage(self, customer: CustomerId, since: datetime, until: datetime) -> int:
        def work(tx: Tx) -> int:
            load(tx, customer)
            told = map(Use.read, tx.objects(Use.KIND, customer))
            return sum(use.units for use in told if since <= use.used_at < until)

        return await self.world.store.read(work)

    def parse_webhook_event(self, body: bytes, signature: str | None) -> BillingEvent:
        if self.world.known_secret is None:
            raise TryAgainError("the simulation has only just started")
        now = self.world.clock.now()
        return parse_webhook_event(body, signature, (self.world.known_secret,), now, simulated=True)

    async def verify_stripe_config(self) -> Sequence[str]:
        return ()

    def _shown(self, sale: Sale) -> CheckoutSession:
        return sale.shown(self.world.clock.now(), f"{self.world.pages}/checkout/{sale.id}")


def _running(affairs: Affairs, name: str) -> Plan:
    plan = next((each for each in affairs.plans if each.id == name and each.ended_at is None), None)
    if plan is None:
        raise GoneError("this simulated subscription does not run any more")
    return plan
