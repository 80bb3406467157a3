"""Stripe's events as they came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.facts import BillingEvent, CustomerId, Mode
from engine.tallies import applied
from storage.session import Session, moment


class Events:
    """The parts of MoneyTx and JobsTx that are about events, on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def store_event(self, event: BillingEvent, now: datetime, *, matters: bool) -> bool:
        stored = self._session.run(
            "store_event",
            id=event.id,
            type=event.type,
            mode=event.mode,
            customer=event.customer,
            status="pending" if matters else "ignored",
            payload=event.payload,
            created_at=event.created_at,
            now=now,
        )
        return stored == 1

    def forget_payloads(self, before: datetime, limit: int) -> int:
        return self._session.run("forget_payloads", before=before, most=limit, nothing=b"")

    def settle_events(
        self, mode: Mode, customer: CustomerId, received_before: datetime, now: datetime
    ) -> None:
        settled = self._session.all(
            "settle_events", mode=mode, customer=customer, received_before=received_before, now=now
        )
        self._session.tally(*(applied(mode, moment(row["received_at"]), now) for row in settled))

    def customers_with_stale_events(self, mode: Mode, received_before: datetime) -> Sequence[CustomerId]:
        rows = self._session.all("customers_with_stale_events", mode=mode, received_before=received_before)
        return [CustomerId(row["stripe_customer_id"]) for row in rows]
