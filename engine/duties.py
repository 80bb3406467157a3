"""Does what is owed to Stripe: looking into disputes and refunds, ending what must not go on."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from engine import news, tidings
from engine.applying import duties, last_told, notice, reconsider
from engine.catalogue import still_running
from engine.domain import Account, TierName
from engine.errors import OutsideError
from engine.facts import (
    NO_CLAIMS,
    Access,
    AccessReason,
    Claims,
    CustomerId,
    Dispute,
    DisputeStage,
    MoneyBack,
    Refund,
    SessionId,
)
from engine.ledger import Tx
from engine.notices import NoticeKind
from engine.ports import Billing, Clock, Store
from engine.subscriptions import gives_up, retry_in, words
from engine.terms import Duty, DutyKind, FullRefund, Policy

log = logging.getLogger("engine.duties")

LEASE = timedelta(seconds=60)
BATCH = 1


class Duties:
    """Takes one duty at a time; whatever a crash interrupts is done again, under the same idempotency key."""

    def __init__(
        self, store: Store, clock: Clock, billing: Billing, policy: Policy, woken: Callable[[], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._billing = billing
        self._policy = policy
        self._woken = woken

    async def work(self) -> int:
        """Do what is due longest; how many were taken."""
        now, mode = self._clock.now(), self._billing.mode
        taken = await self._store.transact(lambda tx: tx.claim_duties(mode, now, now + LEASE, BATCH))
        for duty in taken:
            try:
                await self._perform(duty)
            except OutsideError as error:
                await self._failed(duty, error)
            except Exception as error:
                await self._failed(duty, error)
                raise
            else:
                await self._done(duty)
        return len(taken)

    async def save(self, found: MoneyBack, read_at: datetime) -> bool:
        """Keep what was found about a payment, with all that follows; False if it is no news here.

        `read_at` is when the reading that found it began, or earlier.
        """
        now = self._clock.now()
        fresh = await self._store.transact(lambda tx: save(tx, found, read_at, now, self._policy))
        if fresh:
            self._woken()
        return fresh

    async def _perform(self, duty: Duty) -> None:
        acts: dict[DutyKind, Callable[[], Awaitable[object]]] = {
            DutyKind.LOOK_INTO: lambda: self._look_into(duty.subject),
            DutyKind.END_DUPLICATE: lambda: self._end(duty, refund=True),
            DutyKind.END_REFUNDED: lambda: self._end(duty, refund=False),
            DutyKind.END_DISPUTED: lambda: self._end(duty, refund=False),
            DutyKind.END_ERASED: lambda: self._end(duty, refund=False),
            DutyKind.END_LATE: lambda: self._end(duty, refund=True),
            DutyKind.CLOSE_CHECKOUT: lambda: self._billing.expire_checkout_session(SessionId(duty.subject)),
        }
        await acts[duty.kind]()

    async def _look_into(self, subject: str) -> None:
        asked_at = self._clock.now()
        found = await self._billing.look_into(subject)
        if found:
            await self.save(found, asked_at)

    async def _end(self, duty: Duty, *, refund: bool) -> None:
        """End a subscription, unless what it was to be ended for has passed since it was owed."""
        mode, now = duty.mode, self._clock.now()
        customer = await self._store.read(lambda tx: tx.customer_of(mode, duty.subject))
        if customer and not await self._still_owed(duty, customer):
            log.warning("a subscription goes on after all", extra={"duty": duty.id})
            await self._store.transact(lambda tx: tx.drop_duty(duty.id))
        else:
            await self._billing.end_subscription(duty.subject, f"duty-{duty.id}", refund=refund)
        if customer:
            await self._store.transact(lambda tx: tx.mark_dirty(mode, customer, now))
            self._woken()

    async def _still_owed(self, duty: Duty, customer: CustomerId) -> bool:
        """Whether Stripe's facts of this moment say so too; what is over may still have to be given back."""
        if duty.kind in {DutyKind.END_ERASED, DutyKind.END_LATE}:
            return True
        truth = await self._billing.get_stripe_subscription_status(customer)

        def known(tx: Tx) -> Claims:
            owner = tx.account_of(duty.mode, customer)
            return tx.claims(owner, duty.mode) if owner else NO_CLAIMS

        claims = await self._store.read(known)
        running = {sub.id for sub in still_running(truth.subscriptions)}
        owed = {each.id for each in duties(truth.subscriptions, claims, duty.mode, self._policy)}
        return duty.subject not in running or duty.id in owed

    async def _done(self, duty: Duty) -> None:
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.duty_done(duty.id, now))

    async def _failed(self, duty: Duty, error: Exception) -> None:
        level = logging.ERROR if gives_up(error, duty.attempts) else logging.WARNING
        log.log(level, "duty not done", extra={"duty": duty.id, "why": words(error)})
        now = self._clock.now()
        due = now + retry_in(duty.attempts)

        def work(tx: Tx) -> None:
            if gives_up(error, duty.attempts):
                tx.duty_dead(duty.id, words(error))
                tx.raise_alert(tidings.given_up(duty.mode, f"duty {duty.id}", words(error), now))
            else:
                tx.duty_later(duty.id, due, words(error))

        await self._store.transact(work)


def save(tx: Tx, found: MoneyBack, read_at: datetime, now: datetime, policy: Policy) -> bool:
    """Write a dispute or refund down under its account's lock, and what follows; False if it is no news."""
    owner = tx.account_of(found.mode, found.customer) or tx.former_customer(found.mode, found.customer)
    account = tx.lock_account_id(owner) if owner else None
    if account is None:
        return False
    if isinstance(found, Dispute):
        fresh = save_dispute(tx, account, found, read_at, now)
        if fresh:
            reconsider(tx, account, found.mode, now, policy)
    else:
        fresh = save_refund(tx, account, found, read_at, now, policy)
    if fresh and tx.account_of(found.mode, found.customer):
        tx.mark_dirty(found.mode, found.customer, now)
    return fresh


def save_dispute(tx: Tx, account: Account, found: Dispute, read_at: datetime, now: datetime) -> bool:
    """Keep a dispute; the operator hears of every stage. Whether it is news."""
    known = tx.save_dispute(account.id, found, read_at)
    if known and known.stage is found.stage:
        return False
    level = logging.INFO if found.stage is DisputeStage.WON else logging.ERROR
    log.log(level, "dispute", extra={"dispute": found.id, "stage": found.stage.value})
    tx.raise_alert(tidings.disputed(found, account.person, now))
    return True


def save_refund(
    tx: Tx, account: Account, found: Refund, read_at: datetime, now: datetime, policy: Policy
) -> bool:
    """Keep a refund, and tell it unless the end of a tier by it tells it. Whether it is news."""
    revokes = found.full and policy.full_refund is FullRefund.END
    known = tx.save_refund(account.id, found, read_at, revokes=revokes)
    more = found.amount - (known.amount if known else 0)
    if not more:
        return False
    if more > 0:
        tx.raise_alert(tidings.refunded(found, more, account.person, now))
    told = last_told(tx, account.id, found.mode)
    after = reconsider(tx, account, found.mode, now, policy)
    tells_itself = after.reason is AccessReason.REFUNDED and told is not TierName.FREE
    if more > 0 and not tells_itself:
        tell_refund(tx, account, found, after, now)
    return True


def tell_refund(tx: Tx, account: Account, found: Refund, after: Access, now: datetime) -> None:
    """Owe the notice of a refund of the newest payment of a subscription, ended ones too."""
    subs = tx.subscriptions(account.id, found.mode)
    paid = next((sub for sub in subs if sub.latest_invoice == found.invoice), None)
    if paid:
        word = news.Word(NoticeKind.REFUNDED, f"refund:{found.charge}:{found.amount}")
        tx.owe(notice(tx, account, found.mode, word, after, now, paid.tier))
