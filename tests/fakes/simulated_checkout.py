"""A simulated checkout in memory, so that its pages can be shown without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.domain import Interval, TierName
from engine.errors import GoneError
from engine.facts import (
    CheckoutSession,
    CustomerId,
    Mode,
    PaymentStatus,
    SessionId,
    SessionStatus,
    SubscriptionId,
)
from engine.facts import Subscription as Sub
from engine.ports import SimulatedSession

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PORTAL = "portal_1"
SESSION = SessionId("cs_sim_1")


class MemoryCheckout:
    """One session and one customer's portal."""

    def __init__(self, success_url: str = "/billing/success", cancel_url: str = "/billing/cancel") -> None:
        session = CheckoutSession(
            SESSION, CustomerId("cus_sim_1"), SessionStatus.OPEN, "/here", NOON + timedelta(hours=1)
        )
        self._shown = SimulatedSession(session, TierName.PREMIUM, Interval.MONTH, success_url, cancel_url)
        self.subscriptions: list[Sub] = []
        self.payments = 0

    async def session(self, session: SessionId) -> SimulatedSession:
        """Show the one session."""
        if session != SESSION:
            raise GoneError("no such session")
        return self._shown

    async def pay(self, session: SessionId) -> str:
        """Pay once, however often it is asked."""
        found = await self.session(session)
        if found.session.status is SessionStatus.OPEN:
            self.payments += 1
            self._shown = replace(found, session=replace(found.session, status=SessionStatus.COMPLETE))
            self.subscriptions = [_subscription()]
        return found.success_url

    async def decline(self, session: SessionId) -> None:
        """Change nothing."""
        await self.session(session)

    async def leave(self, session: SessionId) -> str:
        """Say where to go."""
        return (await self.session(session)).cancel_url

    async def portal(self, portal: str) -> Sequence[Sub]:
        """Show what was bought."""
        if portal != PORTAL:
            raise GoneError("no such portal")
        return self.subscriptions

    async def cancel_at_period_end(self, portal: str, *, pending: bool) -> None:
        """Set or take back the end."""
        found = await self.portal(portal)
        self.subscriptions = [replace(each, cancel_at=each.period_end if pending else None) for each in found]

    async def end_now(self, portal: str) -> None:
        """End everything."""
        found = await self.portal(portal)
        self.subscriptions = [replace(each, status=PaymentStatus.CANCELED) for each in found]


def _subscription() -> Sub:
    return Sub(
        id=SubscriptionId("sub_sim_1"),
        customer=CustomerId("cus_sim_1"),
        mode=Mode.SIMULATED,
        status=PaymentStatus.ACTIVE,
        tier=TierName.PREMIUM,
        price="price_sim_premium",
        interval=Interval.MONTH,
        quantity=1,
        created_at=NOON,
        started_at=NOON,
        period_end=NOON + timedelta(days=30),
        cancel_at=None,
    )
