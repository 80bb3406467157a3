"""Recurring revenue of real subscriptions: a reference set, and movements that add up whatever happened.

Shown elsewhere: prices and discounts one by one (tests/billing/test_monthly.py), the figures of what was sold
(tests/money/test_figures.py), and churn by its definition (tests/engine/test_reports.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from fractions import Fraction

import pytest

from bot.console.report import plain
from engine.catalogue import Catalogue
from engine.domain import Interval, Person, TierName
from engine.facts import Mode
from engine.reports import Reports, Revenue, last_days
from engine.terms import Policy
from tests.billing.conftest import TIERS
from tests.fakes.stripe.wire import Json, StripeError
from tests.money import oracle
from tests.money.conftest import Till
from tests.money.scenarios.people import account, buys, customer, member, mrr

DAYS = 400
OPERATIONS = {"sqlite": 500, "postgresql": 150}
"""The sums are the same code; the second database shows that it keeps fractions too."""
Deed = Callable[[Till, str], object]


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Policy:
    """With promotion codes, and a trial where a test is about one."""
    return Policy(promotion_codes=True, trial_days=7 if "trial" in request.node.name else 0)


async def revenue(till: Till) -> Revenue:
    """In US dollars, as the operator is shown it."""
    reports = Reports(till.store, till.clock, Catalogue(TIERS, ()), Mode.TEST)
    stats = await reports.get_subscription_stats(*last_days(DAYS, till.clock.now()))
    (only,) = stats.revenues
    return only


def cents(amount: Fraction | int) -> Fraction:
    """Micro-dollars."""
    return Fraction(amount) * 10_000


MONTH, YEAR = Interval.MONTH, Interval.YEAR
PREMIUM, TEAM, PRO = TierName.PREMIUM, TierName.TEAM, TierName.PRO
NOTHING: Deed = lambda _till, _name: None  # noqa: E731
REFERENCE: Sequence[tuple[TierName, Interval, str | None, Deed, Fraction]] = (
    (PREMIUM, MONTH, None, NOTHING, cents(899)),
    (PREMIUM, YEAR, None, NOTHING, cents(Fraction(8900, 12))),
    (TEAM, MONTH, None, NOTHING, cents(2999)),
    (TEAM, YEAR, None, NOTHING, cents(Fraction(29900, 12))),
    (PRO, YEAR, None, NOTHING, cents(Fraction(49900, 12))),
    (TEAM, MONTH, None, lambda till, name: till.stripe.drive.bill_seats(name, 8), cents(2999 + 3 * 500)),
    (PREMIUM, MONTH, "HALF", NOTHING, cents(Fraction(899, 2))),
    (PREMIUM, YEAR, "ONCE", NOTHING, cents(Fraction(8900, 12))),
    (PREMIUM, MONTH, "THREE", NOTHING, cents(899 - 300)),
    (PREMIUM, MONTH, None, lambda till, name: till.stripe.drive.fail_renewal(name), cents(899)),
    (PREMIUM, MONTH, None, lambda till, name: till.stripe.drive.cancel_subscription(name), cents(0)),
    (
        PREMIUM,
        MONTH,
        None,
        lambda till, name: till.stripe.drive.cancel_subscription(name, at_period_end=True),
        cents(899),
    ),
    (PREMIUM, MONTH, None, lambda till, name: till.stripe.drive.mark_unpaid(name), cents(0)),
    (PREMIUM, MONTH, None, lambda till, name: till.stripe.drive.pause(name), cents(0)),
    (PREMIUM, MONTH, None, lambda till, name: till.stripe.drive.pause_collection(name, "void"), cents(0)),
    (
        PREMIUM,
        MONTH,
        None,
        lambda till, name: till.stripe.drive.pause_collection(name, "keep_as_draft"),
        cents(899),
    ),
)


async def test_each_subscription_brings_what_its_member_pays_a_month(till: Till) -> None:
    drive = till.stripe.drive
    drive.promotion_code(drive.coupon("forever", percent_off=50)["id"], "HALF")
    drive.promotion_code(drive.coupon("once", percent_off=100)["id"], "ONCE")
    drive.promotion_code(drive.coupon("repeating", amount_off=300, duration_in_months=3)["id"], "THREE")
    for number, (tier, interval, code, deed, _) in enumerate(REFERENCE):
        deed(till, await buys(till, member(str(number)), tier, interval, code))
    await till.settle()
    for number, (*_, expected) in enumerate(REFERENCE):
        assert await mrr(till, member(str(number))) == expected, number
    found = await revenue(till)
    assert found.mrr == sum((expected for *_, expected in REFERENCE), Fraction(0))
    assert plain(found.mrr) == "202.76"
    assert [plain(each) for each in (found.committed, found.at_risk)] == ["193.77", "8.99"]
    assert found.unrecorded == 0


async def test_a_discount_of_some_months_and_a_grace_come_to_their_end(till: Till) -> None:
    drive = till.stripe.drive
    drive.promotion_code(drive.coupon("repeating", amount_off=300, duration_in_months=3)["id"], "THREE")
    alice, bob = member("alice"), member("bob")
    await buys(till, alice, code="THREE")
    late = await buys(till, bob)
    drive.fail_renewal(late)
    await till.settle()
    assert [await mrr(till, each) for each in (alice, bob)] == [cents(599), cents(899)]
    drive.dunning_ends_with("past_due")
    till.clock.advance(timedelta(days=14, minutes=1))
    await till.settle()
    assert [await mrr(till, each) for each in (alice, bob)] == [cents(599), cents(0)]
    for _ in range(3):
        await till.pass_time(timedelta(days=32))
    assert await mrr(till, alice) == cents(899)


async def test_a_trial_will_bring_its_price_though_its_first_payment_is_a_gift(till: Till) -> None:
    till.stripe.drive.promotion_code(till.stripe.drive.coupon("once", percent_off=100)["id"], "ONCE")
    await buys(till, member("alice"), code="ONCE")
    found = await revenue(till)
    assert [int(each) for each in (found.mrr, found.pipeline)] == [0, 8_990_000]


async def test_movements_are_the_revenue_after_hundreds_of_random_events(
    till: Till, database_url: str
) -> None:
    dice, began = random.Random(500), till.clock.now()
    people = [member(str(number)) for number in range(8)]
    for person in people:
        await buys(till, person)
    till.stripe.courier.stop()
    left = OPERATIONS[database_url.partition(":")[0]]
    while left > 0:
        batch = min(left, dice.randrange(20, 60))
        left -= batch
        for _ in range(batch):
            happens(till, dice, [await customer(till, person) for person in people])
        till.clock.advance(timedelta(hours=dice.randrange(1, 60)))
        till.stripe.drive.advance(0)
        for person in people:
            await till.subscriptions.sync(await customer(till, person))
        await agrees(till, people)
    middle = began + (till.clock.now() - began) / 2
    reports = Reports(till.store, till.clock, Catalogue(TIERS, ()), Mode.TEST)
    for span in ((began, middle), last_days(DAYS, till.clock.now())):
        (part,) = (await reports.get_subscription_stats(*span)).revenues
        assert part.closing - part.opening == sum(each.total for each in part.movements)
        assert part.unrecorded == 0


def happens(till: Till, dice: random.Random, customers: Sequence[str]) -> None:
    """Something random happens to a subscription, or somebody without one gets one; if Stripe lets it."""
    drive, prices = till.stripe.drive, sorted(till.stripe.prices.values())
    deeds: tuple[Callable[[str], Json], ...] = (
        drive.cancel_subscription,
        lambda name: drive.cancel_subscription(name, at_period_end=True),
        *(drive.resume_subscription,) * 3,
        drive.fail_renewal,
        *(drive.recover,) * 3,
        drive.give_up,
        drive.pause,
        drive.unpause,
        lambda name: drive.pause_collection(name, dice.choice(("void", "", "keep_as_draft"))),
        *(lambda name: drive.change_price(name, dice.choice(prices), dice.choice((1, 5, 7))),) * 8,
    )
    wanted = dice.choice(customers)
    live = [
        row["id"]
        for row in till.stripe.world.rows("subscription")
        if row["customer"] == wanted and row["status"] not in {"canceled", "incomplete_expired"}
    ]
    try:
        if live:
            dice.choice(deeds)(live[0])
        else:
            drive.add_subscription(wanted, dice.choice(prices))
    except StripeError:
        return


async def agrees(till: Till, people: Sequence[Person]) -> None:
    """The books of each account, and of all together, are what Stripe's own objects come to."""
    due = [oracle.due(till.stripe.world, await account(till, person)).mrr for person in people]
    assert [await mrr(till, person) for person in people] == due
    assert (await revenue(till)).mrr == sum(due, Fraction(0))
