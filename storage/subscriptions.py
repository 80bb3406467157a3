"""What Stripe says of subscriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from engine.domain import AccountId, Interval, TierName
from engine.facts import CustomerId, Mode, PaymentStatus, Planned, Subscription, SubscriptionId
from storage.session import Param, Row, Session, moment, moment_or_none

READ_LATELY = timedelta(minutes=10)
"""A customer that was read this recently is not read again for being overdue."""


class Subscriptions:
    """The parts of MoneyTx and JobsTx that are about subscriptions, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def subscriptions(self, account: AccountId, mode: Mode) -> Sequence[Subscription]:
        rows = self._session.all("subscriptions", account=account, mode=mode)
        return [subscription_from(row) for row in rows]

    def known_subscriptions(
        self, mode: Mode, after: str, limit: int
    ) -> Sequence[tuple[AccountId, Subscription]]:
        rows = self._session.all("known_subscriptions", mode=mode, after=after, most=limit)
        return [(AccountId(row["account"]), subscription_from(row)) for row in rows]

    def customer_of(self, mode: Mode, subscription: str) -> CustomerId | None:
        row = self._session.one("customer_of", mode=mode, id=subscription)
        return CustomerId(row["stripe_customer_id"]) if row else None

    def overdue_customers(self, mode: Mode, now: datetime, limit: int) -> Sequence[CustomerId]:
        rows = self._session.all(
            "overdue_customers", mode=mode, now=now, read_before=now - READ_LATELY, most=limit
        )
        return [CustomerId(row["stripe_customer_id"]) for row in rows]

    def replace_subscriptions(
        self, account: AccountId, mode: Mode, subscriptions: Sequence[Subscription], now: datetime
    ) -> None:
        self._session.run("forget_subscriptions", account=account, mode=mode)
        for each in subscriptions:
            self._session.run(
                "save_subscription",
                account=account,
                mode=mode,
                now=now,
                **sold(each),
                **paid(each),
                **changing(each),
            )


def sold(subscription: Subscription) -> Mapping[str, Param]:
    """The columns of what it is and how long."""
    return {
        "id": subscription.id,
        "customer": subscription.customer,
        "status": subscription.status,
        "tier": subscription.tier,
        "price": subscription.price,
        "pay_interval": subscription.interval,
        "quantity": subscription.quantity,
        "item": subscription.item,
        "metered_item": subscription.metered_item,
        "created_at": subscription.created_at,
        "started_at": subscription.started_at,
        "period_end": subscription.period_end,
        "trial_end": subscription.trial_end,
        "trialed": subscription.trialed,
    }


def paid(subscription: Subscription) -> Mapping[str, Param]:
    """The columns of its payment."""
    return {
        "collection_paused": subscription.collection_paused,
        "latest_invoice": subscription.latest_invoice,
        "invoice_paid": subscription.invoice_paid,
        "past_due_since": subscription.past_due_since,
        "open_invoice": subscription.open_invoice,
        "pay_url": subscription.pay_url,
        "card_expires": subscription.card_expires,
        "mrr": subscription.mrr,
        "currency": subscription.currency,
    }


def changing(subscription: Subscription) -> Mapping[str, Param]:
    """The columns of its change and end."""
    planned = subscription.planned
    return {
        "schedule": subscription.schedule,
        "planned_tier": planned.tier if planned else None,
        "planned_interval": planned.interval if planned else None,
        "planned_quantity": planned.quantity if planned else None,
        "planned_at": planned.at if planned else None,
        "change_pending": subscription.change_pending,
        "cancel_at": subscription.cancel_at,
        "ended_at": subscription.ended_at,
        "end_reason": subscription.end_reason,
    }


def subscription_from(row: Row) -> Subscription:
    """A subscription's row as the engine knows it."""
    return Subscription(
        id=SubscriptionId(row["stripe_subscription_id"]),
        customer=CustomerId(row["stripe_customer_id"]),
        mode=Mode(row["mode"]),
        status=PaymentStatus.read(row["payment_status"]),
        tier=tier_or_none(row["tier"]),
        price=row["price"],
        interval=interval_or_none(row["pay_interval"]),
        quantity=row["quantity"],
        created_at=moment(row["created_at"]),
        started_at=moment(row["started_at"]),
        period_end=moment_or_none(row["period_end"]),
        cancel_at=moment_or_none(row["cancel_at"]),
        trial_end=moment_or_none(row["trial_end"]),
        collection_paused=row["collection_paused"],
        latest_invoice=row["latest_invoice"],
        invoice_paid=bool(row["invoice_paid"]),
        past_due_since=moment_or_none(row["past_due_since"]),
        open_invoice=row["open_invoice"],
        pay_url=row["pay_url"],
        item=row["item"],
        metered_item=row["metered_item"],
        schedule=row["schedule"],
        planned=planned_from(row),
        change_pending=bool(row["change_pending"]),
        trialed=bool(row["trialed"]),
        card_expires=moment_or_none(row["card_expires"]),
        mrr=Fraction(row["mrr"]),
        currency=row["currency"],
        ended_at=moment_or_none(row["ended_at"]),
        end_reason=row["end_reason"],
    )


def planned_from(row: Row) -> Planned | None:
    """The planned change in a subscription's row, if there is one."""
    if row["planned_at"] is None:
        return None
    return Planned(
        tier_or_none(row["planned_tier"]),
        interval_or_none(row["planned_interval"]),
        row["planned_quantity"],
        moment(row["planned_at"]),
    )


def tier_or_none(name: str | None) -> TierName | None:
    """A tier's column, empty for a product that is not ours."""
    return TierName(name) if name else None


def interval_or_none(name: str | None) -> Interval | None:
    """An interval's column, empty for one that we do not sell."""
    return Interval(name) if name else None
