"""What can be played with a simulated customer: failing cards, disputes, refunds, ends; all pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from billing.simulated_life import aged, ended, settled, with_new_card
from billing.simulated_objects import Invoice, Quarrel, month_begin, months_after
from billing.simulated_plans import Affairs, Plan
from billing.simulated_prices import SimulatedPrices
from engine.facts import DisputeStage
from engine.simulated import SimulatedDeed

NO_SUBSCRIPTION = "There is no running subscription."
NO_PAYMENT = "There is no payment that this could be about."
CLOSED = frozenset({DisputeStage.WON, DisputeStage.LOST})
MONEY_MOVES = {DisputeStage.OPEN: "funds_withdrawn", DisputeStage.WON: "funds_reinstated"}

TOLD = {
    DisputeStage.INQUIRY: "The bank asks about the newest payment; no money has moved.",
    DisputeStage.OPEN: "The newest payment is disputed.",
    DisputeStage.WON: "The dispute is won, and the money is back.",
    DisputeStage.LOST: "The dispute is lost, and the money is gone.",
}

Played = tuple[Affairs, str]


def play(affairs: Affairs, deed: SimulatedDeed, now: datetime, prices: SimulatedPrices) -> Played:
    """Do it; what became of it, in words. What cannot be done changes nothing and says why."""
    deeds: Mapping[SimulatedDeed, Callable[[], Played]] = {
        SimulatedDeed.EXPIRE: lambda: _expire(affairs, now),
        SimulatedDeed.FAIL_PAYMENT: lambda: _fail(affairs, now, prices),
        SimulatedDeed.RECOVER: lambda: _recover(affairs, now),
        SimulatedDeed.EXPIRE_CARD: lambda: _expire_card(affairs, now),
        SimulatedDeed.INQUIRE: lambda: _dispute(affairs, DisputeStage.INQUIRY, now),
        SimulatedDeed.DISPUTE: lambda: _dispute(affairs, DisputeStage.OPEN, now),
        SimulatedDeed.WIN_DISPUTE: lambda: _dispute(affairs, DisputeStage.WON, now),
        SimulatedDeed.LOSE_DISPUTE: lambda: _dispute(affairs, DisputeStage.LOST, now),
        SimulatedDeed.REFUND: lambda: _refund(affairs, now),
        SimulatedDeed.DELETE_CUSTOMER: lambda: _delete(affairs, now),
    }
    return deeds[deed]()


def refunded(affairs: Affairs, now: datetime, plan: Plan | None = None) -> Affairs | None:
    """The newest payment (of that subscription) given back as a whole; None if there is none left."""
    invoices = affairs.invoices_of(plan) if plan else affairs.invoices
    paid = [each for each in invoices if each.charge and each.refunded_at is None]
    if not paid:
        return None
    newest = paid[-1]
    charge = newest.charge or ""
    affairs = affairs.having(replace(newest, refunded_at=now)).telling("charge.refunded", "charge", charge)
    return affairs.telling("refund.created", "refund", refund_of(charge), charge=charge)


def refund_of(charge: str) -> str:
    """The id of the refund of a payment."""
    return charge.replace("sim_ch_", "sim_re_", 1)


def invoice_of(name: str) -> str:
    """The id of the invoice that a payment, or the refund of one, is about."""
    return re.sub("^sim_(ch|re)_", "sim_in_", name)


def _expire(affairs: Affairs, now: datetime) -> Played:
    plan = affairs.running()
    if plan is None:
        return affairs, NO_SUBSCRIPTION
    return ended(affairs, plan, now, "cancellation_requested"), "The subscription has ended."


def _fail(affairs: Affairs, now: datetime, prices: SimulatedPrices) -> Played:
    plan = affairs.running()
    affairs = affairs.having(replace(affairs.payer, card_fails=True))
    if plan is None or plan.cancel_at or affairs.overdue(plan):
        return affairs, "The card is declined from now on. No payment is due that could fail now."
    due = replace(plan, period_end=now, anchor_at=now, trial_end=now if plan.in_trial else plan.trial_end)
    affairs = aged(affairs.having(due), now, prices)
    if affairs.overdue(due) is None:
        return affairs, "The card is declined from now on. The period ended now, and nothing was left to pay."
    return affairs, "The card is declined from now on, and the payment of the next period has failed."


def _recover(affairs: Affairs, now: datetime) -> Played:
    owed = [each for each in affairs.invoices if each.is_open]
    affairs = with_new_card(affairs, now).telling("customer.updated", "customer", affairs.payer.id)
    for invoice in owed:
        affairs = settled(affairs, invoice, now)
    paid = "what was owed is paid" if owed else "nothing was owed"
    return affairs, f"There is a new card that works, and {paid}."


def _expire_card(affairs: Affairs, now: datetime) -> Played:
    """Cards end with a month: this one, so that the next payment is the first that it cannot make."""
    end, plan = months_after(month_begin(now), 1), affairs.running()
    if plan:
        end = min(end, month_begin(plan.period_end))
    affairs = affairs.having(replace(affairs.payer, card_end=end))
    told = affairs.telling("customer.updated", "customer", affairs.payer.id)
    return told, f"The card is valid until {end:%Y-%m-%d} and no longer."


def _dispute(affairs: Affairs, stage: DisputeStage, now: datetime) -> Played:
    known = next((each for each in reversed(affairs.quarrels) if each.stage not in CLOSED), None)
    if known is None:
        payment = _undisputed(affairs)
        if payment is None:
            return affairs, NO_PAYMENT
        return _quarreling(affairs, None, _quarrel_about(payment, stage, now))
    if known.stage is stage:
        return affairs, f"The dispute is at that stage already: {stage}."
    return _quarreling(affairs, known, replace(known, stage=stage))


def _undisputed(affairs: Affairs) -> Invoice | None:
    disputed = {each.charge for each in affairs.quarrels}
    paid = [each for each in affairs.invoices if each.charge and each.charge not in disputed]
    return next(reversed(paid), None)


def _quarrel_about(payment: Invoice, stage: DisputeStage, now: datetime) -> Quarrel:
    charge = payment.charge or ""
    name = charge.replace("sim_ch_", "sim_dp_", 1)
    return Quarrel(name, payment.customer, charge, stage, payment.amount, now)


def _quarreling(affairs: Affairs, before: Quarrel | None, after: Quarrel) -> Played:
    """With a dispute at its new stage, and the events on the way there."""
    kinds = ["created"] if before is None else []
    if after.stage in MONEY_MOVES:
        kinds.append(MONEY_MOVES[after.stage])
    if after.stage in CLOSED:
        kinds.append("closed")
    elif before:
        kinds.append("updated")
    affairs = affairs.having(after)
    for kind in kinds:
        affairs = affairs.telling(f"charge.dispute.{kind}", "dispute", after.id, charge=after.charge)
    return affairs, TOLD[after.stage]


def _refund(affairs: Affairs, now: datetime) -> Played:
    found = refunded(affairs, now)
    return (found, "The newest payment was given back.") if found else (affairs, NO_PAYMENT)


def _delete(affairs: Affairs, now: datetime) -> Played:
    """Stripe ends the subscriptions of a customer that is deleted."""
    for plan in affairs.plans:
        if plan.ended_at is None:
            affairs = ended(affairs, plan, now, "cancellation_requested")
    affairs = affairs.having(replace(affairs.payer, deleted_at=now))
    told = affairs.telling("customer.deleted", "customer", affairs.payer.id)
    return told, "The customer was deleted, and with it its subscriptions."
