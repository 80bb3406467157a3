"""A renewal that the card declines, on the clock: Stripe tries for two weeks, and so long the tier stays.

The grace is reckoned from Stripe's own fact, so that neither a later event nor a late reading moves its end.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.domain import TierName
from engine.facts import AccessReason
from engine.figures import MovementKind
from engine.notices import NoticeKind
from tests.engine.conftest import ALICE
from tests.money.conftest import Till
from tests.money.scenarios.book import book_of
from tests.money.scenarios.people import customer, subscription

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CALLS = [
    NoticeKind.PAYMENT_FAILED,
    NoticeKind.PAYMENT_REMINDER,
    NoticeKind.PAYMENT_REMINDER,
    NoticeKind.PAYMENT_LAST_CALL,
]


async def declined(till: Till) -> datetime:
    """Let Alice's renewal fall due with a card that declines; when it did."""
    name = await till.paid()
    till.stripe.drive.dunning_ends_with("past_due")
    till.stripe.drive.refuse_cards(await customer(till, ALICE))
    (known,) = await till.facts()
    assert known.period_end
    await till.pass_time(known.period_end - till.clock.now())
    assert subscription(till, name)["status"] == "past_due"
    return known.period_end


async def days_pass(till: Till, since: datetime, days: int) -> None:
    """Live through the days one by one, until an hour before the last is over."""
    while till.clock.now() + DAY < since + days * DAY:
        await till.pass_time(DAY)
    await till.pass_time(since + days * DAY - HOUR - till.clock.now())


@pytest.mark.parametrize("heard", [True, False], ids=["with-events", "without"])
async def test_the_tier_stays_for_fourteen_days_whatever_is_heard(till: Till, *, heard: bool) -> None:
    since = await declined(till)
    if not heard:
        till.stripe.courier.stop()
    readings = till.stripe.count("GET /v1/subscriptions")
    await days_pass(till, since, 14)
    assert await till.tier() is TierName.PREMIUM
    await till.pass_time(HOUR)
    assert (await till.subscriptions.access(ALICE)).reason is AccessReason.GRACE_OVER
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert book.told == [NoticeKind.ACTIVATED, *CALLS, NoticeKind.ENDED]
    assert {each.until for each in book.notices[1:5]} == {since + 14 * DAY}
    assert book.moved == [MovementKind.NEW, MovementKind.CHURN]
    assert not book.movements[-1].voluntary
    tried = till.stripe.world.rows("invoice")[0]["attempt_count"]
    assert tried > 5
    assert (till.stripe.count("GET /v1/subscriptions") > readings) is heard


async def test_a_card_that_works_again_on_the_last_day_leaves_everything_as_it_was(till: Till) -> None:
    since = await declined(till)
    await days_pass(till, since, 13)
    (name,) = (each.id for each in await till.facts())
    till.stripe.drive.recover(name)
    await till.settle()
    await till.pass_time(5 * DAY)
    assert await till.tier() is TierName.PREMIUM
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert (book.tiers, book.moved) == ([TierName.PREMIUM], [MovementKind.NEW])
    assert book.told == [NoticeKind.ACTIVATED, *CALLS[:3], NoticeKind.RENEWED]


async def test_a_payment_after_the_grace_gives_the_tier_back(till: Till) -> None:
    since = await declined(till)
    await days_pass(till, since, 16)
    assert await till.tier() is TierName.FREE
    (name,) = (each.id for each in await till.facts())
    till.stripe.drive.recover(name)
    await till.settle()
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert book.tiers == [TierName.PREMIUM, TierName.FREE, TierName.PREMIUM]
    assert book.moved == [MovementKind.NEW, MovementKind.CHURN, MovementKind.REACTIVATION]


async def test_a_process_that_slept_through_the_grace_tells_only_that_it_is_over(till: Till) -> None:
    since = await declined(till)
    till.stripe.courier.stop()
    await till.pass_time(since + 20 * DAY - till.clock.now())
    assert (await book_of(till.store)).told == [
        NoticeKind.ACTIVATED,
        NoticeKind.PAYMENT_FAILED,
        NoticeKind.ENDED,
    ]


async def test_the_news_of_a_failure_that_comes_late_leaves_so_much_less_of_the_grace(till: Till) -> None:
    name = await till.paid()
    till.stripe.courier.stop()
    till.stripe.drive.dunning_ends_with("past_due")
    till.stripe.drive.fail_renewal(name)
    failed = till.clock.now()
    await till.pass_time(9 * DAY)
    till.stripe.courier.redeliver_lost(shuffle=True)
    await till.settle()
    assert (await till.subscriptions.access(ALICE)).until == failed + 14 * DAY
    assert (await book_of(till.store)).told == [NoticeKind.ACTIVATED, NoticeKind.PAYMENT_REMINDER]
