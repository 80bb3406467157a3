"""From use to meter reports: hours are sealed, whole units reported, and what Stripe lost made good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.catalogue import access
from engine.domain import AccountId, Micros, TierName
from engine.facts import CustomerId, Mode
from engine.ledger import Tx
from engine.overage import CLOSING, leaves_pro_at, month_start
from engine.terms import Metering, UsageHour, UsageReport

UNIT = 1000
"""Micro-dollars of vendor cost in a unit of the meter."""
HOUR = timedelta(hours=1)
LATE = timedelta(minutes=5)
"""How long after its hour use is waited for; what comes later has a report of its own."""
AHEAD = timedelta(minutes=5)
"""How far the clocks of several processes may be apart."""
PAGE = 1000
SETTLED = timedelta(hours=24)
"""When Stripe's sums have what was sent; identifiers are unique for as long
(docs.stripe.com/api/billing/meter-event, `identifier`)."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Whose use is compared, under which customer."""

    account: AccountId
    mode: Mode
    customer: CustomerId


def hour_of(now: datetime) -> datetime:
    """The beginning of its hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def due(tx: Tx, mode: Mode, now: datetime) -> dict[AccountId, datetime]:
    """Accounts with use to be sealed at `now`, and until which moment of use.

    Whole hours, 5 minutes after they ended; everything, shortly before a billing period or the item ends.
    """
    accounts = {hour.account: hour.hour for hour in reversed(tx.unsealed(mode, now + AHEAD, PAGE))}
    found = {}
    for account, oldest in accounts.items():
        before = now + AHEAD if closing(tx, account, mode, now) else hour_of(now - LATE)
        if oldest < before:
            found[account] = before
    return found


def closing(tx: Tx, account: AccountId, mode: Mode, now: datetime) -> bool:
    """Whether a subscription's period or its metered item ends within minutes."""
    metered = [sub for sub in tx.subscriptions(account, mode) if sub.metered_item]
    ends = [end for sub in metered for end in (sub.period_end, leaves_pro_at(sub)) if end]
    return any(now < end <= now + CLOSING for end in ends)


def seal(tx: Tx, account: AccountId, mode: Mode, before: datetime, now: datetime) -> int:
    """Seal an account's use older than `before` under its lock; how many hours were touched."""
    tx.lock_account_id(account)
    hours = tx.unsealed(mode, before, PAGE, account)
    for hour in hours:
        tx.seal(hour, before, report_of(tx, hour, now))
    return len(hours)


def doubt_all(tx: Tx, now: datetime) -> int:
    """Seal all use, and have each report looked for before it is sent; how many may not have arrived.

    For a restored database: what it has not reported may have been reported after the backup was made, longer
    ago than Stripe keeps identifiers apart.
    """
    before = now + AHEAD
    for mode in Mode:
        while found := tx.unsealed(mode, before, PAGE):
            for account in dict.fromkeys(hour.account for hour in found):
                seal(tx, account, mode, before, now)
    return tx.doubt_reports()


def report_of(tx: Tx, hour: UsageHour, now: datetime) -> UsageReport | None:
    """The report of an hour: whole units of all that was ever sealed, without those reported before."""
    cost, told = tx.sealed_totals(hour.account, hour.mode)
    units = (cost + hour.cost) // UNIT - told
    return draft(tx, hour, units, now) if units > 0 else None


def draft(tx: Tx, hour: UsageHour, units: int, now: datetime) -> UsageReport | None:
    """A report of so many units; None while the account has no customer: a later one carries them."""
    account, mode = hour.account, hour.mode
    record = tx.customer(account, mode)
    if record is None or record.customer is None:
        return None
    items = (sub.metered_item for sub in tx.subscriptions(account, mode) if sub.metered_item)
    number = tx.next_report_number(account, mode, hour.hour)
    return UsageReport(
        identifier=f"{mode}:{next(items, account)}:{hour.hour:%Y-%m-%dT%H}:{number}",
        account=account,
        mode=mode,
        customer=record.customer,
        hour=hour.hour,
        units=units,
        sealed_at=now,
    )


def expected(tx: Tx, known: Ledger, span: Span) -> int:
    """The units that Stripe should have of a span: those sent there, without those made good elsewhere."""
    own = own_reports(tx, known, span)
    sent = sum(each.units for each in own if each.sent_at and inside(each.hour, span))
    return sent - sum(each.units for each in own if each.makes_good and inside(each.makes_good, span))


def unsure(tx: Tx, known: Ledger, span: Span, now: datetime) -> bool:
    """Whether nothing was reported of a span, or Stripe's sum may still be growing by it."""
    own = [each for each in own_reports(tx, known, span) if inside(each.hour, span) and not each.dead]
    return not own or any(each.sent_at is None or now - each.sent_at < SETTLED for each in own)


def make_good(tx: Tx, known: Ledger, span: Span, there: int, now: datetime) -> None:
    """Report again, in the present hour, what Stripe has too little of; `there` is its sum.

    Reckoned under the account's lock, so that two who find the same loss make it good once.
    """
    tx.lock_account_id(known.account)
    lost = expected(tx, known, span) - there
    this = UsageHour(known.account, known.mode, hour_of(now), Micros(0))
    report = draft(tx, this, lost, now) if lost > 0 else None
    if report:
        tx.seal(this, this.hour, replace(report, makes_good=span[0]))


def item_missing(tx: Tx, known: Ledger, now: datetime) -> Metering | None:
    """What the member said, if that was yes and a subscription that gives pro has no metered item."""
    said = tx.metering(known.account, known.mode)
    found = access(tx.subscriptions(known.account, known.mode), now, tx.claims(known.account, known.mode))
    sub = found.subscription
    gone = sub is not None and sub.metered_item is None and found.tier is TierName.PRO
    return said if said and said.on and gone else None


def own_reports(tx: Tx, known: Ledger, span: Span) -> Sequence[UsageReport]:
    """The reports of a customer that are about a span."""
    reports = tx.usage_reports(known.account, known.mode, *span)
    return [each for each in reports if each.customer == known.customer]


def inside(moment: datetime, span: Span) -> bool:
    """Whether a moment lies in a span."""
    return span[0] <= moment < span[1]


def spans(now: datetime) -> Sequence[Span]:
    """Last month and this one, as far as Stripe's sums can be relied upon."""
    this, until = month_start(now), hour_of(now - SETTLED)
    last = month_start(this - HOUR)
    return [(start, end) for start, end in ((last, min(this, until)), (this, until)) if start < end]
