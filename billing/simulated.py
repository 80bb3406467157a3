"""Billing without Stripe, for development and the offline demo: the same port, events and sync, no money."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

from billing.simulated_courier import Courier
from billing.simulated_objects import Plan, Portal, Sale, event
from billing.webhook import parse_webhook_event
from engine.domain import Tier, TierName
from engine.errors import GoneError, TellOperatorError, TryAgainError
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
    SimulatedObject,
    Subscription,
)
from engine.ledger import Tx
from engine.ports import Clock, SimulatedSession, Store
from engine.terms import ChangeOrder, ChangeResult, Policy, Preview, UsageReport, Wish

T = TypeVar("T", Sale, Portal)

SECRET_ID = "sim_signing_secret"  # noqa: S105 - the name under which it is kept
PORTAL_LIFE = timedelta(hours=1)
_ID = re.compile(r"sim_[A-Za-z0-9_\-]{1,80}")
"""Addresses carry ids, so anything may stand there."""
NOTHING_SOLD: Mapping[TierName, Tier] = MappingProxyType({})
USUAL = Policy()
LATER = "the simulation does not do this yet"
SESSION_ID = "{CHECKOUT_SESSION_ID}"
"""Stripe's placeholder in return addresses."""


class SimulatedBilling:
    """The Billing and SimulatedCheckout ports on simulated objects, each change one unit of work.

    Its pages are served under `app_url`. Somebody has to `run` it, or its events stay where they are.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        app_url: str,
        tiers: Mapping[TierName, Tier] = NOTHING_SOLD,
        policy: Policy = USUAL,
    ) -> None:
        self._store = store
        self._tiers = tiers
        self._policy = policy
        self._clock = clock
        self._pages = f"{app_url.rstrip('/')}/simulated"
        self._courier = Courier(store, clock)
        self._known_secret: str | None = None

    @property
    def mode(self) -> Mode:
        return Mode.SIMULATED

    async def run(self, webhook_url: str) -> None:
        """Deliver events to our own webhook route until cancelled."""
        await self._courier.run(webhook_url, await self._secret())

    async def aclose(self) -> None:
        pass

    async def create_customer(self, account: str, epoch: int) -> CustomerId:
        made = await self._id("cus", f"{account}:{epoch}")
        await self._store.transact(lambda tx: tx.add_object(SimulatedObject(made, "customer", account, "{}")))
        return CustomerId(made)

    async def create_checkout_session(self, request: CheckoutRequest) -> CheckoutSession:
        fresh = Sale(
            await self._id("cs", request.attempt),
            request.customer,
            request.tier,
            request.interval,
            request.quantity,
            request.expires_at,
            request.success_url,
            request.cancel_url,
        )

        def work(tx: Tx) -> Sale:
            _object(tx, "customer", request.customer)
            tx.add_object(fresh.stored())
            return _find(tx, Sale, fresh.id)

        return self._shown(await self._store.transact(work))

    async def get_checkout_session(self, session: SessionId) -> CheckoutSession:
        return self._shown(await self._store.read(lambda tx: _find(tx, Sale, session)))

    async def expire_checkout_session(self, session: SessionId) -> None:
        def work(tx: Tx) -> None:
            tx.put_object(replace(_find(tx, Sale, session), closed=True).stored())

        with suppress(GoneError):
            await self._store.transact(work)

    async def create_customer_portal_session(
        self,
        customer: CustomerId,
        return_url: str,  # noqa: ARG002 - the simulated portal shows what it did and leads nowhere
    ) -> str:
        expires_at = self._clock.now() + PORTAL_LIFE
        fresh = Portal(f"sim_bps_{secrets.token_urlsafe(24)}", customer, expires_at)

        def work(tx: Tx) -> None:
            _object(tx, "customer", customer)
            tx.add_object(fresh.stored())

        await self._store.transact(work)
        return f"{self._pages}/portal/{fresh.id}"

    async def get_stripe_subscription_status(self, customer: CustomerId) -> CustomerFacts:
        now = self._clock.now()
        return CustomerFacts(tuple(await self._store.read(lambda tx: _subscriptions(tx, customer, now))))

    async def preview_change(self, subscription: Subscription, wish: Wish, now: datetime) -> Preview:
        raise TellOperatorError(LATER)

    async def change_subscription(self, order: ChangeOrder) -> ChangeResult:
        raise TellOperatorError(LATER)

    async def end_subscription(self, subscription: str, key: str, *, refund: bool) -> None:
        raise TellOperatorError(LATER)

    async def look_into(self, subject: str) -> MoneyBack | None:
        raise TellOperatorError(LATER)

    async def report_usage(self, report: UsageReport) -> None:
        raise TellOperatorError(LATER)

    async def reported_usage(self, customer: CustomerId, since: datetime, until: datetime) -> int:
        raise TellOperatorError(LATER)

    def parse_webhook_event(self, body: bytes, signature: str | None) -> BillingEvent:
        if self._known_secret is None:
            raise TryAgainError("the simulation has only just started")
        now = self._clock.now()
        return parse_webhook_event(body, signature, (self._known_secret,), now, simulated=True)

    async def verify_stripe_config(self) -> Sequence[str]:
        return ()

    async def session(self, session: SessionId) -> SimulatedSession:
        sale = await self._store.read(lambda tx: _find(tx, Sale, session))
        return SimulatedSession(
            self._shown(sale),
            sale.tier,
            sale.interval,
            _back(sale, sale.success_url),
            _back(sale, sale.cancel_url),
        )

    async def pay(self, session: SessionId) -> str:
        now = self._clock.now()
        sub = await self._id("sub", session)
        events = {kind: await self._id("evt", f"{kind}:{session}") for kind in ("created", "completed")}

        def work(tx: Tx) -> Sale:
            sale = _find(tx, Sale, session)
            status = sale.status(now)
            if status is SessionStatus.EXPIRED:
                raise GoneError("this simulated checkout has expired")
            if status is SessionStatus.OPEN:
                tx.put_object(replace(sale, paid=True).stored())
                tx.put_object(Plan.sold(sub, sale, now).stored())
                created = ("customer.subscription.created", sub, "subscription")
                completed = ("checkout.session.completed", session, "checkout.session")
                tx.put_object(event(events["created"], *created, sale.customer, now))
                tx.put_object(event(events["completed"], *completed, sale.customer, now))
            return sale

        sale = await self._store.transact(work)
        self._courier.wake()
        return _back(sale, sale.success_url)

    async def decline(self, session: SessionId) -> None:
        await self._store.read(lambda tx: _find(tx, Sale, session))

    async def leave(self, session: SessionId) -> str:
        sale = await self._store.read(lambda tx: _find(tx, Sale, session))
        return _back(sale, sale.cancel_url)

    async def portal(self, portal: str) -> Sequence[Subscription]:
        now = self._clock.now()
        return await self._store.read(lambda tx: _subscriptions(tx, _open_portal(tx, portal, now), now))

    async def cancel_at_period_end(self, portal: str, *, pending: bool) -> None:
        def change(plan: Plan, _now: datetime) -> Plan:
            return replace(plan, cancel_at=plan.period_end if pending else None)

        await self._change(portal, "customer.subscription.updated", change)

    async def end_now(self, portal: str) -> None:
        await self._change(
            portal, "customer.subscription.deleted", lambda plan, now: replace(plan, ended_at=now)
        )

    async def _change(self, portal: str, kind: str, change: Callable[[Plan, datetime], Plan]) -> None:
        """Change each live subscription behind a portal session, with an event for each that differs then."""
        now, token = self._clock.now(), secrets.token_hex(12)

        def work(tx: Tx) -> None:
            customer = _open_portal(tx, portal, now)
            for number, listed in enumerate(tx.objects("subscription", customer)):
                obj = tx.get_object(listed.id) or listed
                plan = Plan.read(obj).at(now)
                changed = plan if plan.ended_at else change(plan, now)
                if changed != plan:
                    tx.put_object(changed.stored())
                    tx.put_object(
                        event(f"sim_evt_{token}_{number}", kind, plan.id, "subscription", customer, now)
                    )

        await self._store.transact(work)
        self._courier.wake()

    def _shown(self, sale: Sale) -> CheckoutSession:
        return sale.shown(self._clock.now(), f"{self._pages}/checkout/{sale.id}")

    async def _secret(self) -> str:
        """What events are signed with; made once for each database."""
        fresh = SimulatedObject(SECRET_ID, "secret", "", f"whsec_sim_{secrets.token_urlsafe(32)}")

        def work(tx: Tx) -> str:
            tx.add_object(fresh)
            kept = tx.get_object(SECRET_ID)
            return kept.body if kept else fresh.body

        if self._known_secret is None:
            self._known_secret = await self._store.transact(work)
        return self._known_secret

    async def _id(self, prefix: str, of: str) -> str:
        """An id that the same words always give and that nobody can guess."""
        digest = hmac.new(
            (await self._secret()).encode(), f"{prefix}:{of}".encode(), hashlib.sha256
        ).hexdigest()
        return f"sim_{prefix}_{digest[:24]}"


def _find(tx: Tx, kind: type[T], wanted: str) -> T:
    return kind.read(_object(tx, kind.KIND, wanted))


def _object(tx: Tx, kind: str, wanted: str) -> SimulatedObject:
    obj = tx.get_object(wanted) if _ID.fullmatch(wanted) else None
    if obj is None or obj.kind != kind:
        raise GoneError(f"there is no such simulated {kind}")
    return obj


def _open_portal(tx: Tx, portal: str, now: datetime) -> str:
    found = _find(tx, Portal, portal)
    if found.expires_at <= now:
        raise GoneError("this simulated portal session has run out")
    return found.customer


def _subscriptions(tx: Tx, customer: str, now: datetime) -> list[Subscription]:
    """Newest first, as Stripe lists them."""
    return [Plan.read(obj).shown(now) for obj in reversed(tx.objects("subscription", customer))]


def _back(sale: Sale, address: str) -> str:
    return address.replace(SESSION_ID, sale.id)
