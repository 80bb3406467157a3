"""Subscriptions of the simulated Stripe, and a customer's whole affairs as one value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

from billing.simulated_objects import (
    MONTHS_A_YEAR,
    Invoice,
    Kept,
    Payer,
    Quarrel,
    Sale,
    fields_of,
    months_after,
)
from billing.simulated_prices import MONTHS, SimulatedPrices
from engine.domain import Interval, TierName
from engine.errors import GoneError
from engine.facts import CustomerId, Mode, PaymentStatus, Planned, Subscription, SubscriptionId
from engine.simulated import SimulatedObject as Stored

T = TypeVar("T", bound=Kept)


@dataclass(frozen=True, slots=True)
class Deal:
    """What a subscription sells."""

    tier: TierName
    interval: Interval
    quantity: int


@dataclass(frozen=True, slots=True)
class Plan(Kept):
    """A subscription as it was last written; billing.simulated_life says what time makes of it."""

    KIND: ClassVar[str] = "subscription"
    id: str
    customer: str
    tier: TierName
    interval: Interval
    quantity: int
    created_at: datetime
    period_end: datetime
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    anchor_at: datetime | None = None
    """From when periods are counted, if not from its creation."""
    trial_end: datetime | None = None
    trial_end_told: bool = False
    metered: bool = False
    unbilled: int = 0
    """Units that its meter was told of since the last bill."""
    end_reason: str | None = None
    planned: Deal | None = None
    """What it becomes when its period ends."""
    pending: Deal | None = None
    """What it becomes when its change invoice is paid, reckoned from `pending_at`."""
    pending_at: datetime | None = None

    @classmethod
    def sold(cls, plan: str, sale: Sale, now: datetime) -> Self:
        """The subscription that paying a session starts."""
        trial = now + timedelta(days=sale.trial_days) if sale.trial_days else None
        end = trial or months_after(now, MONTHS[sale.interval])
        return cls(plan, sale.customer, sale.tier, sale.interval, sale.quantity, now, end, trial_end=trial)

    @classmethod
    def read(cls, obj: Stored) -> Self:
        """From storage."""
        fields = fields_of(json.loads(obj.body))
        return cls(**{**fields, **{name: _deal(fields.get(name)) for name in ("planned", "pending")}})

    @property
    def deal(self) -> Deal:
        """What it sells now."""
        return Deal(self.tier, self.interval, self.quantity)

    @property
    def period_start(self) -> datetime:
        """When its running period began."""
        anchor, step = self.anchor_at or self.created_at, MONTHS[self.interval]
        return anchor if self.in_trial else months_after(anchor, _months(anchor, self.period_end) - step)

    @property
    def in_trial(self) -> bool:
        """Whether its running period is its trial."""
        return self.trial_end is not None and self.period_end == self.trial_end

    def with_deal(self, deal: Deal, at: datetime) -> Self:
        """Sell something else from then on; another interval begins a period of its own."""
        changed = replace(self, tier=deal.tier, interval=deal.interval, quantity=deal.quantity)
        metered = self.metered and deal.tier is self.tier
        changed = replace(changed, metered=metered, planned=None, pending=None, pending_at=None)
        if deal.interval is self.interval or self.in_trial:
            return changed
        return replace(changed, anchor_at=at, period_end=months_after(at, MONTHS[deal.interval]))

    def renewed(self) -> Self:
        """Its next period, under the deal that was planned for it."""
        anchor = self.period_end if self.in_trial else self.anchor_at or self.created_at
        if self.planned and self.planned.interval is not self.interval:
            anchor = self.period_end
        deal = self.planned or self.deal
        months = _months(anchor, self.period_end) + MONTHS[deal.interval]
        changed = replace(self, tier=deal.tier, interval=deal.interval, quantity=deal.quantity, planned=None)
        metered = self.metered and deal.tier is self.tier
        return replace(
            changed, metered=metered, unbilled=0, anchor_at=anchor, period_end=months_after(anchor, months)
        )


@dataclass(frozen=True, slots=True)
class News:
    """Something that Stripe would send an event about."""

    kind: str
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Affairs:
    """All that the simulated Stripe knows of one customer, oldest first, and what is to be told of it."""

    payer: Payer
    plans: tuple[Plan, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    quarrels: tuple[Quarrel, ...] = ()
    news: tuple[News, ...] = ()

    def having(self, kept: Plan | Invoice | Quarrel | Payer) -> Self:
        """With this in place of what had its id."""
        match kept:
            case Payer():
                return replace(self, payer=kept)
            case Plan():
                return replace(self, plans=_put(self.plans, kept))
            case Invoice():
                return replace(self, invoices=_put(self.invoices, kept))
        return replace(self, quarrels=_put(self.quarrels, kept))

    def telling(self, kind: str, obj: str, name: str, **about: str) -> Self:
        """With an event about the object `name` of the kind `obj`; disputes and refunds name no customer."""
        if obj == "customer":
            facts = {"id": name, "object": obj}
        elif obj in {"dispute", "refund"}:
            facts = {"id": name, "object": obj, **about}
        else:
            facts = {"id": name, "object": obj, "customer": self.payer.id, **about}
        return replace(self, news=(*self.news, News(kind, facts)))

    def plan(self, name: str) -> Plan:
        """The subscription of that id."""
        return next(plan for plan in self.plans if plan.id == name)

    def invoice(self, name: str) -> Invoice:
        """The invoice of that id; GoneError if there is none."""
        found = next((invoice for invoice in self.invoices if invoice.id == name), None)
        if found is None:
            raise GoneError("there is no such simulated invoice")
        return found

    def running(self) -> Plan | None:
        """The newest subscription that is not over."""
        return next((plan for plan in reversed(self.plans) if plan.ended_at is None), None)

    def invoices_of(self, plan: Plan) -> list[Invoice]:
        """Its invoices, oldest first."""
        return [invoice for invoice in self.invoices if invoice.plan == plan.id]

    def overdue(self, plan: Plan) -> Invoice | None:
        """The oldest invoice whose payment failed."""
        return next((each for each in self.invoices_of(plan) if each.is_open and not each.change), None)

    def waited_for(self, plan: Plan) -> Invoice | None:
        """The invoice that a change waits for."""
        return next((each for each in self.invoices_of(plan) if each.is_open and each.change), None)

    def shown(self, plan: Plan, prices: SimulatedPrices, pages: str) -> Subscription:
        """One subscription as the engine knows it."""
        overdue, waited = self.overdue(plan), self.waited_for(plan)
        due, name = overdue or waited, plan.id.removeprefix("sim_sub_")
        return Subscription(
            id=SubscriptionId(plan.id),
            customer=CustomerId(plan.customer),
            mode=Mode.SIMULATED,
            status=self._status(plan),
            tier=plan.tier,
            price=f"sim_price_{plan.tier}_{plan.interval}",
            interval=plan.interval,
            quantity=plan.quantity,
            created_at=plan.created_at,
            started_at=plan.created_at,
            period_end=plan.period_end,
            cancel_at=plan.cancel_at,
            trial_end=plan.trial_end,
            latest_invoice=next((each.id for each in reversed(self.invoices_of(plan))), None),
            invoice_paid=due is None,
            past_due_since=overdue.made_at if overdue else None,
            open_invoice=due.id if due else None,
            pay_url=f"{pages}/invoice/{due.id}" if due else None,
            item=f"sim_si_{name}",
            metered_item=f"sim_si_{name}_metered" if plan.metered else None,
            schedule=f"sim_sub_sched_{name}" if plan.planned else None,
            planned=_planned(plan),
            change_pending=plan.pending is not None,
            trialed=plan.trial_end is not None,
            card_expires=self.payer.card_end,
            mrr=prices.monthly(plan.tier, plan.interval, plan.quantity),
            ended_at=plan.ended_at,
            end_reason=plan.end_reason,
        )

    def _status(self, plan: Plan) -> PaymentStatus:
        if plan.ended_at:
            return PaymentStatus.CANCELED
        if plan.in_trial:
            return PaymentStatus.TRIALING
        return PaymentStatus.PAST_DUE if self.overdue(plan) else PaymentStatus.ACTIVE


def _planned(plan: Plan) -> Planned | None:
    deal = plan.planned
    return Planned(deal.tier, deal.interval, deal.quantity, plan.period_end) if deal else None


def _put(known: tuple[T, ...], kept: T) -> tuple[T, ...]:
    if any(each.id == kept.id for each in known):
        return tuple(kept if each.id == kept.id else each for each in known)
    return (*known, kept)


def _deal(fields: Mapping[str, Any] | None) -> Deal | None:
    return Deal(**fields) if fields else None


def _months(start: datetime, end: datetime) -> int:
    return (end.year - start.year) * MONTHS_A_YEAR + end.month - start.month
