"""Selling: one customer, one open Checkout session and one subscription for each account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from uuid import uuid4

from engine.catalogue import Wares, access, still_running
from engine.domain import AccountId, Interval, Person, Tier, TierName
from engine.errors import GiveUpError, GoneError, TellOperatorError
from engine.facts import (
    Access,
    AttemptStatus,
    CheckoutAttempt,
    CheckoutRequest,
    CheckoutSession,
    CustomerId,
    CustomerRecord,
    SessionStatus,
    Subscription,
)
from engine.figures import FunnelStep, Reached
from engine.happenings import Happening, HappeningKind
from engine.ledger import Tx
from engine.ports import Billing, Clock, Store
from engine.showcase import Showcase
from engine.subscriptions import Subscriptions
from engine.terms import Policy

SESSION_LIFE = timedelta(minutes=60)
STILL_USEFUL = timedelta(minutes=10)
"""A link with less time left than this is replaced."""
STILL_MAKEABLE = timedelta(minutes=35)
"""Stripe refuses sessions that expire in less than 30 minutes (`expires_at` of the Checkout session)."""
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Links:
    """Where Stripe sends the member back to; `{CHECKOUT_SESSION_ID}` is filled in by Stripe."""

    success: str
    cancel: str
    portal_return: str


@dataclass(frozen=True, slots=True)
class CheckoutLink:
    """Pay here."""

    url: str
    tier: Tier
    interval: Interval
    expires_at: datetime
    simulated: bool
    trial_days: int = 0
    """Days that cost nothing at first."""


@dataclass(frozen=True, slots=True)
class AlreadySubscribed:
    """There is a subscription that may still charge: it is changed in the portal, not doubled."""

    access: Access
    portal: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class PortalLink:
    """Manage the subscription here; `pay_url` is where an open invoice can be paid."""

    url: str
    access: Access
    simulated: bool
    pay_url: str | None = None


@dataclass(frozen=True, slots=True)
class NothingToManage:
    """No customer yet, so nothing to manage."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing is sold to the account: a payment is disputed, a dispute was lost, or the operator says so."""

    by_operator: bool = False


@dataclass(frozen=True, slots=True)
class NotForSale:
    """A tier that cannot be bought, or none can here."""

    tier: TierName | None


class Checkout(Showcase):
    """Makes checkout and portal links; every step may be repeated after a crash without doubling anything."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        billing: Billing | None,
        wares: Wares,
        subscriptions: Subscriptions,
        links: Links,
        policy: Policy = Policy(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(store, clock, subscriptions)
        self._billing = billing
        self._wares = wares
        self._links = links
        self._policy = policy

    async def upgrade(
        self, person: Person, tier: TierName, interval: Interval
    ) -> CheckoutLink | AlreadySubscribed | Blocked | NotForSale:
        """The link to buy a tier, or the portal if there is a subscription already.

        OutsideError by remedy when Stripe cannot answer now.
        """
        rules = self._wares.today.tiers.get(tier)
        if self._billing is None or rules is None or rules.price(interval) <= 0:
            return NotForSale(tier if self._billing else None)
        for _ in range(ROUNDS):
            if blocked := await self._store.read(lambda tx: self._blocked(tx, person)):
                return blocked
            customer = await self._customer(self._billing, person, tier, interval)
            running = await self._running(self._billing, customer)
            if running:
                return running
            try:
                link = await self._session(self._billing, person, customer, rules, interval)
            except GoneError:
                await self._forget_customer(customer)
                continue
            except GiveUpError:  # the attempt's key was used with other values, before a change of settings
                await self._supersede(customer)
                continue
            if link:
                return link
        message = "checkout could not settle on one session"
        raise TellOperatorError(message)

    async def portal(self, person: Person) -> PortalLink | NothingToManage | NotForSale:
        """The customer portal's link; whoever is blocked can cancel there, and buy nothing more."""
        billing = self._billing
        if billing is None:
            return NotForSale(None)
        record, _ = await self._record(billing, person)
        if record.customer is None:
            return NothingToManage()
        await self._subscriptions.sync(record.customer)
        now_access = await self._subscriptions.access(person)
        barred = await self._store.read(lambda tx: self._blocked(tx, person))
        back = self._links.portal_return
        try:
            url = await billing.create_customer_portal_session(record.customer, back, sells=barred is None)
        except GoneError:
            return NothingToManage()
        sub = now_access.subscription
        return PortalLink(url, now_access, self._simulated, sub.pay_url if sub else None)

    @property
    def _simulated(self) -> bool:
        return self._subscriptions.simulated

    def _blocked(self, tx: Tx, person: Person) -> Blocked | None:
        account = tx.find_account(person)
        if account and (account.blocked_at or tx.claims(account.id, self._subscriptions.mode).blocking):
            return Blocked(by_operator=account.blocked_at is not None)
        return None

    async def _record(self, billing: Billing, person: Person) -> tuple[CustomerRecord, bool]:
        """The account's record, and whether it was there before."""
        now = self._clock.now()

        def work(tx: Tx) -> tuple[CustomerRecord, bool]:
            account = tx.lock_account(person, now)
            found = tx.customer(account.id, billing.mode)
            record = found or CustomerRecord(account.id, billing.mode, None, 0)
            if found is None:
                tx.save_customer(record)
            return record, found is not None

        return await self._store.transact(work)

    async def _customer(
        self, billing: Billing, person: Person, tier: TierName, interval: Interval
    ) -> CustomerRecord:
        """The account's customer; none is made for what cannot be sold."""
        record, begun = await self._record(billing, person)
        if record.customer:
            return record
        await billing.check_price(tier, interval)
        earlier = await self._earlier(billing, record) if begun else None
        customer = earlier or await billing.create_customer(record.account, record.epoch)
        made = replace(record, customer=customer)

        def work(tx: Tx) -> CustomerRecord:
            tx.lock_account_id(record.account)
            current = tx.customer(record.account, record.mode)
            if current and (current.customer or current.epoch != record.epoch):
                return current
            tx.save_customer(made)
            return made

        return await self._store.transact(work)

    async def _earlier(self, billing: Billing, record: CustomerRecord) -> CustomerId | None:
        """A customer that was made and not written down, longer ago than idempotency keys live (a day)."""
        found = await billing.find_customer(record.account)
        if found is None:
            return None
        former = await self._store.read(lambda tx: tx.former_customer(record.mode, found))
        return found if former is None else None  # searching lags: it may be one that was deleted

    async def _forget_customer(self, record: CustomerRecord) -> None:
        """A customer deleted at Stripe is replaced by one of the next epoch."""
        now = self._clock.now()

        def work(tx: Tx) -> None:
            tx.lock_account_id(record.account)
            current = tx.customer(record.account, record.mode)
            if current and current.customer == record.customer:
                tx.retire_customer(current, now)
                tx.close_attempts(record.account, record.mode, AttemptStatus.SUPERSEDED)

        await self._store.transact(work)

    async def _supersede(self, record: CustomerRecord) -> None:
        """The open attempt cannot be carried out: the next round makes another."""

        def work(tx: Tx) -> None:
            tx.lock_account_id(record.account)
            tx.close_attempts(record.account, record.mode, AttemptStatus.SUPERSEDED)

        await self._store.transact(work)

    async def _running(self, billing: Billing, record: CustomerRecord) -> AlreadySubscribed | None:
        """Ask Stripe, not our copy: a payment may be newer than its webhook."""
        customer = cast("CustomerId", record.customer)
        if await self._subscriptions.sync(customer):
            truth = await self._store.read(lambda tx: tx.subscriptions(record.account, record.mode))
        else:  # somebody else is reading it and has not written it down yet
            truth = (await billing.get_stripe_subscription_status(customer)).subscriptions
            await self._remember_trial(record, truth)
        if not still_running(truth):
            return None
        url = await billing.create_customer_portal_session(customer, self._links.portal_return)
        return AlreadySubscribed(access(truth, self._clock.now()), url, self._simulated)

    async def _remember_trial(self, record: CustomerRecord, truth: Sequence[Subscription]) -> None:
        if record.trial_used_at or not any(sub.trialed for sub in truth):
            return
        now = self._clock.now()

        def work(tx: Tx) -> None:
            tx.lock_account_id(record.account)
            current = tx.customer(record.account, record.mode)
            if current and current.trial_used_at is None:
                tx.save_customer(replace(current, trial_used_at=now))

        await self._store.transact(work)

    async def _session(
        self, billing: Billing, person: Person, record: CustomerRecord, tier: Tier, interval: Interval
    ) -> CheckoutLink | None:
        """The open session for this tier; None if it has to be decided anew."""
        chosen = await self._attempt(person, record, tier, interval)
        if chosen is None:
            return None
        attempt, usable_now = chosen
        if attempt.session and not usable_now:  # closed there first: a crash in between closes it again
            await billing.expire_checkout_session(attempt.session)
            await self._close(attempt)
            return None
        if attempt.session and attempt.url:
            return self._link(attempt, tier)
        session = await billing.create_checkout_session(self._request(attempt, record))
        if session.status is not SessionStatus.OPEN or session.url is None:
            await self._close(attempt)
            return None
        if await self._keep(attempt, session):
            return self._link(replace(attempt, url=session.url, session=session.id), tier)
        await billing.expire_checkout_session(session.id)
        return None

    async def _attempt(
        self, person: Person, record: CustomerRecord, tier: Tier, interval: Interval
    ) -> tuple[CheckoutAttempt, bool] | None:
        """The account's open attempt, new if need be, and whether it serves for this purchase.

        None if a subscription or a block came meanwhile: decided under the lock that these take too.
        """
        now = self._clock.now()
        wanted = CheckoutAttempt(
            uuid4().hex,
            record.account,
            record.mode,
            person,
            tier.name,
            interval,
            AttemptStatus.OPEN,
            now,
            now + SESSION_LIFE,
            quantity=tier.seats,
        )

        def work(tx: Tx) -> tuple[CheckoutAttempt, bool] | None:
            tx.lock_account_id(record.account)
            if self._blocked(tx, person) or still_running(tx.subscriptions(record.account, record.mode)):
                return None
            current = tx.customer(record.account, record.mode)  # the reading may have found a trial
            used = current is None or current.trial_used_at is not None
            fresh = replace(wanted, trial_days=0 if used else self._policy.trial_days)
            old = tx.open_attempt(record.account, record.mode)
            if old and (old.session or usable(old, fresh, now)):
                return old, usable(old, fresh, now)
            if old:
                tx.close_attempts(record.account, record.mode, AttemptStatus.SUPERSEDED)
            tx.save_attempt(fresh)
            return fresh, True

        return await self._store.transact(work)

    async def _keep(self, attempt: CheckoutAttempt, session: CheckoutSession) -> bool:
        """Remember the session, unless the attempt was replaced while it was made."""
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            tx.lock_account_id(attempt.account)
            current = tx.open_attempt(attempt.account, attempt.mode)
            if current is None or current.id != attempt.id:
                return False
            tx.save_attempt(replace(current, session=session.id, url=session.url))
            tx.reach(Reached(attempt.account, attempt.mode, FunnelStep.CHECKOUT_OPENED, now))
            opened, platform = HappeningKind.CHECKOUT_OPENED, attempt.person.platform
            tx.happened(Happening(opened, attempt.account, attempt.mode, now, platform, attempt.tier))
            return True

        return await self._store.transact(work)

    async def _close(self, attempt: CheckoutAttempt) -> None:
        """The attempt's session is over (paid or expired): the next round decides anew."""

        def work(tx: Tx) -> None:
            tx.lock_account_id(attempt.account)
            current = tx.open_attempt(attempt.account, attempt.mode)
            if current and current.id == attempt.id:
                tx.close_attempts(attempt.account, attempt.mode, AttemptStatus.EXPIRED)

        await self._store.transact(work)

    def _request(self, attempt: CheckoutAttempt, record: CustomerRecord) -> CheckoutRequest:
        return CheckoutRequest(
            attempt=attempt.id,
            account=AccountId(record.account),
            customer=cast("CustomerId", record.customer),
            tier=attempt.tier,
            interval=attempt.interval,
            quantity=attempt.quantity,
            expires_at=attempt.expires_at,
            success_url=self._links.success,
            cancel_url=self._links.cancel,
            trial_days=attempt.trial_days,
            promotion_codes=self._policy.promotion_codes,
            automatic_tax=self._policy.automatic_tax,
        )

    def _link(self, attempt: CheckoutAttempt, tier: Tier) -> CheckoutLink:
        url, days = attempt.url or "", attempt.trial_days
        return CheckoutLink(url, tier, attempt.interval, attempt.expires_at, self._simulated, days)


def usable(old: CheckoutAttempt, wanted: CheckoutAttempt, now: datetime) -> bool:
    """Whether an open attempt serves for what is wanted now."""
    left = old.expires_at - now
    enough = STILL_USEFUL if old.session else STILL_MAKEABLE
    return thing_sold(old) == thing_sold(wanted) and left > enough


def thing_sold(attempt: CheckoutAttempt) -> tuple[TierName, Interval, int, int]:
    """What an attempt sells."""
    return attempt.tier, attempt.interval, attempt.quantity, attempt.trial_days
