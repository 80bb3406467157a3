"""Metered use of one turn: whether it may cost more than the tier includes, and what it then did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from engine.domain import AccountId, Micros, Tier, TierName, TurnId
from engine.facts import Access, AccessReason, Mode, Subscription
from engine.ledger import Tx
from engine.terms import UsageEvent
from engine.turns import Settlement

CLOSING = timedelta(minutes=15)
"""Longer than an answer takes: what begins before this is settled and reported when the metered item goes."""


class MeterOffer(StrEnum):
    """Whether metered use may be had now, or why not."""

    OFFERED = "offered"
    NOT_SOLD = "not_sold"
    NEEDS_PRO = "needs_pro"
    GIVEN = "given"
    """Nobody pays for the tier, so there is no bill to put use on."""
    TRIAL = "trial"
    """Stripe charges no use of a trial (docs.stripe.com/billing/subscriptions/trials)."""
    PAYMENT_DUE = "payment_due"
    """While a payment is failing, nothing more is put on the bill."""
    BLOCKED = "blocked"
    """The operator sells them nothing."""
    ENDING = "ending"
    """The subscription ends, or leaves pro, within minutes."""


@dataclass(frozen=True, slots=True)
class MeterTerms:
    """By what a metered turn is charged, fixed when it is admitted. Amounts are vendor cost."""

    account: AccountId
    mode: Mode
    included: Micros
    budget: Micros
    """What the member's cap lets metered use cost in the month."""
    began: datetime


@dataclass(frozen=True, slots=True)
class Allowance:
    """An account's metered use in this UTC month, read under its lock."""

    terms: MeterTerms
    spent: Micros
    """Without held turns."""
    lost: Micros
    """What of it answers cost that never came: nobody is charged for them."""
    charged: Micros

    def covers(self, worst: Micros) -> bool:
        """Whether the month may come to cost `worst`, held turns included, without passing the cap.

        Lost cost takes room, though it is not charged: else stopped questions would cost us without end.
        """
        over = beyond(self.spent, self.terms.included)
        more = beyond(worst, self.terms.included) - over
        return self.charged + min(self.lost, over) + more <= self.terms.budget


def offer(found: Access, tier: Tier, markup: Decimal, now: datetime) -> MeterOffer:
    """Whether this access may have metered use at `now`; `tier` is what it gives."""
    sub = found.subscription
    if markup <= 0:
        return MeterOffer.NOT_SOLD
    if tier.name is not TierName.PRO or tier.cost_ceiling_month is None or sub is None:
        given = tier.name is TierName.PRO and found.reason is AccessReason.GRANTED
        return MeterOffer.GIVEN if given else MeterOffer.NEEDS_PRO
    if tier.shared:
        return MeterOffer.NOT_SOLD
    if found.reason is AccessReason.TRIAL:
        return MeterOffer.TRIAL
    if found.reason is not AccessReason.ACTIVE or sub.collection_paused:
        return MeterOffer.PAYMENT_DUE
    end = leaves_pro_at(sub)
    return MeterOffer.ENDING if end and end - now <= CLOSING else MeterOffer.OFFERED


def leaves_pro_at(sub: Subscription) -> datetime | None:
    """When a subscription is going to end or to become another tier's, and its metered item with it."""
    planned = sub.planned.at if sub.planned and sub.planned.tier is not sub.tier else None
    return min((each for each in (sub.cancel_at, planned) if each), default=None)


def allowance(
    tx: Tx, account: AccountId, mode: Mode, found: Access, tier: Tier, markup: Decimal, now: datetime
) -> Allowance | None:
    """What metered use may still take; None if it is off, not to be had, or not on the subscription."""
    sub = found.subscription
    if offer(found, tier, markup, now) is not MeterOffer.OFFERED or sub is None or not sub.metered_item:
        return None
    said = tx.metering(account, mode)
    if said is None or not said.on:
        return None
    included = tier.cost_ceiling_month or Micros(0)
    terms = MeterTerms(account, mode, included, vendor_budget(said.cap, markup), now)
    spent, lost = tx.spent(account, now)
    return Allowance(terms, spent, lost, tx.usage_cost(account, mode, month_start(now)))


def paid(tx: Tx, account: AccountId, mode: Mode, tier: Tier, month: Micros, now: datetime) -> Micros:
    """What of a month that cost so much is on the meter's bill, where that makes a difference."""
    ceiling, stop = tier.cost_ceiling_month, tier.cost_stop_month
    if stop is None or ceiling is None or month <= ceiling or tier.shared:
        return Micros(0)
    return tx.usage_cost(account, mode, month_start(now))


def settle(tx: Tx, turn: TurnId, settlement: Settlement, terms: MeterTerms | None) -> bool:
    """Settle a turn, and with `terms` write down what of it lies beyond the included amount, at most the cap.

    Only answers use up what is included. `Tx.settle` locks the account, so that of turns settled at once each
    finds what the others left. Returns what that does.
    """
    if terms is None:
        return tx.settle(turn, settlement)
    if not tx.settle(turn, settlement):
        return False
    spent, lost = tx.spent(terms.account, terms.began)
    after = Micros(spent - lost)  # so the bill is the same whenever a lost turn is written down
    before = Micros(after - sum(each.cost or 0 for each in settlement.charges))
    left = terms.budget - tx.usage_cost(terms.account, terms.mode, month_start(terms.began))
    cost = min(beyond(after, terms.included) - beyond(before, terms.included), left)
    if cost > 0:
        tx.add_usage(UsageEvent(turn, terms.account, terms.mode, Micros(cost), terms.began))
    return True


def beyond(cost: Micros, included: Micros) -> Micros:
    """The part of a month's cost above what is included."""
    return Micros(max(0, cost - included))


def vendor_budget(cap: Micros, markup: Decimal) -> Micros:
    """The vendor cost that a cap on our price allows, rounded down."""
    return Micros(int(cap // Fraction(markup)))


def month_start(now: datetime) -> datetime:
    """The first moment of a UTC month."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
