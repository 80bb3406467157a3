"""The smaller rules of a replay: what failed, what a credit paid for, and what is on no meter's bill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from engine.domain import Micros, RefusalReason, TierName
from engine.facts import CustomerId, Mode, PaymentStatus, SubscriptionId
from engine.grants import Grant
from engine.hindsight import Rules
from engine.ledger import Tx
from engine.models import Usage
from engine.terms import Metering
from engine.what_if import Comparison, WhatIf
from tests.engine.conftest import ALICE, CATALOGUE, FREE, PREMIUM, Hall
from tests.engine.test_metering import subscription
from tests.engine.test_replay import DAVE, MARKUP, PRO, RICH, STEPPING, TALKS, again, billed, give, rules
from tests.engine.test_what_if import MINUTE, Question, blocked, compared, drafted
from tests.fakes.clock import NOON, FakeClock

TENTH = Usage(99_000, 0, 250)
"""Costs a tenth of a dollar: pro includes three of them."""


def asks(times: int, *, fails: bool = False, usage: Usage = TENTH) -> list[Question]:
    """Dave asks the dearer model again and again."""
    return [Question(MINUTE, DAVE, 0, "deep", usage, fails) for _ in range(times)]


async def unchanged(
    hall: Hall,
    questions: Sequence[Question],
    today: Rules = RICH,
    given: Callable[[Tx, datetime], None] = give,
) -> tuple[Comparison, int]:
    """A story under the rules under which it was told, which changes nothing; what is on Dave's meter."""
    await hall.store.transact(lambda tx: given(tx, NOON))
    found = await compared(hall.store, today, today, questions, days=15)
    assert found.draft == found.today
    assert (found.blocked, found.stepped_turns, found.swaps) == ((), 0, ())
    bill = await hall.store.read(lambda tx: billed(tx, NOON))
    pro = found.today.tiers[TierName.PRO]
    assert pro.revenue == pro.paying * PRO.price_month / 2 + bill * Fraction(MARKUP)
    return found, bill


async def test_a_failed_question_was_let_in_on_a_credit_that_its_conversation_did_not_need_later(
    hall: Hall,
) -> None:
    failed, later = Question(MINUTE, ALICE, 3, fails=True), Question(2 * 86_400, ALICE, 3)
    found, _ = await unchanged(hall, [*TALKS[:3], failed, later])
    assert found.today.whole.turns == 4


async def test_a_failed_question_does_not_use_up_the_day(hall: Hall) -> None:
    failed = [Question(MINUTE, ALICE, talk, fails=True) for talk in (7, 8)]
    found = await compared(hall.store, RICH, RICH, [*failed, *TALKS[:3]])
    assert (found.today.whole.turns, found.blocked) == (3, ())


@pytest.mark.parametrize(
    ("first", "times"),
    [(Question(MINUTE, ALICE, 0, stops=True), 1), (Question(MINUTE, ALICE, 0, fails=True), 0)],
)
async def test_a_question_that_its_member_stopped_counts_for_the_rate_and_a_failed_one_does_not(
    hall: Hall, first: Question, times: int
) -> None:
    close = [first, Question(25, ALICE, 0), Question(90, ALICE, 0)]
    once = drafted(requests_per_minute=1)
    asked = await compared(hall.store, Rules(CATALOGUE), once, close)
    assert blocked(asked) == ({RefusalReason.RATE: (1, 1)} if times else {})
    assert asked.today.whole.turns == 2


async def test_a_stopped_question_is_replayed_as_the_chat_counted_it(hall: Hall) -> None:
    once = drafted(requests_per_minute=1)
    close = [Question(MINUTE, ALICE, 0, stops=True), Question(25, ALICE, 0), Question(40, ALICE, 0)]
    found = await compared(hall.store, once, once, close)
    assert (found.refused, found.today.whole.turns, found.blocked) == (1, 1, ())


async def test_a_failed_answer_of_a_comparison_does_not_use_up_the_day(hall: Hall) -> None:
    comparing = rules(STEPPING, PRO)
    free = replace(FREE, compare=2)
    today = replace(
        comparing,
        catalogue=replace(comparing.catalogue, tiers={**comparing.catalogue.tiers, TierName.FREE: free}),
    )
    both = Question(MINUTE, ALICE, 9, fails=True, models=("quick", "spare"))
    found = await compared(hall.store, today, today, [both, *TALKS[:2]])
    assert (found.today.whole.turns, found.blocked) == (3, ())
    assert found.today.models["spare"][0] == 1


async def test_a_conversation_on_a_credit_does_not_use_up_the_day(hall: Hall) -> None:
    await hall.store.transact(lambda tx: give(tx, NOON))
    today = rules(replace(PREMIUM, conversations_per_day=4), PRO)
    first = await compared(hall.store, today, today, TALKS)
    assert first.today.tiers[TierName.FREE].turns == 5
    await hall.store.transact(lambda tx: grant(tx, first.until))
    found = await again(hall, today, today, [Question(MINUTE, ALICE, 7)], first.until)
    assert found.today.tiers[TierName.PREMIUM].turns == 1
    assert found.blocked == ()


def grant(tx: Tx, now: datetime) -> None:
    """Alice is given premium."""
    alice = tx.lock_account(ALICE, now).id
    tx.add_grant(Grant(alice, Mode.TEST, 0, TierName.PREMIUM, now, now + timedelta(days=7), now, "op"))


async def test_what_the_cap_does_not_cover_goes_onto_no_bill(hall: Hall) -> None:
    nearly = Usage(97_000, 0, 250)
    found, bill = await unchanged(hall, [*asks(10), *asks(1, usage=nearly), *asks(2)])
    assert found.today.models["quick"][0] == 2
    assert bill == 798_000


async def test_what_a_lost_answer_cost_uses_up_nothing_that_is_included(hall: Hall) -> None:
    _, bill = await unchanged(hall, [*asks(2), *asks(1, fails=True), *asks(2)])
    assert bill == 100_000


async def test_what_a_lost_answer_cost_beyond_the_included_leaves_less_of_the_cap(hall: Hall) -> None:
    found, bill = await unchanged(hall, [*asks(4), *asks(6, fails=True), *asks(3)])
    assert found.today.models["quick"][0] == 2
    assert bill == 200_000


def given_pro(tx: Tx, now: datetime) -> None:
    """Dave agreed to the meter while he paid for pro; now it is given to him."""
    dave = tx.lock_account(DAVE, now).id
    own = replace(
        subscription(),
        id=SubscriptionId("sub_dave"),
        customer=CustomerId("cus_dave"),
        started_at=now - timedelta(days=40),
        created_at=now - timedelta(days=40),
        ended_at=now - timedelta(days=1),
        status=PaymentStatus.CANCELED,
    )
    tx.replace_subscriptions(dave, Mode.TEST, [own], now)
    agreed = now - timedelta(days=30)
    tx.save_metering(Metering(dave, Mode.TEST, on=True, cap=Micros(1_000_000), agreed_at=agreed, person=DAVE))
    tx.add_grant(Grant(dave, Mode.TEST, 0, TierName.PRO, now, now + timedelta(days=20), now, "op"))


async def test_use_of_a_given_tier_is_on_no_bill(hall: Hall) -> None:
    found, bill = await unchanged(hall, asks(6), given=given_pro)
    pro = found.today.tiers[TierName.PRO]
    assert (pro.members, pro.paying, pro.revenue, bill) == (1, 0, Fraction(0), 0)
    assert pro.cost > PRO.cost_ceiling_month  # type: ignore[operator]


@pytest.mark.parametrize("changes", [{"on": False}, {"cap": Micros(900_000)}])
async def test_a_word_on_the_meter_that_is_changed_later_changes_nothing_of_what_was(
    hall: Hall, changes: dict[str, object]
) -> None:
    await unchanged(hall, asks(6))

    def change(tx: Tx, now: datetime) -> None:
        account = tx.lock_account(DAVE, now).id
        said = tx.metering(account, Mode.TEST)
        assert said
        tx.save_metering(replace(said, agreed_at=now, **changes))  # type: ignore[arg-type]

    later = NOON + timedelta(hours=1)
    await hall.store.transact(lambda tx: change(tx, later))
    found = await WhatIf(hall.store, FakeClock(later), Mode.TEST).compare(RICH, RICH, 15)
    assert found.draft == found.today
    assert found.stepped_turns == 0
    assert found.today.tiers[TierName.PRO].revenue == PRO.price_month / 2 + 300_000 * Fraction(MARKUP)
