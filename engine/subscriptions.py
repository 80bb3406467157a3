"""What Stripe says now becomes what a member may do: hints in, one read of the truth, one transaction."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from engine import tidings
from engine.alerts import Alert, AlertKind
from engine.applying import apply, reconsider
from engine.audit import Actor, Deed, Entry
from engine.catalogue import access
from engine.domain import Account, AccountId, Person, Platform, TierName
from engine.errors import OutsideError, TellOperatorError, TryAgainError
from engine.facts import (
    Access,
    BillingEvent,
    CustomerId,
    DirtyCustomer,
    Mode,
    SessionId,
)
from engine.ledger import Tx, locked
from engine.ports import Billing, Clock, Store
from engine.tallies import Delivery, Reading, delivered, was_read
from engine.terms import Duty, DutyId, DutyKind, Policy

log = logging.getLogger("engine.subscriptions")

DEBOUNCE = timedelta(seconds=1)
"""Events come in bursts; one read after the burst serves them all."""
LEASE = timedelta(seconds=60)
"""Longer than the longest read of Stripe with its retries."""
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=10)
FAILING = 8
"""Failures in a row, over some eight minutes, of which the operator is told while it is tried again."""
TRIES = 10
"""Of what is not just away; then it is a dead letter."""
BATCH = 1
"""A lease covers one reading: what waits its turn is free for others, and for the next start."""
PUT_OFF = timedelta(minutes=5)
LOOKS = 100
"""Accounts that one round of `look` takes."""


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
        policy: Policy = Policy(),  # noqa: B008 - frozen
    ) -> None:
        self._store = store
        self._clock = clock
        self._billing = billing
        self._woken = woken
        self._debounce = debounce
        self._policy = policy

    @property
    def mode(self) -> Mode:
        """The world whose facts count here."""
        return self._billing.mode if self._billing else Mode.LIVE

    @property
    def simulated(self) -> bool:
        """Whether no real money can move."""
        return self.mode is Mode.SIMULATED

    async def access(self, person: Person) -> Access:
        """What the person's own subscriptions give now, without any seat; free for nobody ever seen."""
        now = self._clock.now()

        def work(tx: Tx) -> Access:
            account = tx.find_account(person)
            return self._access(tx, account.id, now) if account else access((), now)

        return await self._store.read(work)

    def _access(self, tx: Tx, account: AccountId, now: datetime) -> Access:
        return access(tx.subscriptions(account, self.mode), now, tx.claims(account, self.mode))

    async def receive(self, event: BillingEvent, *, fetched: bool = False) -> bool:
        """Keep a verified event and have its customer read soon; False if it changes nothing.

        Repeated, of another mode, or about nobody of ours: kept or known, and without effect. What it says is
        kept only while its customer is a member. `fetched`: no webhook brought it.
        """
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            owner = lock_owner(tx, event)
            matters = owner is not None and event.relevant and event.mode is self.mode
            member = owner is not None and owner.erased_at is None
            new = tx.store_event(event if member else replace(event, payload=b""), now, matters=matters)
            takes = matters or (event.subject is not None and event.mode is self.mode)
            note_delivery(tx, event.mode, now, new=new, takes=takes, fetched=fetched)
            if not new:
                return False
            if event.subject and event.mode is self.mode:
                name = DutyId(f"look:{event.id}")
                tx.owe_duty(Duty(name, DutyKind.LOOK_INTO, event.mode, event.subject), now)
            if matters and event.customer:
                tx.mark_dirty(event.mode, event.customer, now + self._debounce)
            return matters or event.subject is not None

        if event.trouble:
            log.error("Stripe complains", extra={"event": event.id, "why": event.trouble})
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

    async def look(self) -> int:
        """Record what time alone has changed; how many accounts it was about."""
        now, mode = self._clock.now(), self.mode
        due = await self._store.read(lambda tx: tx.due_to_look(mode, now, LOOKS))
        for account in due:
            await self._look_at(account, now)
        if due:
            self._woken()
        return len(due)

    async def _look_at(self, account: AccountId, now: datetime) -> None:
        """Put off first: one account whose facts cannot be understood must not keep all behind it waiting."""
        mode = self.mode
        await self._store.transact(lambda tx: tx.look_again(account, mode, now + PUT_OFF))
        await self._store.transact(lambda tx: self._reconsider(tx, account))

    async def forgive(self, person: Person, actor: Actor) -> int:
        """Let a person's open and lost disputes count no more; how many they were. It is written down."""
        now, mode = self._clock.now(), self.mode

        def work(tx: Tx) -> int:
            account = locked(tx, person)
            if account is None:
                return 0
            forgiven = tx.forgive(account.id, mode, now)
            tx.note(Entry(now, actor, Deed.FORGIVE, str(person), str(forgiven)))
            reconsider(tx, account, mode, now, self._policy)
            return forgiven

        return await self._store.transact(work)

    def record(self, tx: Tx, account: Account, now: datetime) -> None:
        """Record what follows from a grant or its end; the caller holds the lock and tells what begins."""
        reconsider(tx, account, self.mode, now, self._policy, hushed=True)

    def _reconsider(self, tx: Tx, account_id: AccountId) -> None:
        account = tx.lock_account_id(account_id)
        if account:
            reconsider(tx, account, self.mode, self._clock.now(), self._policy)

    async def purchase(self, session: SessionId) -> PurchaseStatus:
        """How far the purchase of a Checkout session is; asks Stripe while it is not in effect."""
        mode, now = self.mode, self._clock.now()
        attempt = await self._store.read(lambda tx: tx.attempt_of(session))
        if attempt is None or attempt.mode is not mode:
            return PurchaseStatus(Activation.UNKNOWN)

        def known(tx: Tx) -> tuple[Access, CustomerId | None]:
            record = tx.customer(attempt.account, mode)
            return self._access(tx, attempt.account, now), record.customer if record else None

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
        asked_at, policy = self._clock.now(), self._policy
        try:
            truth = await self._billing.get_stripe_subscription_status(dirty.customer)
            applied_at = self._clock.now()
            await self._store.transact(lambda tx: apply(tx, dirty, truth, asked_at, applied_at, policy))
        except asyncio.CancelledError:
            await self._put_back(dirty, asked_at, "nobody waited for the answer")
            raise
        except Exception as error:
            await self._failed(dirty, error, asked_at)
            raise
        self._woken()

    async def _failed(self, dirty: DirtyCustomer, error: Exception, now: datetime) -> None:
        """Note a failure, one that nobody foresaw too: else it would come back for ever, without a name."""
        why, given_up = words(error), gives_up(error, dirty.fails)

        def work(tx: Tx) -> None:
            for alert in troubles(dirty, error, now):
                tx.raise_alert(alert)
            if given_up:
                tx.give_up_sync(dirty, why)
            else:
                tx.fail_sync(dirty, now + retry_in(dirty.fails), why)
            tx.tally(was_read(dirty.mode, Reading.GIVEN_UP if given_up else Reading.FAILED, now))

        await self._store.transact(work)

    async def _put_back(self, dirty: DirtyCustomer, due: datetime, why: str) -> None:
        await self._store.transact(lambda tx: tx.fail_sync(dirty, due, why))


def lock_owner(tx: Tx, event: BillingEvent) -> Account | None:
    """The account that an event is about, under its lock.

    Somebody may be erasing it: what is stored before is emptied by that, and once it is done the customer has
    moved to an account that nobody erases.
    """
    for _ in range(2):
        found = tx.account_of(event.mode, event.customer) if event.customer else None
        if found is None:
            break
        if account := tx.lock_account_id(found):
            return account
    return None


def note_delivery(tx: Tx, mode: Mode, now: datetime, *, new: bool, takes: bool, fetched: bool) -> None:
    """Count what became of an event that came; one that was fetched twice came once."""
    if fetched:
        if new:
            tx.tally(delivered(mode, Delivery.FETCHED, now))
        return
    what = Delivery.TAKEN if takes else Delivery.IGNORED
    tx.tally(delivered(mode, what if new else Delivery.DUPLICATE, now))


def troubles(dirty: DirtyCustomer, error: Exception, now: datetime) -> Iterator[Alert]:
    """What the operator is told of one more failure to read a customer."""
    why, page = words(error), tidings.stripe_page(dirty.mode, "customers", dirty.customer)
    if isinstance(error, TellOperatorError):
        yield tidings.needs_operator("Stripe", why, now)
    if gives_up(error, dirty.fails):
        yield tidings.given_up(dirty.mode, f"customer {dirty.customer}", why, now, page)
    elif isinstance(error, TryAgainError) and dirty.fails + 1 == FAILING:
        key = f"{AlertKind.SYNC_FAILING}:{dirty.mode}:{dirty.customer}:{now.isoformat()}"
        yield Alert(key, AlertKind.SYNC_FAILING, dirty.customer, now, why, page)


def retry_in(fails: int) -> timedelta:
    """How long to wait after so many failures in a row; spread, so that a crowd does not return at once."""
    longest = min(LONGEST_RETRY, FIRST_RETRY * (1 << min(fails, 10)))
    return longest * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing


def words(error: Exception) -> str:
    """What the operator reads of a failure."""
    return str(error) if isinstance(error, OutsideError) else f"{type(error).__name__}: {error}"


def gives_up(error: Exception, fails: int) -> bool:
    """Whether trying once more is in vain: what is only away comes back, all else goes on failing."""
    return not isinstance(error, TryAgainError) and fails + 1 >= TRIES
