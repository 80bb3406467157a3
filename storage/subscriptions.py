"""What Stripe says of subscriptions, and how tiers changed by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.domain import AccountId, Interval, TierName
from engine.facts import (
    AccessReason,
    CustomerId,
    Mode,
    PaymentStatus,
    Subscription,
    SubscriptionId,
    TierChange,
)
from storage.session import Row, Session, moment, moment_or_none


class Subscriptions:
    """The part of MoneyTx that is about subscriptions and tiers, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def subscriptions(self, account: AccountId, mode: Mode) -> Sequence[Subscription]:
        rows = self._session.all("subscriptions", account=account, mode=mode)
        return [subscription_from(row) for row in rows]

    def replace_subscriptions(
        self, account: AccountId, mode: Mode, subscriptions: Sequence[Subscription], now: datetime
    ) -> None:
        self._session.run("forget_subscriptions", account=account, mode=mode)
        for subscription in subscriptions:
            self._save(account, mode, subscription, now)

    def _save(self, account: AccountId, mode: Mode, subscription: Subscription, now: datetime) -> None:
        self._session.run(
            "save_subscription",
            mode=mode,
            id=subscription.id,
            account=account,
            customer=subscription.customer,
            status=subscription.status,
            tier=subscription.tier,
            price=subscription.price,
            pay_interval=subscription.interval,
            quantity=subscription.quantity,
            created_at=subscription.created_at,
            started_at=subscription.started_at,
            period_end=subscription.period_end,
            cancel_at=subscription.cancel_at,
            trial_end=subscription.trial_end,
            collection_paused=subscription.collection_paused,
            latest_invoice=subscription.latest_invoice,
            past_due_since=subscription.past_due_since,
            now=now,
        )

    def add_tier_change(self, change: TierChange) -> TierChange:
        row = self._session.one("next_tier_change", account=change.account, mode=change.mode)
        numbered = replace(change, number=row["number"] if row else 1)
        self._session.run(
            "add_tier_change",
            account=numbered.account,
            mode=numbered.mode,
            number=numbered.number,
            tier_before=numbered.before,
            tier_after=numbered.after,
            reason=numbered.reason,
            at=numbered.at,
        )
        return numbered

    def tier_changes(self, account: AccountId) -> Sequence[TierChange]:
        return [tier_change_from(row) for row in self._session.all("tier_changes", account=account)]


def subscription_from(row: Row) -> Subscription:
    """A subscription's row as the engine knows it."""
    return Subscription(
        id=SubscriptionId(row["stripe_subscription_id"]),
        customer=CustomerId(row["stripe_customer_id"]),
        mode=Mode(row["mode"]),
        status=PaymentStatus.read(row["payment_status"]),
        tier=TierName(row["tier"]) if row["tier"] else None,
        price=row["price"],
        interval=Interval(row["pay_interval"]) if row["pay_interval"] else None,
        quantity=row["quantity"],
        created_at=moment(row["created_at"]),
        started_at=moment(row["started_at"]),
        period_end=moment_or_none(row["period_end"]),
        cancel_at=moment_or_none(row["cancel_at"]),
        trial_end=moment_or_none(row["trial_end"]),
        collection_paused=row["collection_paused"],
        latest_invoice=row["latest_invoice"],
        past_due_since=moment_or_none(row["past_due_since"]),
    )


def tier_change_from(row: Row) -> TierChange:
    """A tier change's row as the engine knows it."""
    return TierChange(
        row["number"],
        AccountId(row["account"]),
        Mode(row["mode"]),
        TierName(row["tier_before"]),
        TierName(row["tier_after"]),
        AccessReason(row["reason"]),
        moment(row["changed_at"]),
    )
