"""What a replay has to know: meters, credits, tiers that were given, teams, earlier steps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.admission import Desk
from engine.budget import NO_CEILINGS, Ceilings
from engine.catalogue import Catalogue
from engine.domain import Micros, RefusalReason, Tier, TierName
from engine.facts import CustomerId, Mode, SubscriptionId
from engine.grants import Credit, Grant
from engine.hindsight import Rules, Swap
from engine.ledger import Tx
from engine.models import ModelClass, Usage
from engine.overage import month_start
from engine.terms import Metering
from engine.what_if import Comparison, WhatIf
from storage.store import open_store
from tests.engine.club import TEAM, somebody
from tests.engine.conftest import ALICE, BOB, CATALOGUE, DEEP, FREE, PREMIUM, Hall
from tests.engine.test_metering import subscription
from tests.engine.test_what_if import CAROL, HOUSE, MINUTE, Question, blocked, compared, tell
from tests.fakes.clock import NOON, FakeClock

DAVE = somebody("dave")
"""He has pro, by the meter."""
BEST = replace(DEEP, name="best", vendor_id="best-1", klass=ModelClass.FRONTIER)
EVERY = frozenset(ModelClass)
STEPPING = replace(
    PREMIUM, classes=EVERY, cost_ceiling_month=Micros(900_000), cost_stop_month=Micros(1_500_000)
)
PRO = replace(
    PREMIUM, name=TierName.PRO, rank=2, price_month=Micros(20_000_000), cost_ceiling_month=Micros(300_000)
)
MARKUP = Decimal("1.25")
CENT = Usage(9_900, 0, 25)
"""Costs 10 000 micro-dollars: 9 900 to read, four times 25 to write."""


def rules(*tiers: Tier, markup: Decimal = MARKUP) -> Rules:
    """Free members, and whoever else there is."""
    catalogue = Catalogue(
        {TierName.FREE: FREE, **{each.name: each for each in tiers}}, (*CATALOGUE.models, BEST)
    )
    return Rules(catalogue, NO_CEILINGS, markup)


RICH = rules(STEPPING, PRO)


def give(tx: Tx, now: datetime) -> None:
    """Alice has two credits, Bob premium for a week, Dave a meter up to a dollar."""
    alice, bob, dave = (tx.lock_account(each, now).id for each in (ALICE, BOB, DAVE))
    later = now + timedelta(days=90)
    tx.add_credit(Credit(alice, Mode.TEST, 0, 2, later, now, "op"))
    tx.add_grant(Grant(bob, Mode.TEST, 0, TierName.PREMIUM, now, now + timedelta(days=7), now, "op"))
    own = replace(subscription(), id=SubscriptionId("sub_dave"), customer=CustomerId("cus_dave"))
    tx.replace_subscriptions(dave, Mode.TEST, [own], now)
    tx.save_metering(Metering(dave, Mode.TEST, on=True, cap=Micros(1_000_000), agreed_at=now, person=DAVE))


def billed(tx: Tx, at: datetime) -> int:
    """What is on Dave's meter, at vendors' cost."""
    account = tx.find_account(DAVE)
    assert account
    return tx.usage_cost(account.id, Mode.TEST, month_start(at))


async def told(hall: Hall, draft: Rules, questions: Sequence[Question], today: Rules = RICH) -> Comparison:
    """A story in which something was given, under a draft."""
    await hall.store.transact(lambda tx: give(tx, NOON))
    return await compared(hall.store, today, draft, questions, days=15)


STORIES = st.lists(
    st.builds(
        Question,
        st.sampled_from([5, 70, 70, 3600, 30_000]),
        st.sampled_from([ALICE, ALICE, BOB, CAROL, DAVE, DAVE]),
        st.integers(0, 30),
        st.sampled_from([None, "quick", "deep", "best"]),
        st.builds(Usage, st.integers(1, 300_000), st.just(0), st.integers(1, 9_000)),
        st.sampled_from([False, False, False, True]),
    ),
    min_size=5,
    max_size=40,
)


@given(STORIES, st.sampled_from([NO_CEILINGS, HOUSE]))
@settings(max_examples=12, deadline=None)
def test_under_the_same_rules_what_was_given_or_metered_changes_nothing(
    questions: list[Question], ceilings: Ceilings
) -> None:
    same = replace(RICH, ceilings=ceilings)

    async def run() -> tuple[Comparison, int, int]:
        with TemporaryDirectory() as folder:
            async with await open_store(f"sqlite:///{folder}/chat.db", FakeClock()) as store:
                await store.transact(lambda tx: give(tx, NOON))
                found = await compared(store, same, same, questions, days=15)
                rows = await store.read(lambda tx: tx.entries(NOON, found.until))
                bill = await store.read(lambda tx: billed(tx, NOON))
                return found, sum(row.charge.cost or 0 for row in rows), bill

    found, ledger, bill = asyncio.run(run())
    assert found.draft == found.today
    assert (found.blocked, found.stepped_turns, found.swaps) == ((), 0, ())
    assert found.today.whole.cost == ledger
    assert found.today.tiers[TierName.PRO].revenue == PRO.price_month / 2 + bill * Fraction(MARKUP)


TALKS = [Question(MINUTE, ALICE, talk) for talk in (0, 1, 2, 3, 4)]
"""Three are within the day's limit, two are begun on credits."""


@pytest.mark.parametrize(("limit", "times"), [(3, 0), (2, 1), (0, 3), (4, 0), (None, 0)])
async def test_what_a_credit_paid_for_is_blocked_by_no_daily_limit(
    hall: Hall, limit: int | None, times: int
) -> None:
    tiers = {**RICH.catalogue.tiers, TierName.FREE: replace(FREE, conversations_per_day=limit)}
    draft = replace(RICH, catalogue=replace(RICH.catalogue, tiers=tiers))
    found = await told(hall, draft, TALKS)
    assert found.today.whole.turns == 5
    assert blocked(found) == ({RefusalReason.CONVERSATIONS: (times, 1)} if times else {})


async def test_a_credit_that_the_draft_does_not_need_leaves_later_conversations_to_its_limit(
    hall: Hall,
) -> None:
    today = rules(PREMIUM)
    free = replace(FREE, conversations_per_day=4)
    draft = replace(
        today, catalogue=replace(today.catalogue, tiers={**today.catalogue.tiers, TierName.FREE: free})
    )
    found = await told(hall, draft, TALKS, today)
    assert found.blocked == ()


async def test_who_was_given_a_tier_is_judged_by_it_and_brings_nothing_in(hall: Hall) -> None:
    talks = [Question(MINUTE, who, talk, "deep", CENT) for talk, who in enumerate((BOB, BOB, CAROL))]
    stricter = replace(STEPPING, classes=frozenset({ModelClass.EVERYDAY}), price_month=Micros(10_000_000))
    found = await told(hall, rules(stricter, PRO), talks)
    premium = found.draft.tiers[TierName.PREMIUM]
    assert (premium.members, premium.paying, premium.turns, premium.revenue) == (2, 1, 3, Fraction(5_000_000))
    assert found.swaps == (("deep", "quick", Swap.LOCKED, 3),)


METERED = [Question(MINUTE, DAVE, 0, "deep", Usage(99_000, 0, 250)) for _ in range(6)]
"""A tenth of a dollar each: three are included, three go onto the bill."""


@pytest.mark.parametrize(
    ("changes", "markup", "metered"),
    [
        ({}, "1.25", 300_000 * Fraction(5, 4)),
        ({}, "2", 300_000 * 2),
        ({"cost_ceiling_month": Micros(100_000)}, "1.25", 500_000 * Fraction(5, 4)),
        ({"cost_ceiling_month": Micros(600_000)}, "1.25", 0),
        ({"cost_ceiling_month": None}, "1.25", 0),
    ],
)
async def test_metered_use_is_sold_beyond_what_the_draft_includes(
    hall: Hall, changes: dict[str, object], markup: str, metered: Fraction | int
) -> None:
    pro = replace(PRO, **changes)  # type: ignore[arg-type]
    found = await told(hall, rules(STEPPING, pro, markup=Decimal(markup)), METERED)
    assert found.today.tiers[TierName.PRO].revenue == PRO.price_month / 2 + 300_000 * Fraction(MARKUP)
    assert found.draft.tiers[TierName.PRO].revenue == PRO.price_month / 2 + metered
    assert found.blocked == ()


async def test_the_meter_goes_no_further_than_its_cap_and_then_cheaper_models_answer(hall: Hall) -> None:
    pro = replace(PRO, cost_ceiling_month=Micros(0))
    dear = rules(STEPPING, pro, markup=Decimal(4))
    found = await told(hall, dear, METERED)
    assert found.stepped_turns >= 3
    assert found.draft.tiers[TierName.PRO].revenue <= PRO.price_month / 2 + 1_000_000


def seated(tx: Tx, now: datetime) -> None:
    """Alice owns a team in which Bob has a seat."""
    alice, bob = (tx.lock_account(each, now).id for each in (ALICE, BOB))
    sub = replace(
        subscription(), tier=TierName.TEAM, quantity=3, metered_item=None, id=SubscriptionId("sub_team")
    )
    tx.replace_subscriptions(alice, Mode.TEST, [sub], now)
    tx.lock_team(alice, Mode.TEST)
    assert tx.seat(bob, alice, Mode.TEST, now)


async def again(
    hall: Hall, today: Rules, draft: Rules, questions: Sequence[Question], begin: datetime
) -> Comparison:
    """The story goes on, under a draft."""
    desk = Desk(today.catalogue, Mode.TEST, "", "p", today.markup)
    end = await hall.store.transact(lambda tx: tell(tx, desk, begin, questions, 50))
    return await WhatIf(hall.store, FakeClock(end + timedelta(hours=1)), Mode.TEST).compare(today, draft, 15)


async def test_a_team_pays_for_its_seats_together_and_not_for_what_its_owner_used_before(hall: Hall) -> None:
    team = replace(TEAM, cost_ceiling_month=Micros(600_000))
    today, alone = rules(PREMIUM, team), [Question(MINUTE, ALICE, 0, "quick", Usage(200_000, 0, 0))]
    free = await compared(hall.store, today, today, alone)
    assert free.today.tiers[TierName.FREE].cost == 200_000
    begun = free.until
    await hall.store.transact(lambda tx: seated(tx, begun))
    seats = [Question(MINUTE, who, 1, "deep", Usage(90_000, 0, 0)) for who in (ALICE, BOB) * 2]
    found = await again(hall, today, today, seats, begun)
    assert (found.blocked, found.today.tiers[TierName.TEAM].cost) == ((), 360_000)
    draft = rules(
        PREMIUM, replace(team, cost_ceiling_month=Micros(181_000), classes=frozenset({ModelClass.STRONG}))
    )
    found = await again(hall, today, draft, [], begun)
    assert blocked(found) == {RefusalReason.TEAM_COST: (2, 2)}


async def test_who_was_stepped_down_before_keeps_the_cheaper_model(hall: Hall) -> None:
    usual = [Question(MINUTE, CAROL, 0, "best", Usage(300_000, 0, 0)) for _ in range(4)]
    found = await told(hall, RICH, usual)
    assert found.today.models["deep"][0] == 1
    assert (found.swaps, found.draft) == ((), found.today)
