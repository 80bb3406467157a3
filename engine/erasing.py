"""Erases a person everywhere, and shows that it did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from engine.audit import Actor, Deed, Entry
from engine.catalogue import charging, still_running
from engine.domain import Person, TierName
from engine.erasure import Erased, Trace
from engine.facts import Mode, Subscription
from engine.ledger import Tx, locked
from engine.notices import Notice, NoticeId, NoticeKind
from engine.ports import Clock, Store
from engine.terms import Duty, DutyId, DutyKind

LOOKS, PAUSE = 25, 0.2
"""How often, and seconds between, it is looked whether answers that were stopped have ended."""

Stop = Callable[[Person], Awaitable[int]]
"""Breaks off a person's answers in every process."""


class NotErased(StrEnum):
    """Why somebody is not erased."""

    UNKNOWN = "unknown"
    """Nothing is kept of them."""
    RUNNING = "running"
    """A subscription would go on charging them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would become of a person's data, changed by nothing."""

    traces: Sequence[Trace]
    running: Sequence[Subscription]
    paid_until: datetime | None
    """When what they paid for would have ended."""


class Erasing:
    """Tells what is kept of a person, and erases it."""

    def __init__(self, store: Store, clock: Clock, mode: Mode) -> None:
        self._store = store
        self._clock = clock
        self._mode = mode

    async def plan(self, person: Person) -> Plan | NotErased:
        """What erasing them would do."""
        now = self._clock.now()

        def work(tx: Tx) -> Plan | NotErased:
            account = tx.find_account(person)
            if account is None:
                return NotErased.UNKNOWN
            subs = still_running(tx.subscriptions(account.id, self._mode))
            until = max((sub.period_end for sub in subs if sub.period_end), default=None)
            return Plan(tx.traces(account.id, person, now), charging(subs), until)

        return await self._store.read(work)

    async def end_subscriptions(self, person: Person) -> int:
        """Owe the end, at once, of whatever may still charge them; how many subscriptions."""
        now = self._clock.now()

        def work(tx: Tx) -> int:
            account = tx.find_account(person)
            subs = charging(tx.subscriptions(account.id, self._mode)) if account else ()
            for sub in subs:
                tx.owe_duty(Duty(DutyId(f"erased:{sub.id}"), DutyKind.END_ERASED, self._mode, sub.id), now)
            return len(subs)

        return await self._store.transact(work)

    async def erase(self, actor: Actor, person: Person, stop: Stop) -> Erased | NotErased:
        """Stop their answers, then erase everything in one unit of work."""
        plan = await self.plan(person)
        if isinstance(plan, NotErased) or plan.running:
            return plan if isinstance(plan, NotErased) else NotErased.RUNNING
        await self._quiet(person, stop)
        name, now = f"erased:{uuid4().hex[:16]}", self._clock.now()
        return await self._store.transact(lambda tx: erase(tx, actor, person, name, self._mode, now))

    async def search(self, done: Erased, person: Person) -> tuple[int, Sequence[str]]:
        """`ErasureTx.remains`: reads the whole database, which takes seconds or minutes."""
        return await self._store.read(lambda tx: tx.remains(done.account, person))

    async def _quiet(self, person: Person, stop: Stop) -> None:
        """Give answers that are being written the time to end; what does not is booked as if it was lost."""
        if not await stop(person):
            return
        for _ in range(LOOKS):
            if not await self._store.read(lambda tx: answering(tx, person, self._clock.now())):
                return
            await asyncio.sleep(PAUSE)

    async def sweep(self) -> int:
        """Forget what those who were erased had used in periods that are over."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: tx.forget_erased(now))


def answering(tx: Tx, person: Person, now: datetime) -> int:
    """How many answers are being written to somebody."""
    account = tx.find_account(person)
    return tx.usage(account.id, now).at_once if account else 0


def erase(tx: Tx, actor: Actor, person: Person, name: str, mode: Mode, now: datetime) -> Erased | NotErased:
    """Erase a person's account under its lock, write that down, and tell those who had a seat of theirs."""
    account = locked(tx, person)
    if account is None:
        return NotErased.UNKNOWN
    if charging(tx.subscriptions(account.id, mode)):
        return NotErased.RUNNING
    for each in tx.team_members(account.id, mode):
        key, told = f"left:{each.account}:{name}", NoticeKind.SEAT_TAKEN
        tx.owe(Notice(NoticeId(uuid4().hex), key, each.account, mode, each.person, told, TierName.FREE, now))
    traces = tx.erase(account, name, now)
    by = replace(actor, name=name) if actor.name == str(person) else actor
    tx.note(Entry(now, by, Deed.ERASE, name, f"{sum(each.rows for each in traces)} rows"))
    return Erased(name, account.id, traces)
