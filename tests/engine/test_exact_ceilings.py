"""No ceiling is ever passed: whoever asks at once, of two processes, and however their answers end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.admission import LEASE, Admission, Desk, admit
from engine.budget import Ceilings
from engine.catalogue import Catalogue
from engine.comparison import admit_comparison
from engine.domain import Ask, FailureReason, Interval, Micros, Person, Platform, TierName, TurnId
from engine.facts import CustomerId, Mode, PaymentStatus, Subscription, SubscriptionId
from engine.ledger import Tx
from engine.means import FREE_PART
from engine.models import ModelClass, ModelSpec, Price, Usage
from engine.reserve import reserved
from engine.spending import BOT, FREE, by_scope, period, scopes, vendor
from engine.turns import Charge, Settlement
from storage import postgres_units
from storage.store import Store, open_store
from tests.engine.conftest import FREE as FREE_TIER
from tests.engine.conftest import PREMIUM
from tests.fakes.clock import FakeClock

GIVEN = replace(
    FREE_TIER,
    conversations_per_day=None,
    requests_per_minute=None,
    concurrent=None,
    compare=2,
    cost_ceiling_month=Micros(4_000),
)
PAID = replace(
    PREMIUM,
    requests_per_minute=None,
    concurrent=None,
    compare=2,
    cost_ceiling_month=Micros(5_000),
    cost_stop_month=Micros(7_000),
)


def model(name: str, provider: str, klass: ModelClass, cost: int, *fallback: str) -> ModelSpec:
    """A model of which an answer costs so much at most."""
    price = Price(0, 0, cost * 1000)
    return ModelSpec(name, provider, name, klass, 8000, 1000, price, fallback=fallback)


CATALOGUE = Catalogue(
    MappingProxyType({TierName.FREE: GIVEN, TierName.PREMIUM: PAID}),
    (
        model("quick", "one", ModelClass.EVERYDAY, 300, "spare"),
        model("spare", "two", ModelClass.EVERYDAY, 400),
        model("deep", "two", ModelClass.STRONG, 1_100, "steep", "quick"),
        model("steep", "one", ModelClass.STRONG, 1_300),
    ),
)
CEILINGS = Ceilings(
    Micros(9_000), Micros(3_000), MappingProxyType({"one": Micros(4_500), "two": Micros(6_000)})
)
PEOPLE = [Person(Platform.LOCAL, "", name) for name in ("ann", "ben", "cid", "dan", "eva", "fay")]
PAYING = PEOPLE[:3]


@dataclass(frozen=True, slots=True)
class Step:
    """One of a wave's questions, and what becomes of it; `percent` of what it may cost is charged.

    Lost is one whose process is gone, late one that is settled when its lease is over.
    """

    person: Person
    models: tuple[str, ...]
    end: str
    percent: int


STEPS = st.builds(
    Step,
    st.sampled_from(PEOPLE),
    st.sampled_from((("quick",), ("spare",), ("deep",), ("quick", "spare"))),
    st.sampled_from(("settled", "settled", "failed", "lost", "late")),
    st.integers(0, 100),
)
WAVES = st.lists(
    st.tuples(st.lists(STEPS, min_size=1, max_size=8), st.sampled_from((0, 20, 60, 61))),
    min_size=1,
    max_size=4,
)


@dataclass(slots=True)
class House:
    """Two processes on one database."""

    stores: tuple[Store, Store]
    clock: FakeClock
    desk: Desk = field(default_factory=lambda: Desk(CATALOGUE, Mode.TEST, "", "process", ceilings=CEILINGS))
    numbers: count[int] = field(default_factory=count)
    late: list[tuple[Step, Admission]] = field(default_factory=list)

    async def wave(self, steps: Sequence[Step]) -> None:
        """Let all of them ask at once, then end at once."""
        let_in = await asyncio.gather(*(self.ask(number, step) for number, step in enumerate(steps)))
        ended = [(step, each) for step, found in zip(steps, let_in, strict=True) for each in found]
        self.late += [pair for pair in ended if pair[0].end == "late"]
        await asyncio.gather(*(self.end(*pair) for pair in ended if pair[0].end != "late"))

    async def sweep(self, *, booked: bool) -> None:
        """Let go of lost turns, write down what they may have cost or not yet, then settle some of them."""
        now = self.clock.now()
        await self.stores[0].transact(lambda tx: tx.release_expired(now))
        if booked:
            await self.stores[1].transact(lambda tx: tx.book_lost(now, 100))
        await self.agree()
        late, self.late = self.late, []
        await asyncio.gather(*(self.end(*pair) for pair in late))

    async def ask(self, number: int, step: Step) -> tuple[Admission, ...]:
        """One question, which is let in only if no ceiling is passed by it."""
        key, now = f"key {next(self.numbers)}", self.clock.now()
        ask = Ask(key, step.person, "Hi", model=step.models[0])

        def work(tx: Tx) -> tuple[Admission, ...]:
            found = (
                admit_comparison(tx, self.desk, replace(ask, model=None), step.models, now)
                if len(step.models) > 1
                else admit(tx, self.desk, ask, TurnId(key), now)
            )
            let_in = found if isinstance(found, tuple) else (found,)
            return tuple(each for each in let_in if isinstance(each, Admission) and self.fits(tx, each))

        return await self.stores[number % 2].transact(work)

    def fits(self, tx: Tx, admission: Admission) -> bool:
        """Whether all that is spent and held fits, under the locks of the admission."""
        free = admission.payer.purse == FREE
        for scope, ceiling in by_scope(CEILINGS).items():
            part = FREE_PART if free and scope in admission_scopes(admission) - {FREE} else 1
            taken = tx.purse(scope, admission.admitted_at).taken
            assert taken <= ceiling * part, (scope, taken)
        facts = tx.usage(admission.payer.account, admission.admitted_at)
        assert facts.cost_month <= (4_000 if free else 7_000)
        return True

    async def end(self, step: Step, admission: Admission) -> None:
        """What becomes of an answer."""
        route = admission.routes[step.percent % len(admission.routes)]
        cost = Micros(reserved((route,)) * step.percent // 100)
        charge = Charge(route.spec.name, route.spec.provider, Usage(1, 0, step.percent), cost)
        now = self.clock.now()
        settlement = Settlement(route.spec.name, "Hi", charge.usage, cost, "end", now, (charge,))

        def work(tx: Tx) -> None:
            if step.end in {"settled", "late"}:
                tx.settle(admission.turn, settlement)
            elif step.end == "failed":
                tx.release(admission.turn, FailureReason.BUSY, now)
                tx.record_spend(admission.turn, replace(settlement, answer=""))

        await self.stores[step.percent % 2].transact(work)

    async def agree(self) -> None:
        """The ledger is the sum of all purses, and no ceiling is passed."""
        now = self.clock.now()
        entries = await self.stores[0].read(lambda tx: tx.entries(now - timedelta(days=40), now + LEASE))
        sums: Counter[object] = Counter()
        for entry in entries:
            for scope in scopes(entry.charge, entry.purse):
                sums[scope, period(scope, entry.began_at)] += entry.charge.cost or 0
        for scope, ceiling in by_scope(CEILINGS).items():
            purse = await self.stores[1].read(lambda tx, scope=scope: tx.purse(scope, now))  # type: ignore[misc]
            assert purse.spent == sums[scope, period(scope, now)]
            assert purse.taken <= ceiling


def admission_scopes(admission: Admission) -> set[object]:
    """Where an answer may be charged."""
    return {BOT, *(vendor(route.spec.provider) for route in admission.routes)}


def pay(tx: Tx, clock: FakeClock) -> None:
    """Some have a subscription that goes on."""
    now = clock.now()
    for number, person in enumerate(PAYING):
        sub = Subscription(
            id=SubscriptionId(f"sub_{number}"),
            customer=CustomerId(f"cus_{number}"),
            mode=Mode.TEST,
            status=PaymentStatus.ACTIVE,
            tier=TierName.PREMIUM,
            price="price_1",
            interval=Interval.MONTH,
            quantity=1,
            created_at=now,
            started_at=now,
            period_end=None,
            cancel_at=None,
        )
        tx.replace_subscriptions(tx.lock_account(person, now).id, Mode.TEST, [sub], now)


@pytest.fixture
async def house(
    store: Store, database_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """A second process beside the first one, on each database in turn; who waits in a circle fails."""
    monkeypatch.setattr(postgres_units, "_CONFLICTS", ())
    await store.transact(lambda tx: pay(tx, clock))
    async with await open_store(database_url, clock) as other:
        yield House((store, other), clock)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(waves=WAVES)
async def test_whoever_asks_and_however_it_ends_what_is_spent_and_held_is_within_every_ceiling(
    house: House, waves: list[tuple[list[Step], int]]
) -> None:
    house.clock.advance(timedelta(days=32))  # a month of its own for each example
    for steps, seconds in waves:
        await house.wave(steps)
        await house.agree()
        house.clock.advance(timedelta(seconds=seconds))
        if seconds >= LEASE.total_seconds():
            await house.sweep(booked=seconds % 2 == 0)
            await house.agree()
    house.clock.advance(LEASE)
    for _ in range(2):
        await house.sweep(booked=True)
        await house.agree()
    left = await house.stores[0].read(lambda tx: tx.purse(BOT, house.clock.now()).held)
    assert left == 0
