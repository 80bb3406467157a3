"""A simulated checkout in memory, so that its pages can be shown without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.domain import Interval, Micros, TierName
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
from engine.simulated import SimulatedDeed, SimulatedInvoice, SimulatedScene, SimulatedSession, SimulatedStep

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PORTAL = "portal_1"
SESSION = SessionId("cs_sim_1")
INVOICE = "in_sim_1"


class MemoryCheckout:
    """One session and one customer's portal."""

    def __init__(self, success_url: str = "/billing/success", cancel_url: str = "/billing/cancel") -> None:
        session = CheckoutSession(
            SESSION, CustomerId("cus_sim_1"), SessionStatus.OPEN, "/here", NOON + timedelta(hours=1)
        )
        self._shown = SimulatedSession(session, TierName.PREMIUM, Interval.MONTH, success_url, cancel_url)
        self.subscriptions: list[Sub] = []
        self.payments = 0
        self.bill = SimulatedInvoice(
            INVOICE, Micros(8_990_000), TierName.PREMIUM, Interval.MONTH, open=True, paid=False
        )

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

    async def invoice(self, invoice: str) -> SimulatedInvoice:
        """Show the one invoice."""
        if invoice != INVOICE:
            raise GoneError("no such invoice")
        return self.bill

    async def pay_invoice(self, invoice: str) -> None:
        """Pay it."""
        self.bill = replace(await self.invoice(invoice), open=False, paid=True)


class MemoryPlay:
    """Notes what is played."""

    def __init__(self) -> None:
        self.played: list[str] = []

    async def scene(self, portal: str) -> SimulatedScene:
        """Always the same noon."""
        if portal != PORTAL:
            raise GoneError("no such portal")
        said = f"You played {self.played[-1]}." if self.played else ""
        return SimulatedScene(NOON, moved=bool(self.played), said=said)

    async def play(self, portal: str, deed: SimulatedDeed) -> str:
        """Note it."""
        await self.scene(portal)
        self.played.append(deed)
        return deed

    async def pass_time(self, portal: str, step: SimulatedStep) -> str:
        """Note it."""
        await self.scene(portal)
        self.played.append(step)
        return step


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
