"""Random lives of members: people, Stripe, the network and crashing processes, and what holds at rest."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from billing.gateway import StripeGateway
from engine.changes import Proposed
from engine.checkout import CheckoutLink
from engine.domain import Interval, Person, Platform, TierName
from engine.errors import OutsideError
from engine.facts import Mode, SessionId
from engine.jobs import Notices
from engine.ledger import Tx
from engine.notices import Notice
from engine.terms import ChangeKind, Policy
from storage.store import Store, open_store
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import SECRET, FakeStripe
from tests.fakes.stripe.courier import sign
from tests.fakes.stripe.wire import Json, StripeError
from tests.money import oracle
from tests.money.conftest import Till, open_gateway, open_till
from tests.money.mortal import Dying, Fuse, MortalBilling, MortalStore

T = TypeVar("T")
Work = Callable[[Till, Notices], Awaitable[object]]
PEOPLE = tuple(Person(Platform.LOCAL, "", f"member-{number}") for number in range(5))
POLICY = Policy(trial_days=3)
OVER = frozenset({"canceled", "incomplete_expired"})
MOST_ROUNDS = 400
A_LEASE = timedelta(seconds=90)
TIERS_SOLD = (TierName.PREMIUM, TierName.TEAM, TierName.PRO)


@dataclass(slots=True)
class Letterbox:
    """A messenger that shows each notice once: a repeated one only if it did not come through."""

    shown: dict[str, Notice] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)

    async def deliver(self, notice: Notice, *, again: bool) -> None:
        """Show it."""
        if notice.key in self.shown and not again:
            self.doubled.append(notice.key)
        self.shown[notice.key] = notice


@dataclass(slots=True)
class Process:
    """One process of the bot, which can be killed and started again."""

    store: Store
    gateway: StripeGateway
    clock: FakeClock
    fake: FakeStripe
    letterbox: Letterbox
    fuse: Fuse = field(default_factory=Fuse)

    def start(self) -> tuple[Till, Notices]:
        """The process as it is after a start: it remembers nothing."""
        store = cast("Store", MortalStore(self.store, self.fuse))
        billing = cast("StripeGateway", MortalBilling(self.gateway, self.fuse))
        notices = Notices(store, self.clock, self.gateway.mode)
        notices.messengers[Platform.LOCAL] = self.letterbox
        return open_till(store, self.clock, self.fake, POLICY, billing), notices

    async def live(self, work: Callable[[Till, Notices], Awaitable[T]], steps: int | None = None) -> T | None:
        """Do something, and die after so many steps; None then, or when Stripe would not have it."""
        self.fuse.left = steps
        try:
            return await work(*self.start())
        except (Dying, OutsideError):
            return None
        finally:
            self.fuse.left = None


class Lives(RuleBasedStateMachine):
    """A world with two processes and some members; `fresh_database` gives the URL of an empty database."""

    fresh_database: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.letterbox = Letterbox()
        self.stack = AsyncExitStack()
        self.held: list[Json] = []
        self.dice = random.Random(7)

    def go(self, work: Awaitable[T]) -> T:
        """Run something to its end."""

        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    @initialize(bought=st.lists(st.sampled_from(TIERS_SOLD), min_size=3, max_size=3))
    def open(self, bought: list[TierName]) -> None:
        """Three members have bought something, and their trials are over; the others have not."""
        self.go(self._open())
        for who, tier in enumerate(bought):
            self.buy(who, tier, Interval.MONTH, 0, None, pays=True)
        self.time_passes(80)
        self.go(self.processes[0].live(lambda till, _: till.reconcile.run()))
        for _ in PEOPLE:
            self.processes_do("work", 0, None)

    async def _open(self) -> None:
        url = type(self).fresh_database()
        fake = FakeStripe(wall=lambda: self.clock.now().timestamp())
        self.fake = await self.stack.enter_async_context(fake)
        self.fake.world.listeners.append(self.held.append)
        self.processes = []
        for _ in range(2):
            store = await self.stack.enter_async_context(await open_store(url, self.clock))
            gateway = open_gateway(self.clock, self.fake, POLICY)
            self.stack.push_async_callback(gateway.aclose)
            self.processes.append(Process(store, gateway, self.clock, self.fake, self.letterbox))

    # ---- what members do ----

    @rule(
        who=st.integers(0, len(PEOPLE) - 1),
        tier=st.sampled_from(TIERS_SOLD),
        interval=st.sampled_from(list(Interval)),
        process=st.integers(0, 1),
        steps=st.none() | st.integers(0, 14),
        pays=st.booleans(),
    )
    def buy(
        self, who: int, tier: TierName, interval: Interval, process: int, steps: int | None, *, pays: bool
    ) -> None:
        link = self.go(
            self.processes[process].live(
                lambda till, _: till.checkout.upgrade(PEOPLE[who], tier, interval), steps
            )
        )
        if pays and isinstance(link, CheckoutLink):
            self.drive(lambda: self.fake.drive.pay(SessionId(link.url.rpartition("/")[2])))

    @rule(who=st.integers(0, len(PEOPLE) - 1), tier=st.sampled_from(TIERS_SOLD))
    def leave_and_come_back(self, who: int, tier: TierName) -> None:
        self.on_a_subscription(self.fake.drive.cancel_subscription)
        self.buy(who, tier, Interval.MONTH, 0, None, pays=True)

    @rule()
    def pay_whatever_is_open(self) -> None:
        open_ones = [row for row in self.fake.world.rows("checkout.session") if row["status"] == "open"]
        if open_ones:
            self.drive(lambda: self.fake.drive.pay(self.dice.choice(open_ones)["id"]))

    @rule(
        who=st.integers(0, len(PEOPLE) - 1),
        kind=st.sampled_from([ChangeKind.SWITCH, ChangeKind.SEATS, ChangeKind.CANCEL, ChangeKind.RESUME]),
        tier=st.sampled_from(TIERS_SOLD),
        seats=st.integers(5, 9),
        process=st.integers(0, 1),
        steps=st.none() | st.integers(0, 14),
    )
    def change(
        self, who: int, kind: ChangeKind, tier: TierName, seats: int, process: int, steps: int | None
    ) -> None:
        person = PEOPLE[who]
        wished = tier if kind is ChangeKind.SWITCH else None

        async def asked(till: Till, _: Notices) -> object:
            found = await till.alter.propose(person, kind, wished, quantity=seats)
            return (
                await till.alter.confirm(person, found.proposal.id) if isinstance(found, Proposed) else None
            )

        self.go(self.processes[process].live(asked, steps))

    # ---- what happens at Stripe ----

    @rule(
        deed=st.sampled_from(sorted(("cancel", "end_later", "resume", "fail", "retry", "recover", "give_up")))
    )
    def subscription_deed(self, deed: str) -> None:
        drive = self.fake.drive
        deeds: dict[str, Callable[[str], object]] = {
            "cancel": drive.cancel_subscription,
            "end_later": lambda sub: drive.cancel_subscription(sub, at_period_end=True),
            "resume": drive.resume_subscription,
            "fail": drive.fail_renewal,
            "retry": drive.retry_fails,
            "recover": drive.recover,
            "give_up": drive.give_up,
        }
        self.on_a_subscription(deeds[deed])

    @rule(deed=st.sampled_from(("pause", "unpause", "void", "unvoid", "unpaid", "second", "card")))
    def odd_deed(self, deed: str) -> None:
        drive = self.fake.drive
        prices = sorted(self.fake.prices.values())

        def second(sub: str) -> object:
            customer = self.fake.world.get("subscription", sub, "id")["customer"]
            return drive.add_subscription(customer, self.dice.choice(prices))

        def card(sub: str) -> object:
            customer = self.fake.world.get("subscription", sub, "id")["customer"]
            return drive.refuse_cards(customer, refuse=self.dice.random() < 0.5)

        deeds: dict[str, Callable[[str], object]] = {
            "pause": drive.pause,
            "unpause": drive.unpause,
            "void": drive.pause_collection,
            "unvoid": lambda sub: drive.pause_collection(sub, ""),
            "unpaid": drive.mark_unpaid,
            "second": second,
            "card": card,
        }
        self.on_a_subscription(deeds[deed])

    @rule(deed=st.sampled_from(("refund", "part", "dispute", "inquire", "close", "delete")))
    def money_deed(self, deed: str) -> None:
        drive, world = self.fake.drive, self.fake.world
        disputed = [row["id"] for row in world.rows("dispute")]
        customers = [row["id"] for row in world.rows("customer") if not row.get("deleted")]
        deeds: dict[str, Callable[[str], object]] = {
            "refund": lambda sub: drive.refund(drive.charge_of(sub)["id"]),
            "part": lambda sub: drive.refund(drive.charge_of(sub)["id"], 100),
            "dispute": lambda sub: drive.dispute(drive.charge_of(sub)["id"]),
            "inquire": lambda sub: drive.inquiry(drive.charge_of(sub)["id"]),
            "close": lambda _: (
                disputed
                and drive.close_dispute(self.dice.choice(disputed), self.dice.choice(["won", "lost", "won"]))
            ),
            "delete": lambda _: (
                customers and self.dice.random() < 0.3 and drive.delete_customer(self.dice.choice(customers))
            ),
        }
        self.on_a_subscription(deeds[deed])

    @rule(hours=st.sampled_from((1, 20, 80, 200, 300, 345, 745)))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        self.drive(lambda: self.fake.drive.advance(0))

    # ---- what the network and the processes do ----

    @rule(
        share=st.floats(0, 1),
        copies=st.integers(1, 2),
        lost=st.booleans(),
        steps=st.none() | st.integers(0, 5),
    )
    def news_arrives(self, share: float, copies: int, steps: int | None, *, lost: bool) -> None:
        """Some of what is under way arrives, in any order, once or twice; or is lost for good."""
        self.dice.shuffle(self.held)
        count = round(len(self.held) * share)
        taken, self.held[:] = self.held[:count], self.held[count:]
        if not lost:
            for event in taken * copies:
                self.go(self._receive(event, steps))

    @rule(
        what=st.sampled_from(("work", "both", "tell", "reconcile")),
        process=st.integers(0, 1),
        steps=st.none() | st.integers(0, 16),
    )
    def processes_do(self, what: str, process: int, steps: int | None) -> None:
        self.clock.advance(timedelta(seconds=2))
        duties: dict[str, Work] = {
            "work": lambda till, _: till.work(),
            "both": lambda till, _: till.work(),
            "tell": lambda _, notices: notices.work(),
            "reconcile": lambda till, _: till.regular_looks(),
        }
        busy = self.processes if what == "both" else [self.processes[process]]

        async def done() -> None:
            await asyncio.gather(*(each.live(duties[what], steps) for each in busy))

        self.go(done())

    # ---- what must hold at rest ----

    def teardown(self) -> None:
        try:
            if hasattr(self, "fake"):
                self.go(self._rest())
                self.go(self._check())
        finally:
            self.go(self.stack.aclose())
            self.runner.close()

    async def _rest(self) -> None:
        """All is quiet: leases run out, what was lost is found by reconciliation, all due work is done."""
        self.clock.advance(A_LEASE)
        till, notices = self.processes[0].start()
        for _ in range(3):
            await till.reconcile.run()
            await self._work_until_idle(till, notices)
        found = await till.reconcile.compare()
        assert found.differences == (), found.differences

    async def _work_until_idle(self, till: Till, notices: Notices) -> None:
        for _ in range(MOST_ROUNDS):
            done = await till.work() + await notices.work()
            if not done:
                return
            self.clock.advance(timedelta(seconds=2))
        raise AssertionError("work never ends")

    async def _check(self) -> None:
        store = self.processes[0].store
        assert self.letterbox.doubled == []
        assert self.fake.rejections == [], self.fake.rejections
        for person in PEOPLE:
            await store.read(lambda tx, person=person: self._check_one(tx, person))  # type: ignore[misc]

    def _check_one(self, tx: Tx, person: Person) -> None:
        account = tx.find_account(person)
        if account is None:
            return
        truth = oracle.due(self.fake.world, account.id)
        changes = tx.tier_changes(account.id)
        assert (changes[-1].after if changes else "free") == truth.tier
        assert all(one.after == two.before for one, two in pairwise(changes))
        assert tx.mrr(account.id, Mode.TEST) == truth.mrr
        assert sum(each.delta for each in tx.account_movements(account.id, Mode.TEST)) == truth.mrr
        owed = {notice.key for notice in tx.notices(account.id)}
        assert owed <= self.letterbox.shown.keys()
        assert len([key for key in owed if key.startswith("tier:")]) == len(changes)
        self._check_singles(account.id)

    def _check_singles(self, account: str) -> None:
        """One customer; one subscription that charges or one session that could start one; one trial."""
        world = self.fake.world
        customers = {name for name, owner in oracle.owners(world).items() if owner == account}
        alive = [row for row in world.rows("customer") if row["id"] in customers and not row.get("deleted")]
        subs = [row for row in world.rows("subscription") if row["customer"] in customers]
        sessions = [row for row in world.rows("checkout.session") if row["customer"] in customers]
        assert len(alive) <= 1
        charging = [row for row in subs if row["status"] in {"active", "trialing", "past_due"}]
        assert len(charging) <= 1
        assert len(charging) + len([row for row in sessions if row["status"] == "open"]) <= 1
        assert len([row for row in subs if row["trial_end"]]) <= 1

    async def _receive(self, event: Json, steps: int | None) -> None:
        """An event arrives: verified, parsed and kept, unless the process dies; then it comes again."""
        body = json.dumps(event).encode()
        header = sign(body, [SECRET], int(self.clock.now().timestamp()))

        async def taken(till: Till, _: Notices) -> bool:
            await till.subscriptions.receive(till.gateway.parse_webhook_event(body, header))
            return True

        process = self.dice.choice(self.processes)
        if await process.live(taken, steps) is None:
            await process.live(taken)

    def on_a_subscription(self, deed: Callable[[str], object]) -> None:
        """Do something to any subscription that is not over; what Stripe would refuse does not happen."""
        subs = [row for row in self.fake.world.rows("subscription") if row["status"] not in OVER]
        if subs:
            self.drive(lambda: deed(self.dice.choice(subs)["id"]))

    def drive(self, deed: Callable[[], object]) -> None:
        """Do something at Stripe, where it can be done."""

        async def done() -> None:
            try:
                deed()
            except (StripeError, AssertionError, LookupError):
                return

        self.go(done())
