"""Metered use on its way to Stripe: sealed, told once, and compared with what Stripe has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from engine import sealing, tidings
from engine.domain import AccountId
from engine.errors import GoneError, OutsideError, TryAgainError
from engine.facts import Mode
from engine.ledger import Tx
from engine.ports import Billing, Clock, Store
from engine.sealing import HOUR, Ledger, Span
from engine.subscriptions import gives_up, retry_in, words
from engine.terms import Difference, DifferenceKind, UsageReport

log = logging.getLogger("engine.dispatch")

LEASE = timedelta(seconds=60)
BATCH = 1
FLUSHED_AT_ONCE = 20
DOUBTFUL = timedelta(hours=20)
"""Stripe keeps identifiers for a day at least: what may have arrived before is looked for, not told again."""
OLDEST = timedelta(days=35)
"""Stripe takes no older use (docs.stripe.com/api/billing/meter-event, `timestamp`)."""


class Dispatch:
    """Reports metered use, each unit once, whatever crashes or is lost between us and Stripe."""

    def __init__(self, store: Store, clock: Clock, billing: Billing) -> None:
        self._store = store
        self._clock = clock
        self._billing = billing

    async def seal(self) -> int:
        """Seal what is due; how many hours that was."""
        now, mode = self._clock.now(), self._mode
        waiting = await self._store.read(lambda tx: sealing.due(tx, mode, now))
        return sum([await self._seal(account, before) for account, before in waiting.items()])

    async def work(self) -> int:
        """Send the report due longest; how many that was."""
        taken = await self._claim(BATCH)
        for report in taken:
            await self._send_or_log(report)
        return len(taken)

    async def flush(self, account: AccountId) -> None:
        """Seal and send all use of an account now, before the item that carries it goes.

        TryAgainError: not all of it has arrived. What Stripe refuses for good is logged and holds nobody up.
        """
        await self._seal(account, self._clock.now() + sealing.AHEAD)
        taken = await self._claim(FLUSHED_AT_ONCE, account)
        for report in taken:
            error = await self._send_or_log(report)
            if isinstance(error, TryAgainError):
                raise error
        now, mode, tried = self._clock.now(), self._mode, {report.identifier for report in taken}
        known = await self._store.read(lambda tx: tx.usage_reports(account, mode, now - OLDEST, now + HOUR))
        if any(each.sent_at is None and not each.dead and each.identifier not in tried for each in known):
            message = "metered use is still on its way"
            raise TryAgainError(message)

    async def differences(self) -> Sequence[Difference]:
        """Where Stripe's meter has another sum than our reports, or an item is gone; changes nothing."""
        return await self._look(mends=False)

    async def mend(self) -> Sequence[Difference]:
        """The same; what Stripe has too little of is reported again, and an item that is gone is a no."""
        return await self._look(mends=True)

    @property
    def _mode(self) -> Mode:
        return self._billing.mode

    async def _seal(self, account: AccountId, before: datetime) -> int:
        now, mode = self._clock.now(), self._mode
        return await self._store.transact(lambda tx: sealing.seal(tx, account, mode, before, now))

    async def _claim(self, limit: int, account: AccountId | None = None) -> Sequence[UsageReport]:
        now, mode = self._clock.now(), self._mode
        return await self._store.transact(lambda tx: tx.claim_reports(mode, now, now + LEASE, limit, account))

    async def _send_or_log(self, report: UsageReport) -> OutsideError | None:
        """Send a report; a failure is written down, logged and returned."""
        try:
            await self._send(report)
        except OutsideError as error:
            await self._failed(report, error)
            return error
        except Exception as error:
            await self._failed(report, error)
            raise
        return None

    async def _send(self, report: UsageReport) -> None:
        """Tell Stripe and write down that it knows; what was tried long ago is looked for first."""
        now = self._clock.now()
        if report.tried_at is not None and now - report.tried_at > DOUBTFUL and await self._found(report):
            return
        await self._billing.report_usage(report)
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.report_sent(report.identifier, now))

    async def _found(self, report: UsageReport) -> bool:
        """Whether Stripe's sum of the hour has some of a report; what it lacks is then reported again."""
        known, span = Ledger(report.account, report.mode, report.customer), (report.hour, report.hour + HOUR)
        there = await self._billing.reported_usage(report.customer, *span)
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            tx.lock_account_id(report.account)
            if there <= sealing.expected(tx, known, span):
                return False
            tx.report_sent(report.identifier, now)
            sealing.make_good(tx, known, span, there, now)
            return True

        return await self._store.transact(work)

    async def _failed(self, report: UsageReport, error: Exception) -> None:
        dead = gives_up(error, report.attempts)
        level = logging.ERROR if dead else logging.WARNING
        log.log(level, "use not reported", extra={"report": report.identifier, "why": words(error)})
        now = self._clock.now()
        due = now + retry_in(report.attempts)

        def work(tx: Tx) -> None:
            if dead:
                tx.report_dead(report.identifier, words(error))
                tx.raise_alert(tidings.given_up(report.mode, f"use {report.identifier}", words(error), now))
            else:
                tx.report_later(report.identifier, due, words(error))

        await self._store.transact(work)

    async def _look(self, *, mends: bool) -> Sequence[Difference]:
        found: list[Difference] = []
        for known in await self._ledgers():
            found += await self._compare(known, mends=mends)
            found += await self._item_missing(known, mends=mends)
        return found

    async def _item_missing(self, known: Ledger, *, mends: bool) -> Sequence[Difference]:
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            tx.lock_account_id(known.account)
            missing = sealing.item_missing(tx, known, now)
            if missing and mends:
                tx.save_metering(replace(missing, on=False))
            return missing is not None

        missing = await self._store.transact(work)
        detail = "metered use is agreed, and the pro subscription has no metered item"
        return [Difference(DifferenceKind.ITEM_MISSING, known.account, known.customer, detail)] * missing

    async def _ledgers(self) -> Sequence[Ledger]:
        """Everybody whose use was or may be reported."""
        mode = self._mode

        def work(tx: Tx) -> Sequence[Ledger]:
            records = [(each, tx.customer(each, mode)) for each in tx.metered_accounts(mode)]
            return [Ledger(each, mode, known.customer) for each, known in records if known and known.customer]

        return await self._store.read(work)

    async def _compare(self, known: Ledger, *, mends: bool) -> Sequence[Difference]:
        """What differs for one customer, last month and this one; nothing while reports are on their way."""
        found = []
        for span in sealing.spans(self._clock.now()):
            here = await self._units_here(known, span)
            if here is None:
                continue
            try:
                there = await self._billing.reported_usage(known.customer, *span)
            except GoneError:
                break
            if there != here:
                found.append(difference(known, span, here, there))
            if there < here and mends:
                await self._make_good(known, span, there)
        return found

    async def _units_here(self, known: Ledger, span: Span) -> int | None:
        """What Stripe should have of a span; None if it is not sure yet, or nothing was reported."""
        now = self._clock.now()

        def work(tx: Tx) -> int | None:
            return None if sealing.unsure(tx, known, span, now) else sealing.expected(tx, known, span)

        return await self._store.read(work)

    async def _make_good(self, known: Ledger, span: Span, there: int) -> None:
        now = self._clock.now()
        await self._store.transact(lambda tx: sealing.make_good(tx, known, span, there, now))


def difference(known: Ledger, span: Span, here: int, there: int) -> Difference:
    """Another sum at Stripe, in the operator's words."""
    month = f"{span[0]:%Y-%m}"
    detail = f"{month}: {here} units reported, {there} at Stripe"
    if there > here:
        detail += (
            "; more than is known here: use of which a restored backup does not know, or else too much: "
            "credit the customer, or cancel events at Stripe"
        )
    return Difference(DifferenceKind.METER, known.account, known.customer, detail)
