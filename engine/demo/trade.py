"""The story's money: bought, changed and given back by the product's own ways, with simulated events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import uuid4

from engine import tidings
from engine.changes import Proposed
from engine.checkout import CheckoutLink
from engine.demo.fates import STEADY, Fate, Step, Turning, dealt
from engine.demo.people import Character, Purchase
from engine.demo.stage import Stage, Timetable
from engine.domain import Interval, Micros, TierName
from engine.facts import BillingEvent, CustomerId, DirtyCustomer, DisputeStage, SessionId
from engine.ledger import Tx
from engine.simulated import SimulatedDeed
from engine.tallies import Delivery, Reading, was_read
from engine.teams import Invited
from engine.terms import ChangeKind

LATE, AGAIN, AWAY = 0.006, 0.01, 0.012
"""How often an event comes late, how often twice, and how often Stripe cannot be read at first."""
TURNED_AWAY = 0.004
"""How often we cannot take an event, so that Stripe delivers it again."""
METERED, CAP = 0.3, Micros(25_000_000)
HIGHER = {TierName.PREMIUM: (TierName.PRO, TierName.PRO, TierName.TEAM), TierName.TEAM: (TierName.PRO,)}
LEASE = timedelta(seconds=60)
NO_METER = "Stripe has no meter of that name (simulated)"
SILENCE = "Stripe answered with status 503 (simulated)"


class Trade:
    """Everybody's subscriptions, from the checkout to what becomes of them."""

    def __init__(self, stage: Stage, timetable: Timetable, seed: int, spare: Sequence[Character]) -> None:
        """`spare` are those who join the teams of others."""
        self._stage = stage
        self._timetable = timetable
        self._rng = Random(f"{seed}:trade")  # noqa: S311 - a story, told twice alike
        self._fates: Iterator[Fate] = dealt(self._rng)
        self._spare = list(spare)
        self._busy = 0
        self._luck = Random(f"{seed}:deliveries")  # noqa: S311 - as above

    async def buy(self, who: Character, what: Purchase, *, pays: bool) -> None:
        """Open a checkout, and pay or leave; a subscription begins its life then."""
        await self._stage.checkout.chosen(who.person, what.tier)
        link = await self._stage.checkout.upgrade(who.person, what.tier, what.interval)
        if not (isinstance(link, CheckoutLink) and pays):
            return
        self._stage.clock.wait(self._rng.uniform(40, 400))
        await self._stage.world.pages.pay(SessionId(link.url.rpartition("/")[2]))
        await self.follow(who)
        for turning in self._life(who, what):
            at = self._stage.clock.now() + timedelta(days=self._rng.uniform(turning.first, turning.last))
            self._timetable.add(at, partial(self._step, who, turning.step))

    def _life(self, who: Character, what: Purchase) -> Sequence[Turning]:
        fate = next(self._fates) if who.number else STEADY
        seats = [Turning(Step.SEATS, 0.1, 9) for _ in range(self._rng.randint(2, 4))]
        metered = what.tier is TierName.PRO and self._rng.random() < METERED
        also = seats if what.tier is TierName.TEAM else [Turning(Step.METER, 0.5, 20)] if metered else []
        return [*fate, *also]

    async def follow(self, who: Character) -> None:
        """Let time pass for a customer, tell of what happened, and come back when something is due."""
        customer = await self._customer(who)
        if customer is None:
            return
        due = await self._stage.world.post.pass_time(customer)
        await self._deliver()
        if due:
            later = max(due, self._stage.clock.now()) + timedelta(seconds=self._rng.uniform(1, 20))
            self._timetable.add(later, partial(self.follow, who))

    async def _customer(self, who: Character) -> CustomerId | None:
        mode = self._stage.subscriptions.mode

        def work(tx: Tx) -> CustomerId | None:
            account = tx.find_account(who.person)
            record = tx.customer(account.id, mode) if account else None
            return record.customer if record else None

        return await self._stage.store.read(work)

    async def _deliver(self) -> None:
        """Hand over events as the webhook does, then do what they call for, until nothing is left."""
        while events := await self._stage.world.post.collect():
            for event in events:
                await self._receive(event)
            if self._rng.random() < AWAY:
                await self._stumble(events)
            self._stage.clock.wait(1.0 + self._rng.lognormvariate(-1.2, 0.6))
            while await self._stage.subscriptions.work() or await self._stage.duties.work():
                self._stage.clock.wait(self._rng.uniform(0.05, 0.4))

    async def _receive(self, event: BillingEvent) -> None:
        self._stage.clock.wait(self._rng.lognormvariate(-1.6, 0.7))
        if self._rng.random() < LATE:
            self._stage.clock.wait(self._rng.uniform(5, 90))
        await self._mishap()
        await self._stage.subscriptions.receive(event)
        if self._rng.random() < AGAIN:
            await self._stage.subscriptions.receive(event)

    async def turn_away(self, events: int) -> None:
        """Let the next events come while we cannot take them."""
        self._busy = events

    async def forge(self, events: int) -> None:
        """A stranger sends some, which are refused."""
        for _ in range(events):
            self._stage.deliveries.untaken(Delivery.SIGNATURE)
        await self._stage.deliveries.work()

    async def _mishap(self) -> None:
        """An event that we cannot take comes again a little later."""
        if self._busy or self._luck.random() < TURNED_AWAY:
            self._busy = max(0, self._busy - 1)
            self._stage.deliveries.untaken(Delivery.AWAY)
            await self._stage.deliveries.work()
            self._stage.clock.wait(self._luck.uniform(5, 20))

    async def _stumble(self, events: Sequence[BillingEvent]) -> None:
        """Stripe does not answer the first reading."""
        customer = next((event.customer for event in events if event.customer), None)
        if customer:
            due = self._stage.clock.now() + timedelta(seconds=self._rng.uniform(2, 9))
            await self._claimed(customer, partial(failed, due=due))
            self._stage.clock.reach(due)

    async def _claimed(self, customer: CustomerId, end: Callable[[Tx, DirtyCustomer], None]) -> None:
        """Take a customer that is to be read, and end that as told."""
        now, mode, token = self._stage.clock.now(), self._stage.subscriptions.mode, uuid4().hex

        def work(tx: Tx) -> None:
            tx.mark_dirty(mode, customer, now)
            for dirty in tx.claim_dirty(mode, now, now + LEASE, token, 1, customer):
                end(tx, dirty)

        await self._stage.store.transact(work)

    async def give_up(self, who: Character) -> None:
        """Leave a customer to the operator, as one that could not be read for too long."""
        if customer := await self._customer(who):
            await self._claimed(customer, partial(given_up, now=self._stage.clock.now()))

    async def lose_a_report(self) -> None:
        """Leave one report of metered use to the operator, if any is owed."""
        while await self._stage.dispatch.seal():
            pass
        now, mode = self._stage.clock.now(), self._stage.subscriptions.mode

        def work(tx: Tx) -> None:
            for report in tx.claim_reports(mode, now, now + LEASE, 1):
                tx.report_dead(report.identifier, NO_METER)

        await self._stage.store.transact(work)

    async def _step(self, who: Character, step: Step) -> None:
        """One turn in the life of a subscription; what cannot be done any more is left undone."""
        acts: Mapping[Step, Callable[[], Awaitable[object]]] = {
            Step.CANCEL: lambda: self._change(who, ChangeKind.CANCEL),
            Step.RESUME: lambda: self._change(who, ChangeKind.RESUME),
            Step.UP: lambda: self._rise(who),
            Step.DOWN: lambda: self._change(who, ChangeKind.SWITCH, TierName.PREMIUM),
            Step.YEARLY: lambda: self._change(who, ChangeKind.SWITCH, interval=Interval.YEAR),
            Step.METER: lambda: self._stage.meter.agree(who.person, CAP),
            Step.SEATS: lambda: self._seat(who),
        }
        if step in acts:
            await acts[step]()
        else:
            await self._play(who, step)
        await self.follow(who)

    async def _play(self, who: Character, step: Step) -> None:
        stages = {Step.DISPUTE: DisputeStage.OPEN, Step.WIN: DisputeStage.WON, Step.LOSE: DisputeStage.LOST}
        deeds = {
            Step.CARD_ENDS: SimulatedDeed.EXPIRE_CARD,
            Step.NEW_CARD: SimulatedDeed.RECOVER,
            Step.REFUND: SimulatedDeed.REFUND,
            Step.DELETE: SimulatedDeed.DELETE_CUSTOMER,
        }
        if step in stages:
            await self._stage.world.deeds.dispute(who.person, stages[step])
        else:
            await self._stage.world.deeds.do(who.person, deeds[step])

    async def _rise(self, who: Character) -> None:
        """Another tier that gives more, than which there may be none."""
        tier = (await self._stage.subscriptions.access(who.person)).tier
        if tier in HIGHER:
            await self._change(who, ChangeKind.SWITCH, self._rng.choice(HIGHER[tier]))

    async def _change(
        self,
        who: Character,
        kind: ChangeKind,
        tier: TierName | None = None,
        interval: Interval | None = None,
    ) -> None:
        found = await self._stage.changes.propose(who.person, kind, tier, interval)
        if isinstance(found, Proposed):
            self._stage.clock.wait(self._rng.uniform(4, 60))
            await self._stage.changes.confirm(who.person, found.proposal.id)

    async def _seat(self, owner: Character) -> None:
        """Somebody who pays nothing joins a team."""
        invited = await self._stage.teams.invite(owner.person) if self._spare else None
        if isinstance(invited, Invited):
            self._stage.clock.wait(self._rng.uniform(60, 3000))
            await self._stage.teams.join(self._spare.pop().person, invited.code)


def failed(tx: Tx, dirty: DirtyCustomer, due: datetime) -> None:
    """A reading that is tried again."""
    tx.fail_sync(dirty, due, SILENCE)
    tx.tally(was_read(dirty.mode, Reading.FAILED, due))


def given_up(tx: Tx, dirty: DirtyCustomer, now: datetime) -> None:
    """One that is not: the operator is told."""
    page = tidings.stripe_page(dirty.mode, "customers", dirty.customer)
    tx.raise_alert(tidings.given_up(dirty.mode, f"customer {dirty.customer}", SILENCE, now, page))
    tx.give_up_sync(dirty, SILENCE)
    tx.tally(was_read(dirty.mode, Reading.GIVEN_UP, now))
