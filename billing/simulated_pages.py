"""What the pages of simulated billing do: pay, decline, leave, cancel, resume, end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from billing.simulated_life import UPDATED, begun, ended, settled, with_new_card
from billing.simulated_objects import Sale
from billing.simulated_plans import Affairs, Plan
from billing.simulated_shelf import find
from billing.simulated_world import World
from engine.domain import Micros
from engine.errors import GoneError
from engine.facts import SessionId, SessionStatus, Subscription
from engine.ledger import Tx
from engine.simulated import SimulatedInvoice, SimulatedSession

SESSION_ID = "{CHECKOUT_SESSION_ID}"
"""Stripe's placeholder in return addresses."""


class SimulatedPages:
    """The SimulatedCheckout port."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def session(self, session: SessionId) -> SimulatedSession:
        sale = await self._sale(session)
        shown = sale.shown(self.world.clock.now(), f"{self.world.pages}/checkout/{sale.id}")
        return SimulatedSession(
            shown, sale.tier, sale.interval, back(sale, sale.success_url), back(sale, sale.cancel_url)
        )

    async def pay(self, session: SessionId) -> str:
        """Pay it (paying twice is paying once) and return the address to go to."""
        name = await self.world.name("sub", session)
        customer = (await self._sale(session)).customer

        def work(tx: Tx, affairs: Affairs) -> tuple[Affairs, Sale]:
            now, sale = self.world.clock.now(), find(tx, Sale, session)
            status = sale.status(now)
            if status is SessionStatus.EXPIRED:
                raise GoneError("this simulated checkout has expired")
            if status is SessionStatus.COMPLETE:
                return affairs, sale
            tx.put_object(replace(sale, paid=True).stored())
            affairs = begun(affairs, Plan.sold(name, sale, now), now, self.world.prices)
            return affairs.telling("checkout.session.completed", "checkout.session", sale.id), sale

        sale = await self.world.change(customer, work)
        return back(sale, sale.success_url)

    async def decline(self, session: SessionId) -> None:
        await self._sale(session)

    async def leave(self, session: SessionId) -> str:
        sale = await self._sale(session)
        return back(sale, sale.cancel_url)

    async def portal(self, portal: str) -> Sequence[Subscription]:
        affairs = await self.world.read(await self.world.customer_of(portal))
        return [self.world.shown(affairs, plan) for plan in reversed(affairs.plans)]

    async def cancel_at_period_end(self, portal: str, *, pending: bool) -> None:
        def change(affairs: Affairs, plan: Plan) -> Affairs:
            changed = replace(plan, cancel_at=plan.period_end if pending else None, planned=None)
            same = changed == plan
            return affairs if same else affairs.having(changed).telling(UPDATED, "subscription", plan.id)

        await self._change(portal, change)

    async def end_now(self, portal: str) -> None:
        now = self.world.clock.now()
        await self._change(portal, lambda affairs, plan: ended(affairs, plan, now, "cancellation_requested"))

    async def invoice(self, invoice: str) -> SimulatedInvoice:
        affairs = await self.world.read(await self.world.owner(invoice))
        found = affairs.invoice(invoice)
        plan = affairs.plan(found.plan)
        deal = plan.pending if plan.pending and found.change else plan.deal
        paid = found.paid_at is not None
        amount = Micros(found.amount)
        return SimulatedInvoice(found.id, amount, deal.tier, deal.interval, found.is_open, paid)

    async def pay_invoice(self, invoice: str) -> None:
        def work(_tx: Tx, affairs: Affairs) -> tuple[Affairs, None]:
            now, found = self.world.clock.now(), affairs.invoice(invoice)
            return (settled(with_new_card(affairs, now), found, now) if found.is_open else affairs), None

        await self.world.change(await self.world.owner(invoice), work)

    async def _sale(self, session: str) -> Sale:
        return await self.world.store.read(lambda tx: find(tx, Sale, session))

    async def _change(self, portal: str, change: Callable[[Affairs, Plan], Affairs]) -> None:
        """Change each running subscription behind a portal session."""

        def work(_tx: Tx, affairs: Affairs) -> tuple[Affairs, None]:
            for plan in affairs.plans:
                affairs = affairs if plan.ended_at else change(affairs, plan)
            return affairs, None

        await self.world.change(await self.world.customer_of(portal), work)


def back(sale: Sale, address: str) -> str:
    """A return address with the session's id in it."""
    return address.replace(SESSION_ID, sale.id)
