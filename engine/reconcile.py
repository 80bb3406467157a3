"""Finds what no event told: a look every quarter of an hour, every hour and every night, and on demand."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from engine import tidings
from engine.alerts import Alert, AlertKind
from engine.catalogue import still_running
from engine.domain import AccountId
from engine.duties import Duties
from engine.errors import OutsideError
from engine.facts import CustomerId, Mode, Subscription, SubscriptionId
from engine.ledger import Tx
from engine.ports import BillingRecords, Clock, Store
from engine.subscriptions import Subscriptions
from engine.terms import Difference, DifferenceKind

log = logging.getLogger("engine.reconcile")

QUARTER, HOUR, NIGHT = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
JOB_LEASE, NIGHT_LEASE = timedelta(minutes=30), timedelta(hours=6)
"""A night reads everything, at eight reads a second."""
TRY_AGAIN = timedelta(minutes=30)
STALE = timedelta(minutes=2)
"""An event that has not been acted on by then lost its turn in the queue."""
EVENTS_KEPT = timedelta(days=29)
"""Stripe keeps events for 30 days."""
MONEY_BACK = timedelta(days=120)
"""How long after a payment most cardholders may dispute it."""
NIGHT_HOUR = 3
PAGE = 200
LISTED = 5
"""Differences that an alert names."""
DRIFT_ALERT = 0.001
COMPARED = (
    *("status", "tier", "price", "interval", "quantity", "period_end", "cancel_at", "trial_end"),
    *("collection_paused", "latest_invoice", "past_due_since", "metered_item", "planned", "mrr"),
)
Look = Callable[[], Awaitable[Sequence[Difference]]]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison found among so many subscriptions."""

    compared: int
    differences: tuple[Difference, ...]

    @property
    def drift(self) -> float:
        """The share of subscriptions that differ."""
        return len(self.differences) / self.compared if self.compared else float(bool(self.differences))


class Reconcile:
    """Compares and queues readings; it writes no facts itself: there is one way in which they change."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        records: BillingRecords,
        subscriptions: Subscriptions,
        duties: Duties,
        looks: Sequence[Look] = (),
        repairs: Sequence[Look] = (),
    ) -> None:
        """`looks` find more differences without changing anything; `repairs` mend what is theirs."""
        self._store = store
        self._clock = clock
        self._records = records
        self._subscriptions = subscriptions
        self._duties = duties
        self._looks = tuple(looks)
        self._repairs = tuple(repairs)

    @property
    def rounds(self) -> Sequence[Callable[[], Awaitable[int]]]:
        """The looks of every quarter, hour and night, each done if due and nobody else is at it."""
        return (
            lambda: self._job("quarter", QUARTER, self._quarter),
            lambda: self._job("hour", HOUR, self._hour),
            lambda: self._job("night", NIGHT, self._night),
        )

    async def compare(self) -> Findings:
        """Read everything at Stripe and say what differs here; changes nothing."""
        before = await self._known()
        there = {sub.id: sub async for sub in self._records.all_subscriptions()}
        here = await self._known()
        ours = await self._ours({sub.customer for sub in there.values()})
        moving = {name for name in here.keys() | before.keys() if here.get(name) != before.get(name)}
        found = [each for each in differing(here, there, ours) if each.subject not in moving]
        found += several(there.values(), ours)
        found += [each async for each in self._lost_customers()]
        for look in self._looks:
            found += await look()
        return Findings(
            len(here.keys() | {sub.id for sub in there.values() if sub.customer in ours}), tuple(found)
        )

    async def mend(self, findings: Findings) -> int:
        """Have every customer that differs read again, and adopt lost ones; how many customers."""
        mode, now = self._subscriptions.mode, self._clock.now()
        customers = {each.customer for each in findings.differences if each.customer}

        def work(tx: Tx) -> None:
            for each in findings.differences:
                if each.kind is DifferenceKind.UNKNOWN_CUSTOMER and each.customer:
                    adopt(tx, AccountId(each.subject), mode, each.customer, now)
            for customer in sorted(customers):
                tx.mark_dirty(mode, customer, now)
            if findings.differences:
                tx.raise_alert(drifted(findings, mode, now))

        await self._store.transact(work)
        return len(customers)

    async def run(self) -> Findings:
        """Everything at once, for the operator: lost events, disputes, refunds, comparison, mending."""
        await self._quarter("")
        await self._hour("")
        return await self._compare_and_mend()

    async def _job(self, name: str, every: timedelta, look: Callable[[str], Awaitable[str]]) -> int:
        now, full = self._clock.now(), f"{self._subscriptions.mode}:{name}"
        lease = NIGHT_LEASE if every == NIGHT else JOB_LEASE
        note = await self._store.transact(lambda tx: tx.begin_job(full, now, now + lease))
        if note is None:
            return 0
        try:
            left = await look(note)
        except OutsideError:
            later = self._clock.now() + TRY_AGAIN
            await self._store.transact(lambda tx: tx.end_job(full, note, later))
            raise
        due = tonight(now) if every == NIGHT else now + every
        await self._store.transact(lambda tx: tx.end_job(full, left, due))
        return 1

    async def _quarter(self, _note: str) -> str:
        mode, now = self._subscriptions.mode, self._clock.now()

        def work(tx: Tx) -> int:
            stale = tx.customers_with_stale_events(mode, now - STALE)
            due = {*stale, *tx.overdue_customers(mode, now, PAGE)}
            for customer in sorted(due):
                tx.mark_dirty(mode, customer, now)
            return len(due)

        await self._store.transact(work)
        return ""

    async def _hour(self, note: str) -> str:
        """Take the events that no endpoint took; the note is when the last look began."""
        now = self._clock.now()
        since = datetime.fromisoformat(note) - HOUR if note else now - EVENTS_KEPT
        found = 0
        async for event in self._records.undelivered_events(max(since, now - EVENTS_KEPT)):
            found += await self._subscriptions.receive(event, fetched=True)
        if found:
            log.warning("events came by reconciliation only", extra={"events": found})
            missed_some = missed_events(found, self._subscriptions.mode, now)
            await self._store.transact(lambda tx: tx.raise_alert(missed_some))
        return now.astimezone(UTC).isoformat()

    async def _night(self, _note: str) -> str:
        await self._compare_and_mend()
        return ""

    async def _compare_and_mend(self) -> Findings:
        asked_at = self._clock.now()
        async for found in self._records.money_back(asked_at - MONEY_BACK):
            await self._duties.save(found, asked_at)
        findings = await self.compare()
        await self.mend(findings)
        for repair in self._repairs:
            await repair()
        kinds = Counter(each.kind.value for each in findings.differences)
        level = logging.ERROR if findings.drift > DRIFT_ALERT else logging.INFO
        log.log(level, "reconciled", extra={"compared": findings.compared, "differences": dict(kinds)})
        return findings

    async def _known(self) -> dict[SubscriptionId, Subscription]:
        known: dict[SubscriptionId, Subscription] = {}
        after = ""
        while page := await self._page(after):
            known.update({sub.id: sub for sub in page})
            after = page[-1].id
        return known

    async def _page(self, after: str) -> Sequence[Subscription]:
        mode = self._subscriptions.mode
        rows = await self._store.read(lambda tx: tx.known_subscriptions(mode, after, PAGE))
        return [sub for _, sub in rows]

    async def _ours(self, customers: set[CustomerId]) -> Mapping[CustomerId, bool]:
        mode = self._subscriptions.mode
        return await self._store.read(lambda tx: tx.known_customers(mode, sorted(customers)))

    async def _lost_customers(self) -> AsyncIterator[Difference]:
        accounts = {customer: account async for customer, account in self._records.customers()}
        known = await self._ours(set(accounts))
        unknown = {customer: account for customer, account in accounts.items() if customer not in known}
        for customer, account in unknown.items():
            if await self._is_ours(AccountId(account)):
                kind = DifferenceKind.UNKNOWN_CUSTOMER
                yield Difference(kind, account, customer, f"{customer} says that it is of account {account}")

    async def _is_ours(self, account: AccountId) -> bool:
        """Whether a customer was ever wanted for it here: others may use the same Stripe account."""
        mode = self._subscriptions.mode
        return await self._store.read(lambda tx: tx.customer(account, mode)) is not None


def differing(
    here: dict[SubscriptionId, Subscription],
    there: dict[SubscriptionId, Subscription],
    ours: Mapping[CustomerId, bool],
) -> Sequence[Difference]:
    """Subscriptions that are not the same on both sides; foreign customers and what is over do not count."""
    found = []
    for name in sorted(here.keys() | there.keys()):
        mine, truth = here.get(name), there.get(name)
        if truth and mine is None and missed(truth, ours):
            found.append(Difference(DifferenceKind.MISSING_HERE, name, truth.customer, truth.status.value))
        elif mine and truth is None and still_running([mine]):
            found.append(Difference(DifferenceKind.MISSING_THERE, name, mine.customer, mine.status.value))
        elif mine and truth and still_running([mine, truth]) and (fields := unequal(mine, truth)):
            found.append(Difference(DifferenceKind.CHANGED, name, truth.customer, ", ".join(fields)))
    return found


def missed(truth: Subscription, ours: Mapping[CustomerId, bool]) -> bool:
    """Whether we should have it: what ended with a former customer is forgotten."""
    return ours.get(truth.customer, False) or (truth.customer in ours and bool(still_running([truth])))


def unequal(mine: Subscription, truth: Subscription) -> Sequence[str]:
    """What differs, as `status: active here, canceled at Stripe`; a grace of no invoice is ours alone."""
    ours = {"past_due_since"} if truth.past_due_since is None else set()
    pairs = ((name, getattr(mine, name), getattr(truth, name)) for name in COMPARED if name not in ours)
    return [f"{name}: {told(a)} here, {told(b)} at Stripe" for name, a, b in pairs if a != b]


def told(value: object) -> str:
    """A value for the operator's eyes."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def several(there: Iterable[Subscription], ours: Mapping[CustomerId, bool]) -> Sequence[Difference]:
    """Customers with more than one subscription that may charge."""
    running = Counter(
        sub.customer for sub in still_running(there) if sub.tier is not None and sub.customer in ours
    )
    return [
        Difference(DifferenceKind.SEVERAL_RUNNING, customer, customer, f"{count} subscriptions are running")
        for customer, count in sorted(running.items())
        if count > 1
    ]


def adopt(tx: Tx, account: AccountId, mode: Mode, found: CustomerId, now: datetime) -> None:
    """A customer that was made and never written down becomes the account's, or a former one beside it."""
    tx.lock_account_id(account)
    known = tx.customer(account, mode)
    if known and known.customer is None:
        tx.save_customer(replace(known, customer=found))
    elif known:
        tx.add_former_customer(replace(known, customer=found), now)


def drifted(findings: Findings, mode: Mode, now: datetime) -> Alert:
    """What a comparison found, in brief."""
    kinds = Counter(each.kind.value for each in findings.differences)
    listed = [f"{count} {kind}" for kind, count in sorted(kinds.items())]
    listed += [f"{each.subject}: {each.detail}" for each in findings.differences[:LISTED]]
    subject = f"{len(findings.differences)} of {findings.compared}"
    return Alert(
        f"{AlertKind.DRIFT}:{mode}:{now.isoformat()}", AlertKind.DRIFT, subject, now, "\n".join(listed)
    )


def missed_events(count: int, mode: Mode, now: datetime) -> Alert:
    """Events that Stripe had and no webhook brought."""
    key = f"{AlertKind.EVENTS_MISSED}:{mode}:{now.isoformat()}"
    return Alert(
        key, AlertKind.EVENTS_MISSED, str(count), now, link=tidings.stripe_page(mode, "webhooks", "")
    )


def tonight(now: datetime) -> datetime:
    """The next time that it is three in the morning, UTC."""
    at = now.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return at if at > now else at + NIGHT
