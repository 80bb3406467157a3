"""Changing a running subscription from chat: shown first, confirmed by its member, done once."""

from __future__ import annotations

import calendar
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from engine.catalogue import Wares, still_running
from engine.domain import Account, AccountId, Interval, Person, TierName
from engine.errors import GoneError, OutsideError
from engine.facts import Access, CustomerId, Subscription
from engine.ledger import Tx
from engine.ports import Billing, Clock, Store
from engine.subscriptions import Subscriptions
from engine.terms import (
    ChangeKind,
    ChangeOrder,
    ChangeResult,
    ChangeState,
    Proposal,
    ProposalId,
    ProposalState,
    Timing,
    Wish,
)
from engine.wishes import Obstacle, fulfilled, standing_obstacle, wish_for

log = logging.getLogger("engine.changes")

PROPOSAL_LIFE = timedelta(minutes=5)
REPEATABLE = timedelta(hours=12)
"""How long a confirmed order may be sent again: Stripe remembers its key for a day (docs.stripe.com/api,
"Idempotent requests"), and what it has forgotten it would do a second time."""
Flush = Callable[[AccountId], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change to be confirmed, with what it is made to and when its price is due for the first time."""

    proposal: Proposal
    before: Subscription
    first_due: datetime | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A change that is not proposed, and the access of the member who wished for it."""

    obstacle: Obstacle
    access: Access
    simulated: bool


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of a confirmed change; `shown` is whether our facts say so too."""

    proposal: Proposal
    result: ChangeResult
    subscription: Subscription | None
    shown: bool
    simulated: bool


@dataclass(frozen=True, slots=True)
class NotYours:
    """A proposal that was made to somebody else, or to nobody."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A proposal that is too old, was declined or has been overtaken: it has to be asked for anew."""

    proposal: Proposal


class Changes:
    """Proposes changes of the subscription that decides, and carries out what its person confirms."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        billing: Billing | None,
        wares: Wares,
        subscriptions: Subscriptions,
        flush: Flush | None = None,
    ) -> None:
        """`flush` reports an account's metered use before the item that carries it goes."""
        self._store = store
        self._clock = clock
        self._billing = billing
        self._wares = wares
        self._subscriptions = subscriptions
        self._flush = flush

    async def propose(
        self,
        person: Person,
        kind: ChangeKind,
        tier: TierName | None = None,
        interval: Interval | None = None,
        quantity: int | None = None,
    ) -> Proposed | Refused:
        """What a change would cost and when, kept for the person to confirm within five minutes.

        A switch keeps the tier or interval that is not named. OutsideError when Stripe cannot answer now.
        """
        billing, simulated = self._billing, self._subscriptions.simulated
        account, found, blocked = await self._truth(person)
        sub = found.subscription
        if billing is None or account is None or sub is None or not still_running([sub]):
            return Refused(Obstacle.NOTHING_RUNNING, found, simulated)
        wish = hindering(found, sub, kind, blocked=blocked) or wish_for(
            self._wares.today, sub, kind, tier=tier, interval=interval, quantity=quantity
        )
        if isinstance(wish, Obstacle):
            return Refused(wish, found, simulated)
        now = self._clock.now()
        try:
            preview = await billing.preview_change(sub, wish, now)
        except GoneError:
            return Refused(Obstacle.NOTHING_RUNNING, found, simulated)
        proposal = Proposal(
            ProposalId(f"{uuid4().hex}-{fingerprint(sub)}"),
            account,
            billing.mode,
            person,
            sub.id,
            wish,
            preview,
            now,
            now + PROPOSAL_LIFE,
        )
        await self._store.transact(lambda tx: tx.save_proposal(proposal))
        return Proposed(proposal, sub, first_due(proposal, sub), simulated)

    async def confirm(self, person: Person, proposal: ProposalId) -> Confirmed | NotYours | Expired:
        """Carry a proposal out; pressed again, it is the same order with the same result.

        OutsideError when Stripe cannot answer now: pressing again is safe.
        """
        billing, now = self._billing, self._clock.now()
        taken = await self._store.transact(lambda tx: self._take(tx, person, proposal, now))
        if billing is None or not isinstance(taken, Proposal):
            return NotYours() if isinstance(taken, Proposal) else taken
        sub = await self._facts(taken)
        if fulfilled(sub, taken.wish, taken.preview.timing):
            return await self._end(taken, ChangeResult(in_effect(taken)), sub)
        if sub is None or fingerprint(sub) != made_for(taken):
            return await self._end(taken, ChangeResult(ChangeState.OUTDATED), sub)
        if self._flush and loses_its_meter(sub, taken.wish):
            await self._flush(taken.account)
        try:
            result = await billing.change_subscription(order(taken, sub))
        except GoneError:
            result = ChangeResult(ChangeState.OUTDATED)
        return await self._end(taken, result, await self._read_again(taken, sub))

    async def decline(self, person: Person, proposal: ProposalId) -> bool:
        """Let an open proposal be; False if there is none of this person."""

        def work(tx: Tx) -> bool:
            found = tx.proposal(proposal)
            if found is None or found.person != person or found.state is not ProposalState.OPEN:
                return False
            tx.save_proposal(replace(found, state=ProposalState.REFUSED))
            return True

        return await self._store.transact(work)

    async def _truth(self, person: Person) -> tuple[AccountId | None, Access, bool]:
        """Whose affairs these are, their access by the newest facts to be had, and if they are blocked."""
        mode = self._subscriptions.mode

        def known(tx: Tx) -> tuple[Account | None, CustomerId | None]:
            account = tx.find_account(person)
            record = tx.customer(account.id, mode) if account else None
            return account, (record.customer if record else None)

        account, customer = await self._store.read(known)
        if customer and self._billing:
            await self._subscriptions.sync(customer)
        found = await self._subscriptions.access(person)
        blocked = account is not None and account.blocked_at is not None
        return (account.id if account else None), found, blocked

    def _take(
        self, tx: Tx, person: Person, wanted: ProposalId, now: datetime
    ) -> Proposal | NotYours | Expired:
        """Confirm it, if the person may, in time; one that was confirmed before may be carried out again."""
        found = tx.proposal(wanted)
        if found is None or found.person != person or found.mode is not self._subscriptions.mode:
            return NotYours()
        until = found.expires_at if found.state is ProposalState.OPEN else found.expires_at + REPEATABLE
        account = tx.find_account(person)
        barred = account and account.blocked_at and found.wish.kind is not ChangeKind.CANCEL
        if found.state is ProposalState.REFUSED or now >= until or barred:
            return Expired(found)
        if found.state is ProposalState.OPEN:
            found = replace(found, state=ProposalState.CONFIRMED)
            tx.save_proposal(found)
        return found

    async def _facts(self, proposal: Proposal) -> Subscription | None:
        """The subscription as we know it."""

        def work(tx: Tx) -> Subscription | None:
            known = tx.subscriptions(proposal.account, proposal.mode)
            return next((each for each in known if each.id == proposal.subscription), None)

        return await self._store.read(work)

    async def _read_again(self, proposal: Proposal, sub: Subscription) -> Subscription | None:
        """The subscription as Stripe has it now, or as we know it while Stripe cannot be read."""
        try:
            await self._subscriptions.sync(sub.customer)
        except OutsideError as error:
            log.warning("a change is not read yet", extra={"customer": sub.customer, "why": str(error)})
        return await self._facts(proposal)

    async def _end(
        self, proposal: Proposal, result: ChangeResult, sub: Subscription | None
    ) -> Confirmed | Expired:
        """Write down what became of it: done is only what our facts show, and what is not can be repeated."""
        shown = fulfilled(sub, proposal.wish, proposal.preview.timing)
        was, state = proposal.state, proposal.state
        if shown:
            state = ProposalState.DONE
        elif result.state is ChangeState.OUTDATED:
            state = ProposalState.REFUSED
        if state is not was:
            await self._store.transact(lambda tx: tx.save_proposal(replace(proposal, state=state)))
        if was is ProposalState.DONE and not shown:
            return Expired(proposal)
        if shown and result.state is ChangeState.PAYMENT_NEEDED:
            result = ChangeResult(in_effect(proposal))
        return Confirmed(proposal, result, sub, shown, self._subscriptions.simulated)


def hindering(found: Access, sub: Subscription, kind: ChangeKind, *, blocked: bool) -> Obstacle | None:
    """What stands in the way of this change; whoever is blocked may only cancel."""
    if blocked and kind is not ChangeKind.CANCEL:
        return Obstacle.BLOCKED
    return standing_obstacle(found, sub)


def order(proposal: Proposal, sub: Subscription) -> ChangeOrder:
    """The order of a confirmed proposal: always the same for the same proposal."""
    preview = proposal.preview
    return ChangeOrder(f"chg-{proposal.id}", sub, proposal.wish, preview.timing, preview.effective_at)


def in_effect(proposal: Proposal) -> ChangeState:
    """What to call a change that our facts show."""
    return ChangeState.DONE if proposal.preview.timing is Timing.NOW else ChangeState.PLANNED


def fingerprint(sub: Subscription) -> str:
    """What a change is reckoned from: a proposal for another state of the subscription is outdated."""
    state = (sub.price, sub.quantity, sub.period_end, sub.cancel_at, sub.planned, sub.status)
    return hashlib.sha256(repr(state).encode()).hexdigest()[:8]


def made_for(proposal: Proposal) -> str:
    """The fingerprint that a proposal's id ends with."""
    return proposal.id.rpartition("-")[2]


def loses_its_meter(sub: Subscription, wish: Wish) -> bool:
    """Whether the metered item goes with this change, so that its use has to be reported before."""
    return sub.metered_item is not None and wish.kind is ChangeKind.SWITCH and wish.tier is not sub.tier


def first_due(proposal: Proposal, sub: Subscription) -> datetime | None:
    """When the recurring price is charged for the first time."""
    preview, wish = proposal.preview, proposal.wish
    if preview.timing is Timing.PERIOD_END and wish.kind is not ChangeKind.CANCEL:
        return preview.effective_at
    if sub.trial_end and sub.trial_end > preview.effective_at:
        return sub.trial_end
    return sub.period_end if wish.interval is sub.interval else after(preview.effective_at, wish.interval)


def after(start: datetime, interval: Interval) -> datetime:
    """The same day an interval later; a month that is too short ends on its last day."""
    months = 12 if interval is Interval.YEAR else 1
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(
        year=year, month=month + 1, day=min(start.day, calendar.monthrange(year, month + 1)[1])
    )
