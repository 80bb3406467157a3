"""The queue of customers to read from Stripe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.facts import CustomerId, DirtyCustomer, Mode
from storage.session import Row, Session, moment_or_none


class SyncQueue:
    """The part of MoneyTx that is about customers to read, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def mark_dirty(self, mode: Mode, customer: CustomerId, due: datetime) -> None:
        self._session.run("mark_dirty", mode=mode, customer=customer, due=due)

    def mark_all_dirty(self, now: datetime) -> int:
        return self._session.run("mark_all_dirty", now=now)

    def claim_dirty(
        self,
        mode: Mode,
        now: datetime,
        lease_until: datetime,
        token: str,
        limit: int,
        customer: CustomerId | None = None,
    ) -> Sequence[DirtyCustomer]:
        if customer is None:
            rows = self._session.all(
                "claim_dirty", mode=mode, now=now, lease_until=lease_until, token=token, most=limit
            )
        else:
            rows = self._session.all(
                "claim_customer", mode=mode, now=now, lease_until=lease_until, token=token, customer=customer
            )
        return [dirty_from(row) for row in rows]

    def finish_sync(self, dirty: DirtyCustomer) -> bool:
        finished = self._session.run(
            "finish_sync", mode=dirty.mode, customer=dirty.customer, token=dirty.token, gen=dirty.gen
        )
        return finished == 1

    def fail_sync(self, dirty: DirtyCustomer, due: datetime, error: str) -> None:
        self._session.run(
            "fail_sync", mode=dirty.mode, customer=dirty.customer, token=dirty.token, due=due, error=error
        )

    def give_up_sync(self, dirty: DirtyCustomer, error: str) -> None:
        self._session.run(
            "give_up_sync", mode=dirty.mode, customer=dirty.customer, token=dirty.token, error=error
        )

    def queue_depth(self, now: datetime) -> tuple[int, datetime | None]:
        row = self._session.one("queue_depth", now=now)
        return (row["waiting"], moment_or_none(row["oldest"])) if row else (0, None)


def dirty_from(row: Row) -> DirtyCustomer:
    """A claimed row of the queue as the engine knows it."""
    return DirtyCustomer(
        Mode(row["mode"]),
        CustomerId(row["stripe_customer_id"]),
        row["gen"],
        row["lease_token"],
        row["fails"],
    )
