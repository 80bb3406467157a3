"""What Stripe says now becomes what a member may do: hints in, one read of the truth, one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from engine.catalogue import access, still_running
from engine.domain import AccountId, Person, Platform, TierName
from engine.errors import OutsideError, TellOperatorError
from engine.facts import (
    Access,
    AttemptStatus,
    BillingEvent,
    CustomerId,
    DirtyCustomer,
    Mode,
    Notice,
    NoticeId,
    NoticeKind,
    PaymentStatus,
    SessionId,
    Subscription,
    TierChange,
)
from engine.ledger import Tx
from engine.ports import Billing, Clock, Store

log = logging.getLogger("engine.subscriptions")

DEBOUNCE = timedelta(seconds=1)
"""Events come in bursts; one read after the burst serves them all."""
LEASE = timedelta(seconds=60)
"""Longer than the longest read of Stripe with its retries."""
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)
BATCH = 1
"""A lease covers one reading: what waits its turn is free for others, and for the next start."""


class Activation(StrEnum):
    """How far a purchase is, for the success page."""

    PENDING = "pending"
    ACTIVE = "active"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PurchaseStatus:
    """A purchase as its page tells it."""

    state: Activation
    tier: TierName | None = None
    place: Platform | None = None
    """Where the member asked for it, and goes back to."""


class Subscriptions:
    """Keeps our copy of the customers' subscriptions true."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        billing: Billing | None,
        woken: Callable[[], None] = lambda: None,
        debounce: timedelta = DEBOUNCE,
    ) -> None:
        self._store = store
        self._clock = clock
        self._billing = billing
        self._woken = woken
        self._debounce = debounce

    @property
    def mode(self) -> Mode:
        """The world whose facts count here."""
        return self._billing.mode if self._billing else Mode.LIVE

    @property
    def simulated(self) -> bool:
        """Whether no real money can move."""
        return self.mode is Mode.SIMULATED

    async def access(self, person: Person) -> Access:
        """The person's access now; nobody ever seen has the free tier."""
        now = self._clock.now()

        def work(tx: Tx) -> Access:
            account = tx.find_account(person)
            return access(tx.subscriptions(account.id, self.mode) if account else (), now)

        return await self._store.read(work)

    async def receive(self, event: BillingEvent) -> bool:
        """Keep a verified event and have its customer read soon; False if it changes nothing.

        Repeated, of another mode, or about nobody of ours: kept or known, and without effect.
        """
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            ours = event.customer is not None and tx.account_of(event.mode, event.customer) is not None
            matters = ours and event.relevant and event.mode is self.mode
            if not tx.store_event(event if ours else replace(event, payload=b""), now, matters=matters):
                return False
            if matters and event.customer:
                tx.mark_dirty(event.mode, event.customer, now + self._debounce)
            return matters

        changed = await self._store.transact(work)
        if changed:
            self._woken()
        return changed

    async def sync(self, customer: CustomerId) -> bool:
        """Read one customer now; False if somebody else is at it and will see the same news.

        OutsideError: Stripe could not be read; the customer stays due.
        """
        now, token = self._clock.now(), uuid4().hex

        def claim(tx: Tx) -> Sequence[DirtyCustomer]:
            tx.mark_dirty(self.mode, customer, now)
            return tx.claim_dirty(self.mode, now, now + LEASE, token, 1, customer)

        claimed = await self._store.transact(claim)
        for dirty in claimed:
            await self._read(dirty)
        return bool(claimed)

    async def work(self) -> int:
        """Read the customer due longest; how many were taken. Failures are noted and tried again later."""
        if self._billing is None:
            return 0
        now, token = self._clock.now(), uuid4().hex
        claimed = await self._store.transact(
            lambda tx: tx.claim_dirty(self.mode, now, now + LEASE, token, BATCH)
        )
        for dirty in claimed:
            try:
                await self._read(dirty)
            except OutsideError as error:
                level = logging.ERROR if isinstance(error, TellOperatorError) else logging.WARNING
                log.log(level, "customer not read", extra={"customer": dirty.customer, "why": str(error)})
        return len(claimed)

    async def purchase(self, session: SessionId) -> PurchaseStatus:
        """How far the purchase of a Checkout session is; asks Stripe while it is not in effect."""
        mode, now = self.mode, self._clock.now()
        attempt = await self._store.read(lambda tx: tx.attempt_of(session))
        if attempt is None or attempt.mode is not mode:
            return PurchaseStatus(Activation.UNKNOWN)

        def known(tx: Tx) -> tuple[Access, CustomerId | None]:
            record = tx.customer(attempt.account, mode)
            return access(tx.subscriptions(attempt.account, mode), now), record.customer if record else None

        found, customer = await self._store.read(known)
        if found.tier is TierName.FREE and customer:
            await self.sync(customer)
            found, _ = await self._store.read(known)
        if found.tier is TierName.FREE:
            return PurchaseStatus(Activation.PENDING, attempt.tier, attempt.person.platform)
        return PurchaseStatus(Activation.ACTIVE, found.tier, attempt.person.platform)

    async def _read(self, dirty: DirtyCustomer) -> None:
        if self._billing is None:
            return
        asked_at = self._clock.now()
        try:
            truth = await self._billing.get_stripe_subscription_status(dirty.customer)
        except OutsideError as error:
            await self._put_back(dirty, asked_at + retry_in(dirty.fails), str(error))
            raise
        except asyncio.CancelledError:
            await self._put_back(dirty, asked_at, "nobody waited for the answer")
            raise
        applied_at = self._clock.now()
        await self._store.transact(lambda tx: apply(tx, dirty, truth.subscriptions, asked_at, applied_at))
        self._woken()

    async def _put_back(self, dirty: DirtyCustomer, due: datetime, why: str) -> None:
        await self._store.transact(lambda tx: tx.fail_sync(dirty, due, why))


def retry_in(fails: int) -> timedelta:
    """How long to wait after so many failures in a row."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << min(fails, 10)))


def apply(
    tx: Tx, dirty: DirtyCustomer, truth: Sequence[Subscription], asked_at: datetime, now: datetime
) -> None:
    """Make our facts what Stripe said, with the tier change and the notice that follow; nothing if outrun.

    The claim's token is the fence: whoever lost the lease read an older truth and must not write it.
    """
    account_id = tx.account_of(dirty.mode, dirty.customer)
    account = tx.lock_account_id(account_id) if account_id else None
    if not tx.finish_sync(dirty) or account is None:
        return
    old = tx.subscriptions(account.id, dirty.mode)
    new = [with_memory(sub, old, now) for sub in truth]
    before, after = access(old, now), access(new, now)
    tx.replace_subscriptions(account.id, dirty.mode, new, now)
    if len(running := still_running(new)) > 1:
        log.error("several subscriptions of one customer may charge", extra={"customer": dirty.customer})
    if running:
        tx.close_attempts(account.id, dirty.mode, AttemptStatus.COMPLETE)
    attempt = tx.latest_attempt(account.id, dirty.mode)
    person = attempt.person if attempt else account.person
    told = last_told(tx, account.id, dirty.mode)
    if told is not after.tier:
        change = TierChange(0, account.id, dirty.mode, told, after.tier, after.reason, now)
        number = tx.add_tier_change(change).number
        kind = change_kind(told, after.tier)
        tx.owe(notice(account.id, person, kind, f"tier:{dirty.mode}:{account.id}:{number}", after, now))
    else:
        owe_news(tx, account.id, person, before, after, now)
    tx.settle_events(dirty.mode, dirty.customer, asked_at, now)


def last_told(tx: Tx, account: AccountId, mode: Mode) -> TierName:
    """The tier of the last change; time alone may have ended it since, and nobody was told."""
    changes = [change.after for change in tx.tier_changes(account) if change.mode is mode]
    return changes[-1] if changes else TierName.FREE


def with_memory(sub: Subscription, old: Sequence[Subscription], now: datetime) -> Subscription:
    """Add what Stripe does not keep: since when payments have been failing."""
    if sub.status is not PaymentStatus.PAST_DUE:
        return replace(sub, past_due_since=None)
    known = next((each.past_due_since for each in old if each.id == sub.id), None)
    return replace(sub, past_due_since=known or now)


def change_kind(before: TierName, after: TierName) -> NoticeKind:
    """The notice for a change of tier."""
    if after is TierName.FREE:
        return NoticeKind.ENDED
    return NoticeKind.ACTIVATED if before is TierName.FREE else NoticeKind.CHANGED


def owe_news(
    tx: Tx, account: AccountId, person: Person, before: Access, after: Access, now: datetime
) -> None:
    """Owe a notice for news that leaves the tier as it is: a failed payment, a cancellation set or unset."""
    was, sub = before.subscription, after.subscription
    if was is None or sub is None or was.id != sub.id:
        return
    if sub.past_due_since and not was.past_due_since:
        key = f"failed:{sub.id}:{sub.past_due_since.isoformat()}"
        tx.owe(notice(account, person, NoticeKind.PAYMENT_FAILED, key, after, now))
    if was.cancel_at != sub.cancel_at:
        kind = NoticeKind.CANCEL_PENDING if sub.cancel_at else NoticeKind.RESUMED
        key = f"cancel:{sub.id}:{now.isoformat()}"
        tx.owe(notice(account, person, kind, key, after, now))


def notice(
    account: AccountId, person: Person, kind: NoticeKind, key: str, found: Access, now: datetime
) -> Notice:
    """A notice about the access that an account has now."""
    sub = found.subscription
    tier = found.tier if found.tier is not TierName.FREE or sub is None else sub.tier or TierName.FREE
    simulated = sub is not None and sub.mode is Mode.SIMULATED
    return Notice(NoticeId(uuid4().hex), key, account, person, kind, tier, now, found.until, simulated)
