"""A member's metered use: what it costs so far, saying yes with a cap, and saying no."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from engine.catalogue import Wares, access
from engine.domain import Account, AccountId, Micros, Person, Tier
from engine.errors import GoneError, TryAgainError
from engine.facts import Access, CustomerId, Subscription
from engine.ledger import Tx
from engine.limits import next_month
from engine.overage import MeterOffer, month_start, offer
from engine.ports import Billing, Clock, Store
from engine.subscriptions import Subscriptions
from engine.teams import access_of
from engine.terms import (
    ChangeKind,
    ChangeOrder,
    ChangeState,
    Metering,
    Policy,
    Timing,
    Wish,
)

CENT = 10_000
"""Micro-dollars."""
ORDERS = 2
READINGS, READING_SECONDS = 5, 0.3
"""Somebody else who reads the same customer is soon done."""


@dataclass(frozen=True, slots=True)
class MeteringStatus:
    """A member's metered use in this UTC month. Amounts are micro-dollars."""

    offer: MeterOffer
    on: bool
    """The member said yes and the subscription has the item; it rests where `offer` is not OFFERED."""
    cap: Micros | None
    """What the member let it cost a month when they last said yes."""
    included: Micros
    used: Micros
    """Vendor cost within the included amount, held turns counted."""
    beyond: Micros
    """Vendor cost of metered use."""
    cost: Fraction
    """What that costs the member: exactly, without tax."""
    markup: Decimal
    """What 1 USD of vendor cost costs the member."""
    resets_at: datetime
    simulated: bool

    @property
    def cost_shown(self) -> Micros:
        """The cost in whole cents, rounded up once."""
        return in_cents(self.cost)


@dataclass(frozen=True, slots=True)
class MeteringRefused:
    """Metered use that is not switched on, and why."""

    why: MeterOffer


@dataclass(frozen=True, slots=True)
class _Member:
    account: AccountId
    access: Access
    tier: Tier
    said: Metering | None
    blocked: bool

    def offer(self, markup: Decimal, now: datetime) -> MeterOffer:
        """Whether metered use may be had now."""
        return MeterOffer.BLOCKED if self.blocked else offer(self.access, self.tier, markup, now)


class Meter:
    """Switches metered use on and off; Stripe's subscription carries the item before anything is charged."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        billing: Billing | None,
        wares: Wares,
        subscriptions: Subscriptions,
        policy: Policy,
    ) -> None:
        self._store = store
        self._clock = clock
        self._billing = billing
        self._wares = wares
        self._subscriptions = subscriptions
        self._markup = policy.metered_markup if billing else Decimal(0)

    async def status(self, person: Person) -> MeteringStatus | None:
        """How things stand with a member; None where no metered use is sold at all."""
        if self._markup <= 0:
            return None
        now = self._clock.now()
        return await self._store.read(lambda tx: self._status(tx, person, now))

    async def agree(self, person: Person, cap: Micros) -> MeteringStatus | MeteringRefused:
        """The member lets metered use cost them `cap` (above 0) a UTC month; again: another cap.

        OutsideError by remedy when Stripe cannot answer now; asking again goes on where this ended.
        """
        if cap <= 0:
            message = "a cap is above 0"
            raise ValueError(message)
        for attempt in range(ORDERS + 1):
            now, member = await self._member_now(person)
            why = member.offer(self._markup, now)
            sub = member.access.subscription
            if self._billing is None or sub is None or why is not MeterOffer.OFFERED:
                return MeteringRefused(why)
            if sub.metered_item:
                return await self._say(person, member, now, on=True, cap=cap)
            if attempt < ORDERS:
                await self._add_item(self._billing, sub, attempt)
        message = "Stripe has not added the metered item yet"
        raise TryAgainError(message)

    async def stop(self, person: Person) -> MeteringStatus | None:
        """No metered use of new turns; what was used is still charged. None as in `status`."""
        if self._markup <= 0:
            return None
        now, member = await self._member_now(person)
        if member.said is None:
            return await self.status(person)
        return await self._say(person, member, now, on=False, cap=member.said.cap)

    async def _add_item(self, billing: Billing, sub: Subscription, attempt: int) -> None:
        """Have the item added and read the result; the first order may be an old one that Stripe repeats."""
        if sub.tier is None or sub.interval is None:
            return
        order = ChangeOrder(
            key=f"meter-{sub.id}-{sub.price}-{attempt}",
            subscription=sub,
            wish=Wish(ChangeKind.METER, sub.tier, sub.interval, 1),
            timing=Timing.NOW,
            effective_at=sub.started_at,
        )
        try:
            result = await billing.change_subscription(order)
        except GoneError:
            result = None
        await self._read_again(sub.customer)
        if result is not None and result.state is ChangeState.PAYMENT_NEEDED:
            message = "an unpaid invoice is in the way"
            raise TryAgainError(message)

    async def _read_again(self, customer: CustomerId) -> None:
        """Read what the order made of the subscription; TryAgainError if others keep us from it."""
        for _ in range(READINGS):
            if await self._subscriptions.sync(customer):
                return
            await asyncio.sleep(READING_SECONDS)
        message = "somebody else is reading the same customer"
        raise TryAgainError(message)

    async def _say(
        self, person: Person, member: _Member, now: datetime, *, on: bool, cap: Micros
    ) -> MeteringStatus:
        """Write down what the member said, under the lock that turns are admitted under."""
        word = Metering(member.account, self._subscriptions.mode, on, cap, now, person)

        def work(tx: Tx) -> MeteringStatus:
            tx.lock_account_id(member.account)
            tx.save_metering(word)
            return self._status(tx, person, now)

        return await self._store.transact(work)

    async def _member_now(self, person: Person) -> tuple[datetime, _Member]:
        """Facts of a person, who is given an account if they have none."""
        now = self._clock.now()

        def work(tx: Tx) -> _Member:
            return self._known(tx, tx.lock_account(person, now), now)

        return now, await self._store.transact(work)

    def _known(self, tx: Tx, account: Account, now: datetime) -> _Member:
        mode = self._subscriptions.mode
        catalogue = self._wares.today
        found, blocked = access_of(tx, catalogue, account.id, mode, now), account.blocked_at is not None
        said = tx.metering(account.id, mode)
        return _Member(account.id, found, catalogue.tier(found.tier), said, blocked)

    def _status(self, tx: Tx, person: Person, now: datetime) -> MeteringStatus:
        account = tx.find_account(person)
        member = self._known(tx, account, now) if account else None
        found = member.access if member else access((), now)
        tier = self._wares.today.tier(found.tier)
        included, said = tier.cost_ceiling_month or Micros(0), member.said if member else None
        mode = self._subscriptions.mode
        beyond = tx.usage_cost(account.id, mode, month_start(now)) if account else Micros(0)
        used = tx.usage(account.id, now).cost_month if account else Micros(0)
        return MeteringStatus(
            offer=member.offer(self._markup, now) if member else offer(found, tier, self._markup, now),
            on=said is not None and said.on and carries(found),
            cap=said.cap if said else None,
            included=included,
            used=Micros(min(used, included)),
            beyond=beyond,
            cost=beyond * Fraction(self._markup),
            markup=self._markup,
            resets_at=next_month(now),
            simulated=self._subscriptions.simulated,
        )


def carries(found: Access) -> bool:
    """Whether the subscription that decides has the metered item."""
    return found.subscription is not None and found.subscription.metered_item is not None


def in_cents(amount: Fraction) -> Micros:
    """An exact amount as whole cents, rounded up."""
    return Micros(-(-amount // CENT) * CENT)
