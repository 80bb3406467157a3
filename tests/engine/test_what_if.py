"""What the last days would have been: what they were under the same rules, and who would notice others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.admission import Admission, Desk, admit
from engine.budget import Ceilings
from engine.catalogue import Catalogue
from engine.comparison import admit_comparison
from engine.domain import (
    Ask,
    Interval,
    Micros,
    Person,
    Platform,
    RefusalReason,
    TierName,
    TurnId,
)
from engine.facts import CustomerId, Mode, PaymentStatus, Subscription, SubscriptionId
from engine.hindsight import Rules, Swap
from engine.ledger import Tx
from engine.models import ModelClass, Price, Usage
from engine.ports import Store
from engine.pricing import cost
from engine.settling import write_down
from engine.turns import Charge, Settlement
from engine.what_if import Comparison, WhatIf
from storage.store import open_store
from tests.engine.conftest import ALICE, BOB, CATALOGUE, DEEP, FREE, PREMIUM, QUICK, SPARE, Hall
from tests.fakes.clock import NOON, FakeClock

USUAL = Usage(1000, 0, 100)
CAROL = Person(Platform.LOCAL, "", "carol")
T = TypeVar("T")
PEOPLE = (ALICE, BOB, CAROL)
"""Carol has premium."""
STRICT = replace(PREMIUM, cost_ceiling_month=Micros(900_000), cost_stop_month=Micros(1_200_000))
TIGHT = Catalogue(MappingProxyType({TierName.FREE: FREE, TierName.PREMIUM: STRICT}), CATALOGUE.models)
HOUSE = Ceilings(Micros(4_000_000), Micros(400_000), MappingProxyType({"one": Micros(600_000)}))


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a story: how long after the one before, by whom, where, of which model, how dear."""

    after: int
    who: Person
    talk: int
    model: str | None = None
    usage: Usage = USUAL
    fails: bool = False
    """A comparison fails in its first model."""
    stops: bool = False
    """Its member stops it before a word of it is there."""
    models: tuple[str, ...] = ()
    """To be compared, each in a conversation of its own; none: an ordinary question."""


QUESTIONS = st.lists(
    st.builds(
        Question,
        st.sampled_from([5, 40, 3600, 40_000, 100_000]),
        st.sampled_from(PEOPLE),
        st.integers(0, 4),
        st.sampled_from([None, "quick", "spare", "deep"]),
        st.builds(Usage, st.integers(1, 60_000), st.just(0), st.integers(1, 30_000)),
        st.sampled_from([False, False, False, True]),
        stops=st.sampled_from([False, False, False, True]),
    ),
    min_size=5,
    max_size=40,
)


def tell(tx: Tx, desk: Desk, begin: datetime, questions: Sequence[Question], first: int = 0) -> datetime:
    """Ask all of them as the chat does; when it is over."""
    subscribe(tx, begin)
    at = begin
    for number, each in enumerate(questions, first):
        at += timedelta(seconds=each.after)
        ask = Ask(f"local:{number}", each.who, "Hi", (f"talk:{each.talk}",), model=each.model)
        for place, admission in enumerate(let_in(tx, desk, ask, each.models, at)):
            answer(tx, admission, each, at, fails=each.fails and not place)
    return at + timedelta(minutes=1)


def let_in(tx: Tx, desk: Desk, ask: Ask, models: Sequence[str], at: datetime) -> Sequence[Admission]:
    """The turns of a question; none where it is refused."""
    if models:
        found = admit_comparison(tx, desk, ask, models, at)
        return found if isinstance(found, tuple) else ()
    admission = admit(tx, desk, ask, TurnId(f"turn-{ask.key}"), at)
    return (admission,) if isinstance(admission, Admission) else ()


def answer(tx: Tx, admission: Admission, each: Question, at: datetime, *, fails: bool) -> None:
    """Write down what one of its models did."""
    spec = admission.routes[0].spec
    charge = Charge(spec.name, spec.provider, each.usage, cost(spec.price, each.usage))
    text, end = ("", "busy") if fails else ("", "stopped") if each.stops else ("Well.", "end")
    write_down(tx, admission, Settlement(spec.name, text, each.usage, charge.cost, end, at, (charge,)))


def subscribe(tx: Tx, now: datetime) -> None:
    """Carol pays for premium, by the month."""
    sub = Subscription(
        id=SubscriptionId("sub_1"),
        customer=CustomerId("cus_1"),
        mode=Mode.TEST,
        status=PaymentStatus.ACTIVE,
        tier=TierName.PREMIUM,
        price="price_1",
        interval=Interval.MONTH,
        quantity=1,
        created_at=now,
        started_at=now,
        period_end=now + timedelta(days=300),
        cancel_at=None,
    )
    tx.replace_subscriptions(tx.lock_account(CAROL, now).id, Mode.TEST, [sub], now)


async def compared(
    store: Store, rules: Rules, draft: Rules, questions: Sequence[Question], days: int = 60
) -> Comparison:
    """A story under some rules, and what it would have been under others."""
    desk = Desk(rules.catalogue, Mode.TEST, "", "p", rules.markup, ceilings=rules.ceilings)
    end = await store.transact(lambda tx: tell(tx, desk, NOON, questions))
    return await WhatIf(OnlyReads(store), FakeClock(end), Mode.TEST).compare(rules, draft, days)


class OnlyReads:
    """A store that writes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, work: Callable[[Tx], T]) -> T:
        """As it is."""
        return await self._store.read(work)

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Never."""
        raise AssertionError(f"{work} would write")


@given(QUESTIONS, st.sampled_from([Rules(CATALOGUE), Rules(TIGHT, HOUSE)]))
@settings(max_examples=12, deadline=None)
def test_under_the_same_rules_everything_is_as_it_was(questions: list[Question], rules: Rules) -> None:
    async def run() -> tuple[Comparison, int]:
        with TemporaryDirectory() as folder:
            async with await open_store(f"sqlite:///{folder}/chat.db", FakeClock()) as store:
                found = await compared(store, rules, rules, questions)
                rows = await store.read(lambda tx: tx.entries(NOON, found.until))
                return found, sum(row.charge.cost or 0 for row in rows)

    found, ledger = asyncio.run(run())
    assert found.today.whole.cost == ledger
    assert found.draft == found.today
    assert (found.blocked, found.stepped_turns, found.swaps, found.worst) == ((), 0, (), ())


def drafted(tier: TierName = TierName.FREE, **changes: object) -> Rules:
    """The usual rules with other limits in a tier."""
    changed = replace(CATALOGUE.tiers[tier], **changes)  # type: ignore[arg-type]
    return Rules(replace(CATALOGUE, tiers=MappingProxyType({**CATALOGUE.tiers, tier: changed})))


def blocked(found: Comparison) -> dict[RefusalReason, tuple[int, int]]:
    return {each.reason: (each.times, each.members) for each in found.blocked}


MINUTE = 70
THREE_TALKS = [Question(MINUTE, ALICE, talk) for talk in (0, 0, 1, 2, 2)]


async def test_fewer_conversations_a_day_block_those_beyond_with_all_their_turns(hall: Hall) -> None:
    draft = drafted(conversations_per_day=2)
    found = await compared(hall.store, Rules(CATALOGUE), draft, [*THREE_TALKS, Question(MINUTE, BOB, 3)])
    assert blocked(found) == {RefusalReason.CONVERSATIONS: (2, 1)}
    assert (found.today.whole.turns, found.draft.whole.turns) == (6, 4)
    (worst,) = found.worst
    assert (worst.person, worst.blocked, worst.stepped) == (ALICE, 2, 0)


@pytest.mark.parametrize(
    ("limit", "reason", "times"),
    [
        ({"turns_per_conversation": 1}, RefusalReason.TURNS, 2),
        ({"cost_ceiling_month": Micros(6_000)}, RefusalReason.COST, 3),
        ({"classes": frozenset[ModelClass]()}, RefusalReason.MODEL_LOCKED, 5),
        ({"concurrent": 0}, RefusalReason.CONCURRENT, 5),
    ],
)
async def test_each_limit_of_the_draft_blocks(
    hall: Hall, limit: dict[str, object], reason: RefusalReason, times: int
) -> None:
    found = await compared(hall.store, Rules(CATALOGUE), drafted(TierName.FREE, **limit), THREE_TALKS)
    assert blocked(found) == {reason: (times, 1)}


async def test_a_lower_rate_blocks_what_was_asked_within_a_minute(hall: Hall) -> None:
    close = [Question(after, ALICE, 0) for after in (MINUTE, 25, 25, 25)]
    found = await compared(hall.store, Rules(CATALOGUE), drafted(requests_per_minute=1), close)
    assert blocked(found) == {RefusalReason.RATE: (2, 1)}


async def test_a_ceiling_of_the_house_blocks_free_members_by_what_all_have_spent(hall: Hall) -> None:
    draft = replace(Rules(CATALOGUE), ceilings=Ceilings(free_day=Micros(8_000)))
    found = await compared(hall.store, Rules(CATALOGUE), draft, THREE_TALKS)
    (hit,) = found.blocked
    assert (hit.reason, hit.members) == (RefusalReason.FREE_BUDGET, 1)
    assert found.draft.whole.cost < 8_000 < found.today.whole.cost + 8_000


DEEP_TALK = [Question(MINUTE, CAROL, 0, "deep", Usage(100_000, 0, 1000)) for _ in range(4)]


async def test_a_lower_ceiling_steps_down_who_pays_and_blocks_at_the_stop(hall: Hall) -> None:
    step = drafted(TierName.PREMIUM, cost_ceiling_month=Micros(150_000))
    found = await compared(hall.store, Rules(CATALOGUE), step, DEEP_TALK)
    assert (found.blocked, found.stepped_members) == ((), 1)
    assert found.swaps == (("deep", "quick", Swap.CEILING, found.stepped_turns),)
    assert found.stepped_turns == 2
    assert found.draft.models["deep"][0] == 2


async def test_a_stop_blocks_who_pays(hall: Hall) -> None:
    limits = {"cost_ceiling_month": Micros(150_000), "cost_stop_month": Micros(230_000)}
    found = await compared(hall.store, Rules(CATALOGUE), drafted(TierName.PREMIUM, **limits), DEEP_TALK)
    assert blocked(found) == {RefusalReason.COST: (2, 1)}


async def test_other_prices_are_those_of_the_recorded_tokens(hall: Hall) -> None:
    price = Price(3_000_000, 100_000, 9_000_000)
    models = tuple(replace(spec, price=price) if spec == QUICK else spec for spec in CATALOGUE.models)
    draft = Rules(replace(CATALOGUE, models=models))
    found = await compared(hall.store, Rules(CATALOGUE), draft, THREE_TALKS)
    assert found.today.whole.cost == 5 * (1000 + 4 * 100)
    assert found.draft.whole.cost == 5 * (3 * 1000 + 9 * 100)
    assert found.draft.models == {"quick": (5, found.draft.whole.cost)}


async def test_a_model_that_is_gone_or_locked_is_replaced_and_counted(hall: Hall) -> None:
    gone = Rules(replace(CATALOGUE, models=(SPARE, DEEP)))
    talks = [*THREE_TALKS, Question(MINUTE, CAROL, 9, "deep")]
    found = await compared(hall.store, Rules(CATALOGUE), gone, talks)
    assert found.swaps == (("quick", "spare", Swap.GONE, 5),)
    locked = drafted(TierName.PREMIUM, classes=frozenset({ModelClass.EVERYDAY}))
    clock = FakeClock(found.until)
    again = await WhatIf(OnlyReads(hall.store), clock, Mode.TEST).compare(Rules(CATALOGUE), locked, 60)
    assert again.swaps == (("deep", "quick", Swap.LOCKED, 1),)


async def test_revenue_is_what_running_subscriptions_pay_at_the_prices_of_the_draft(hall: Hall) -> None:
    draft = drafted(TierName.PREMIUM, price_month=Micros(12_000_000))
    found = await compared(hall.store, Rules(CATALOGUE), draft, DEEP_TALK, days=15)
    assert found.today.tiers[TierName.PREMIUM].revenue == Fraction(8_990_000, 2)
    assert found.draft.tiers[TierName.PREMIUM].revenue == 6_000_000
    assert found.draft.whole.margin == 6_000_000 - found.draft.whole.cost
    assert found.draft.tiers[TierName.PREMIUM].paying == 1


async def test_pages_may_end_anywhere(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = drafted(conversations_per_day=1)
    whole = await compared(hall.store, Rules(CATALOGUE), draft, THREE_TALKS)
    monkeypatch.setattr("engine.what_if.PAGE", 1)
    what_if = WhatIf(OnlyReads(hall.store), FakeClock(whole.until), Mode.TEST)
    assert await what_if.compare(Rules(CATALOGUE), draft, 60) == whole


async def test_what_came_before_the_days_counts_but_is_not_told(hall: Hall) -> None:
    early = [Question(MINUTE, ALICE, talk) for talk in (0, 1)]
    late = [Question(2 * 86_400, ALICE, 2), Question(MINUTE, ALICE, 3)]
    draft = drafted(cost_ceiling_month=Micros(20_000))
    found = await compared(hall.store, Rules(CATALOGUE), draft, [*early, *late], days=1)
    assert found.today.whole.turns == 2
    assert found.today.whole.cost == 2 * 1400


async def test_what_was_refused_when_it_was_asked_is_told_and_not_asked_again(hall: Hall) -> None:
    found = await compared(
        hall.store, Rules(CATALOGUE), Rules(CATALOGUE), [*THREE_TALKS, Question(MINUTE, ALICE, 9)]
    )
    assert (found.refused, found.today.whole.turns, found.blocked) == (1, 5, ())


async def test_how_far_it_is_is_told_and_at_last_that_it_is_done(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await compared(hall.store, Rules(CATALOGUE), Rules(CATALOGUE), THREE_TALKS)
    monkeypatch.setattr("engine.what_if.PAGE", 2)
    parts: list[float] = []
    what_if = WhatIf(OnlyReads(hall.store), FakeClock(whole.until), Mode.TEST)
    assert await what_if.compare(Rules(CATALOGUE), Rules(CATALOGUE), 60, parts.append) == whole
    assert parts == sorted(parts)
    assert len(parts) == 4
    assert parts[-1] == 1
