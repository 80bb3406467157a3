"""What the operator can play with simulated billing: time, failing cards, disputes, refunds, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from billing.simulated import SimulatedBilling
from billing.simulated_clock import SimulatedClock
from billing.simulated_deeds import play
from billing.simulated_objects import Portal, months_after
from billing.simulated_plans import Affairs
from billing.simulated_shelf import find
from engine.domain import Person
from engine.errors import GoneError
from engine.facts import CustomerId, DisputeStage, Mode, Subscription
from engine.ledger import Tx
from engine.ports import Store
from engine.simulated import SimulatedDeed, SimulatedScene, SimulatedStep

STAGES: Mapping[DisputeStage, SimulatedDeed] = {
    DisputeStage.INQUIRY: SimulatedDeed.INQUIRE,
    DisputeStage.OPEN: SimulatedDeed.DISPUTE,
    DisputeStage.WON: SimulatedDeed.WIN_DISPUTE,
    DisputeStage.LOST: SimulatedDeed.LOSE_DISPUTE,
}
DAYS: Mapping[SimulatedStep, int] = {SimulatedStep.DAY: 1, SimulatedStep.WEEK: 7}


class Simulation:
    """Plays with simulated customers, by person for the command line and by portal session for its page.

    Every method returns a sentence about what became of it.
    """

    def __init__(self, store: Store, clock: SimulatedClock, billing: SimulatedBilling) -> None:
        self._store = store
        self._clock = clock
        self._world = billing.world

    async def advance(self, by: timedelta) -> str:
        """Move the clock forward for everybody. ValueError: back, or more than a year at once."""
        now = await self._clock.move(self._store, by)
        self._world.courier.wake()
        return f"SIMULATED: the clock says {_time(now)} now."

    async def do(self, person: Person, deed: SimulatedDeed) -> str:
        """Do it to the person's customer."""
        customer = await self._customer(person)
        return _unknown(person) if customer is None else await self._play(customer, deed)

    async def dispute(self, person: Person, stage: DisputeStage = DisputeStage.OPEN) -> str:
        """Dispute the newest payment, or bring its dispute to that stage."""
        return await self.do(person, STAGES[stage])

    async def status(self, person: Person) -> str:
        """What the simulation knows of the person, a line for each thing."""
        customer = await self._customer(person)
        if customer is None:
            return _unknown(person)
        affairs = await self._world.read(customer)
        return f"SIMULATED: {person} is {customer}.\n" + "\n".join(self._lines(affairs))

    async def scene(self, portal: str) -> SimulatedScene:
        """How things stand for the portal's page."""
        await self._world.customer_of(portal)
        said = (await self._store.read(lambda tx: find(tx, Portal, portal))).said
        return SimulatedScene(self._clock.now(), bool(self._clock.ahead), said)

    async def play(self, portal: str, deed: SimulatedDeed) -> str:
        """Do it to the portal's customer; its page tells what became of it."""
        said = await self._play(await self._world.customer_of(portal), deed)
        return await self._say(portal, said)

    async def pass_time(self, portal: str, step: SimulatedStep) -> str:
        """Move the clock on; a portal session lives on, so that its page can be used again."""
        customer = await self._world.customer_of(portal)
        now = self._clock.now()
        by = timedelta(days=DAYS[step]) if step in DAYS else months_after(now, 1) - now
        said = await self.advance(by)
        fresh = Portal(portal, customer, self._clock.now() + timedelta(hours=1))
        await self._store.transact(lambda tx: tx.put_object(fresh.stored()))
        return await self._say(portal, said)

    async def _say(self, portal: str, said: str) -> str:
        def work(tx: Tx) -> None:
            tx.put_object(replace(find(tx, Portal, portal), said=said).stored())

        await self._store.transact(work)
        return said

    async def _play(self, customer: str, deed: SimulatedDeed) -> str:
        def work(_tx: Tx, affairs: Affairs) -> tuple[Affairs, str]:
            return play(affairs, deed, self._clock.now(), self._world.prices)

        try:
            return f"SIMULATED: {await self._world.change(customer, work)}"
        except GoneError as error:
            return f"SIMULATED: nothing was done, for {error}."

    async def _customer(self, person: Person) -> CustomerId | None:
        def work(tx: Tx) -> CustomerId | None:
            account = tx.find_account(person)
            record = tx.customer(account.id, Mode.SIMULATED) if account else None
            return record.customer if record else None

        return await self._store.read(work)

    def _lines(self, affairs: Affairs) -> list[str]:
        payer, now = affairs.payer, self._clock.now()
        card = "works" if payer.can_pay(now) else "is declined"
        until = f" and is valid until {payer.card_end:%Y-%m-%d}" if payer.card_end else ""
        span = str(self._clock.ahead).removesuffix(", 0:00:00")
        ahead = f", {span} ahead of the real time" if self._clock.ahead else ""
        lines = [f"The clock says {_time(now)}{ahead}.", f"The card {card}{until}."]
        if payer.deleted_at:
            lines.append(f"The customer was deleted on {_time(payer.deleted_at)}.")
        lines += [_subscription(self._world.shown(affairs, plan)) for plan in affairs.plans]
        lines += [f"Dispute of {_dollars(each.amount)}: {each.stage}." for each in affairs.quarrels]
        paid = sum(each.amount for each in affairs.invoices if each.charge)
        back = sum(each.amount for each in affairs.invoices if each.refunded_at)
        return [*lines, f"Paid {_dollars(paid)}, of which {_dollars(back)} was given back."]


def _unknown(person: Person) -> str:
    return f"SIMULATED: {person} is no simulated customer. They become one with /upgrade."


def _subscription(sub: Subscription) -> str:
    facts = [f"{sub.tier} by the {sub.interval}", f"quantity {sub.quantity}", sub.status.value]
    if sub.past_due_since:
        facts.append(f"unpaid since {_time(sub.past_due_since)}")
    if sub.ended_at:
        facts.append(f"ended {_time(sub.ended_at)} ({sub.end_reason})")
    elif sub.cancel_at:
        facts.append(f"ends {_time(sub.cancel_at)}")
    elif sub.period_end:
        facts.append(f"renews {_time(sub.period_end)}")
    if then := sub.planned:
        facts.append(f"then {then.tier} by the {then.interval}, quantity {then.quantity}")
    if sub.metered_item:
        facts.append("metered use is on")
    return f"Subscription {sub.id}: {', '.join(facts)}."


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _dollars(micros: int) -> str:
    return f"${micros / 1_000_000:,.2f}"
