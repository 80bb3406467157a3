"""Stripe customers of accounts, those that were deleted, and when to look at an account again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.domain import AccountId
from engine.facts import CustomerId, CustomerRecord, Mode
from storage.session import Session, moment_or_none


class Customers:
    """The parts of MoneyTx, ClaimsTx and JobsTx that are about customers, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def customer(self, account: AccountId, mode: Mode) -> CustomerRecord | None:
        row = self._session.one("customer", account=account, mode=mode)
        if row is None:
            return None
        customer = CustomerId(row["stripe_customer_id"]) if row["stripe_customer_id"] else None
        return CustomerRecord(account, mode, customer, row["epoch"], moment_or_none(row["trial_used_at"]))

    def save_customer(self, record: CustomerRecord) -> None:
        self._session.run(
            "save_customer",
            account=record.account,
            mode=record.mode,
            customer=record.customer,
            epoch=record.epoch,
            trial_used_at=record.trial_used_at,
        )

    def account_of(self, mode: Mode, customer: CustomerId) -> AccountId | None:
        row = self._session.one("account_of", mode=mode, customer=customer)
        return AccountId(row["account"]) if row else None

    def retire_customer(self, record: CustomerRecord, now: datetime) -> None:
        of = {"account": record.account, "mode": record.mode, "customer": record.customer}
        if self._session.run("retire_customer", **of):
            self.add_former_customer(record, now)

    def add_former_customer(self, record: CustomerRecord, now: datetime) -> None:
        self._session.run(
            "add_former_customer",
            account=record.account,
            mode=record.mode,
            customer=record.customer,
            epoch=record.epoch,
            now=now,
        )

    def former_customer(self, mode: Mode, customer: CustomerId) -> AccountId | None:
        row = self._session.one("former_customer", mode=mode, customer=customer)
        return AccountId(row["account"]) if row else None

    def known_customers(self, mode: Mode, customers: Sequence[CustomerId]) -> Mapping[CustomerId, bool]:
        current = {each: self.account_of(mode, each) is not None for each in customers}
        return {
            each: now for each, now in current.items() if now or self.former_customer(mode, each) is not None
        }

    def look_again(self, account: AccountId, mode: Mode, at: datetime | None) -> None:
        if at is None:
            self._session.run("never_look", account=account, mode=mode)
        else:
            self._session.run("look_again", account=account, mode=mode, at=at)

    def due_to_look(self, mode: Mode, now: datetime, limit: int) -> Sequence[AccountId]:
        rows = self._session.all("due_to_look", mode=mode, now=now, most=limit)
        return [AccountId(row["account"]) for row in rows]
