"""Disputes and refunds, and what of them stands against an account."""

from __future__ import annotations

from datetime import datetime

from engine.domain import AccountId, Micros
from engine.facts import Claims, CustomerId, Dispute, DisputeStage, Mode, Refund
from storage.session import Row, Session, moment


class MoneyClaims:
    """The part of ClaimsTx that is about disputes and refunds, on a session.

    Saving locks the account, so that of two who save the same at once the second hears of the first.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def claims(self, account: AccountId, mode: Mode) -> Claims:
        disputes = self._session.all("standing_disputes", account=account, mode=mode)
        invoices = self._session.all("revoked_invoices", account=account, mode=mode)
        return Claims(
            tuple(dispute_from(row) for row in disputes), frozenset(row["invoice"] for row in invoices)
        )

    def save_dispute(self, account: AccountId, dispute: Dispute, read_at: datetime) -> Dispute | None:
        self._session.one("lock_account_id", id=account)
        before = self._session.one("dispute", mode=dispute.mode, id=dispute.id)
        if outrun(before, read_at):
            return dispute
        self._session.run(
            "save_dispute",
            mode=dispute.mode,
            id=dispute.id,
            account=account,
            customer=dispute.customer,
            charge=dispute.charge,
            stage=dispute.stage,
            amount=dispute.amount,
            created_at=dispute.created_at,
            read_at=read_at,
        )
        return dispute_from(before) if before else None

    def save_refund(
        self, account: AccountId, refund: Refund, read_at: datetime, *, revokes: bool
    ) -> Refund | None:
        self._session.one("lock_account_id", id=account)
        before = self._session.one("refund", mode=refund.mode, charge=refund.charge)
        if outrun(before, read_at):
            return refund
        self._session.run(
            "save_refund",
            mode=refund.mode,
            charge=refund.charge,
            account=account,
            customer=refund.customer,
            invoice=refund.invoice,
            amount=refund.amount,
            whole=refund.full,
            revokes=revokes,
            at=refund.at,
            read_at=read_at,
        )
        return refund_from(before) if before else None

    def forgive(self, account: AccountId, mode: Mode, now: datetime) -> int:
        return self._session.run("forgive", account=account, mode=mode, now=now)


def outrun(before: Row | None, read_at: datetime) -> bool:
    """Whether what is known was read later."""
    return before is not None and moment(before["read_at"]) > read_at


def dispute_from(row: Row) -> Dispute:
    """A dispute's row as the engine knows it."""
    return Dispute(
        row["id"],
        Mode(row["mode"]),
        CustomerId(row["stripe_customer_id"]),
        row["charge"],
        DisputeStage(row["stage"]),
        Micros(row["amount"]),
        moment(row["created_at"]),
    )


def refund_from(row: Row) -> Refund:
    """A refund's row as the engine knows it."""
    return Refund(
        row["charge"],
        Mode(row["mode"]),
        CustomerId(row["stripe_customer_id"]),
        row["invoice"],
        Micros(row["amount"]),
        bool(row["whole"]),
        moment(row["refunded_at"]),
    )
