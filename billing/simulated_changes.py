"""What a confirmed change makes of a subscription, when, and what it costs; all pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from billing.simulated_life import UPDATED, billed, forgotten
from billing.simulated_plans import Affairs, Deal, Plan
from billing.simulated_prices import CENT, SimulatedPrices
from billing.timing import timing_of
from engine.domain import Micros
from engine.facts import Subscription
from engine.terms import ChangeKind, ChangeOrder, ChangeState, Preview, Timing, Wish

MICROSECOND = timedelta(microseconds=1)
BOUND = ("tier", "interval", "quantity", "period_end", "cancel_at", "planned", "status")
"""What a proposal was made for; if any of it differs, its amount and date may be wrong."""


def preview(affairs: Affairs, plan: Plan, wish: Wish, now: datetime, prices: SimulatedPrices) -> Preview:
    """When a wish takes effect and what it costs."""
    when = timing_of(affairs.shown(plan, prices, ""), wish, prices.tiers)
    deal = deal_of(plan, wish)
    recurring = prices.amount(deal.tier, deal.interval, deal.quantity)
    if wish.kind is ChangeKind.CANCEL:
        recurring = Micros(0)
    if when is Timing.PERIOD_END:
        return Preview(when, plan.period_end, Micros(0), recurring)
    due = proration(plan, deal, now, prices)
    owed = min(affairs.payer.balance, due) if due > 0 else 0
    return Preview(when, now, Micros(due - owed), recurring)


def deal_of(plan: Plan, wish: Wish) -> Deal:
    """What is sold once a wish is fulfilled."""
    changed = wish.kind in {ChangeKind.SWITCH, ChangeKind.SEATS}
    return Deal(wish.tier, wish.interval, wish.quantity) if changed else plan.deal


def proration(plan: Plan, deal: Deal, at: datetime, prices: SimulatedPrices) -> int:
    """What changing at once costs: the unused time is given back, and the new deal charged for its time."""
    if plan.in_trial or deal == plan.deal:
        return 0
    whole, left = plan.period_end - plan.period_start, max(timedelta(0), plan.period_end - at)
    share = Fraction(min(left, whole) // MICROSECOND, whole // MICROSECOND)
    price = prices.amount(deal.tier, deal.interval, deal.quantity)
    back = prices.amount(plan.tier, plan.interval, plan.quantity)
    return _cents(price * (share if deal.interval is plan.interval else 1)) - _cents(back * share)


def _cents(amount: Fraction | int) -> int:
    return round(Fraction(amount) / CENT) * CENT


def outdated(order: ChangeOrder, shown: Subscription) -> bool:
    """Whether the subscription is no longer what the change was proposed for."""
    return any(getattr(order.subscription, name) != getattr(shown, name) for name in BOUND)


def changed(
    affairs: Affairs, plan: Plan, order: ChangeOrder, prices: SimulatedPrices
) -> tuple[Affairs, ChangeState]:
    """Carry a change out; what waited for its payment gives way to it."""
    wish = order.wish
    if plan.pending and wish.kind is not ChangeKind.METER:
        affairs = forgotten(affairs, plan)
        plan = affairs.plan(plan.id)
    match wish.kind:
        case ChangeKind.CANCEL:
            plan = replace(plan, cancel_at=plan.period_end, planned=None)
            return _told(affairs, plan), ChangeState.PLANNED
        case ChangeKind.RESUME:
            return _told(affairs, replace(plan, cancel_at=None, planned=None)), ChangeState.DONE
        case ChangeKind.METER:
            return _told(affairs, replace(plan, metered=wish.quantity > 0)), ChangeState.DONE
    deal = deal_of(plan, wish)
    if order.timing is Timing.NOW:
        return _at_once(affairs, plan, deal, order.effective_at, prices)
    if deal == plan.deal:
        return _told(affairs, replace(plan, cancel_at=None, planned=None)), ChangeState.DONE
    plan = replace(plan, planned=deal, cancel_at=None)
    return _told(affairs, plan, "subscription_schedule.updated"), ChangeState.PLANNED


def _at_once(
    affairs: Affairs, plan: Plan, deal: Deal, at: datetime, prices: SimulatedPrices
) -> tuple[Affairs, ChangeState]:
    due = proration(plan, deal, at, prices)
    if due <= 0:
        payer = replace(affairs.payer, balance=affairs.payer.balance - due)
        return _told(affairs.having(payer), plan.with_deal(deal, at)), ChangeState.DONE
    affairs = billed(affairs, plan, due, at, change=True)
    if affairs.waited_for(plan) is None:
        return _told(affairs, plan.with_deal(deal, at)), ChangeState.DONE
    waiting = replace(plan, pending=deal, pending_at=at)
    return _told(affairs, waiting), ChangeState.PAYMENT_NEEDED


def _told(affairs: Affairs, plan: Plan, kind: str = UPDATED) -> Affairs:
    affairs = affairs.having(plan).telling(UPDATED, "subscription", plan.id)
    if kind == UPDATED:
        return affairs
    name = f"sim_sub_sched_{plan.id.removeprefix('sim_sub_')}"
    return affairs.telling(kind, "subscription_schedule", name)
