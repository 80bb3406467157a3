"""What time and cards make of a customer's affairs: renewals, failed payments, ends; all pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from billing.simulated_objects import Invoice, month_begin, months_after
from billing.simulated_plans import Affairs, Plan
from billing.simulated_prices import SimulatedPrices

RETRIES = (timedelta(days=3), timedelta(days=5), timedelta(days=7))
"""After the first try of a payment; Stripe's own times are chosen by its Smart Retries."""
GIVE_UP = timedelta(days=21)
"""How long a payment may be overdue before its subscription ends."""
CHANGE_LIFE = timedelta(hours=23)
"""How long a change waits for its payment (docs.stripe.com/billing/subscriptions/pending-updates)."""
TRIAL_NOTICE = timedelta(days=3)
CARD_MONTHS = 48

CREATED, UPDATED, DELETED = (f"customer.subscription.{what}" for what in ("created", "updated", "deleted"))
Step = Callable[[Affairs], Affairs]


def aged(affairs: Affairs, now: datetime, prices: SimulatedPrices) -> Affairs:
    """Everything that fell due until `now`, in its order, with its events."""
    while due := min(_due(affairs, now, prices), key=lambda step: step[0], default=None):
        affairs = due[1](affairs)
    return affairs


def _due(affairs: Affairs, now: datetime, prices: SimulatedPrices) -> Iterator[tuple[datetime, Step]]:
    for plan in affairs.plans:
        if plan.ended_at is None:
            yield from (step for step in _steps(affairs, plan, prices) if step[0] <= now)


def next_due(affairs: Affairs, prices: SimulatedPrices) -> datetime | None:
    """When time changes something about them next; None: never."""
    running = (plan for plan in affairs.plans if plan.ended_at is None)
    return min((step[0] for plan in running for step in _steps(affairs, plan, prices)), default=None)


def _steps(affairs: Affairs, plan: Plan, prices: SimulatedPrices) -> Iterator[tuple[datetime, Step]]:
    """What happens to a running subscription next; of two things at once the first one counts."""
    if plan.cancel_at:
        at = plan.cancel_at
        yield at, lambda now_so: ended(now_so, plan, at, "cancellation_requested")
    overdue = affairs.overdue(plan)
    if overdue:
        over = overdue.made_at + GIVE_UP
        yield over, lambda now_so: ended(now_so, plan, over, "payment_failed")
        if overdue.tries <= len(RETRIES):
            again = overdue.made_at + RETRIES[overdue.tries - 1]
            yield again, lambda now_so: tried(now_so, overdue, again)
    if plan.pending_at:
        yield plan.pending_at + CHANGE_LIFE, lambda now_so: forgotten(now_so, plan)
    if plan.trial_end and plan.in_trial and not plan.trial_end_told:
        yield max(plan.created_at, plan.trial_end - TRIAL_NOTICE), lambda now_so: _trial_told(now_so, plan)
    yield plan.period_end, lambda now_so: _renewed(now_so, plan, prices)


def begun(affairs: Affairs, plan: Plan, now: datetime, prices: SimulatedPrices) -> Affairs:
    """With a subscription that was just bought and paid."""
    affairs = affairs.having(plan).telling(CREATED, "subscription", plan.id)
    price = 0 if plan.in_trial else prices.amount(plan.tier, plan.interval, plan.quantity)
    return billed(with_new_card(affairs, now), plan, price, now)


def with_new_card(affairs: Affairs, now: datetime) -> Affairs:
    """The customer gives a card that works."""
    end = months_after(month_begin(now), CARD_MONTHS + 1)
    return affairs.having(replace(affairs.payer, card_fails=False, card_end=end))


def _renewed(affairs: Affairs, plan: Plan, prices: SimulatedPrices) -> Affairs:
    after = plan.renewed()
    affairs = affairs.having(after).telling(UPDATED, "subscription", plan.id)
    price = prices.amount(after.tier, after.interval, after.quantity) + prices.metered(plan.unbilled)
    return billed(affairs, after, price, plan.period_end)


def billed(affairs: Affairs, plan: Plan, price: int, at: datetime, *, change: bool = False) -> Affairs:
    """With an invoice over that price, less what the customer is owed, and its first try."""
    number = len(affairs.invoices_of(plan)) + 1
    off = min(affairs.payer.balance, price)
    invoice = Invoice(
        f"sim_in_{plan.id.removeprefix('sim_sub_')}_{number}", plan.customer, plan.id, price - off, at
    )
    affairs = affairs.having(replace(affairs.payer, balance=affairs.payer.balance - off))
    return tried(affairs, replace(invoice, change=change), at)


def tried(affairs: Affairs, invoice: Invoice, at: datetime) -> Affairs:
    """The card is charged with an open invoice."""
    if invoice.amount == 0 or affairs.payer.can_pay(at):
        return settled(affairs, invoice, at)
    affairs = affairs.having(replace(invoice, tries=invoice.tries + 1))
    affairs = affairs.telling("invoice.payment_failed", "invoice", invoice.id)
    return affairs if invoice.change else affairs.telling(UPDATED, "subscription", invoice.plan)


def settled(affairs: Affairs, invoice: Invoice, at: datetime) -> Affairs:
    """An invoice is paid; the change that waited for it is made."""
    first = invoice.tries == 0
    affairs = affairs.having(replace(invoice, paid_at=at)).telling("invoice.paid", "invoice", invoice.id)
    plan = affairs.plan(invoice.plan)
    if plan.pending and plan.pending_at and invoice.change:
        affairs = affairs.having(plan.with_deal(plan.pending, plan.pending_at))
        affairs = affairs.telling("customer.subscription.pending_update_applied", "subscription", plan.id)
    return affairs if first else affairs.telling(UPDATED, "subscription", plan.id)


def forgotten(affairs: Affairs, plan: Plan) -> Affairs:
    """A change that nobody paid for is not made."""
    affairs = affairs.having(replace(plan, pending=None, pending_at=None))
    affairs = affairs.telling("customer.subscription.pending_update_expired", "subscription", plan.id)
    waited = affairs.waited_for(plan)
    return _voided(affairs, waited, plan.pending_at or waited.made_at) if waited else affairs


def ended(affairs: Affairs, plan: Plan, at: datetime, reason: str) -> Affairs:
    """A subscription is over, and what it still owed is not asked for any more."""
    over = replace(plan, ended_at=at, end_reason=reason, planned=None, pending=None, pending_at=None)
    affairs = affairs.having(over).telling(DELETED, "subscription", plan.id)
    for invoice in affairs.invoices_of(plan):
        affairs = _voided(affairs, invoice, at) if invoice.is_open else affairs
    return affairs


def _voided(affairs: Affairs, invoice: Invoice, at: datetime) -> Affairs:
    affairs = affairs.having(replace(invoice, void_at=at))
    return affairs.telling("invoice.voided", "invoice", invoice.id)


def _trial_told(affairs: Affairs, plan: Plan) -> Affairs:
    affairs = affairs.having(replace(plan, trial_end_told=True))
    return affairs.telling("customer.subscription.trial_will_end", "subscription", plan.id)
