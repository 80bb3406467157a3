"""A team follows its owner's subscription at Stripe: fewer seats, a declined card, a dispute, the end."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from engine.checkout import Checkout, CheckoutLink
from engine.domain import Interval, Person, Platform, TierName
from engine.facts import AccessReason
from engine.members import Members
from engine.notices import NoticeKind
from engine.reports import Reports, last_days
from engine.teams import Invited, Roster, Teams
from engine.terms import ChangeKind, Timing
from tests.engine.conftest import ALICE
from tests.money.conftest import LINKS, Till
from tests.money.scenarios.book import book_of
from tests.money.scenarios.test_changing_seats_and_ends import CATALOGUE, bought, changed, licensed
from tests.money.scenarios.test_changing_seats_and_ends import till as till  # noqa: PLC0414 - a fixture

GUESTS = [Person(Platform.LOCAL, "", f"guest-{number}") for number in range(7)]
FIRST, LAST = GUESTS[0], GUESTS[-1]
"""The fifth of them is the last one within six seats."""


async def seated(till: Till, guests: list[Person]) -> None:
    """Let these join Alice's team."""
    teams = Teams(till.store, till.clock, CATALOGUE, till.subscriptions.mode)
    for guest in guests:
        invited = await teams.invite(ALICE)
        assert isinstance(invited, Invited)
        assert isinstance(await teams.join(guest, invited.code), Roster)


async def standing(till: Till, person: Person = FIRST) -> AccessReason:
    """Why somebody has the tier that they have."""
    members = Members(till.store, till.clock, CATALOGUE, till.subscriptions.mode)
    return (await members.overview(person)).access.reason


@pytest.fixture
async def name(till: Till) -> str:
    """Alice's team of eight seats, all of them taken."""
    name = await bought(till, TierName.TEAM, Interval.MONTH)
    await changed(till, ChangeKind.SEATS, seats=8)
    await seated(till, GUESTS)
    return name


async def test_fewer_seats_leave_those_out_who_joined_last_when_the_period_ends(
    till: Till, name: str
) -> None:
    assert await changed(till, ChangeKind.SEATS, seats=6) is Timing.PERIOD_END
    assert await standing(till, LAST) is AccessReason.SEAT
    end = licensed(till, name)["current_period_end"]
    await till.pass_time(datetime.fromtimestamp(end + 3600, UTC) - till.clock.now())
    reasons = [await standing(till, guest) for guest in GUESTS]
    assert reasons == [AccessReason.SEAT] * 5 + [AccessReason.SEAT_WAITING] * 2
    assert await changed(till, ChangeKind.SEATS, seats=7) is Timing.NOW
    assert await standing(till, GUESTS[5]) is AccessReason.SEAT


async def test_the_end_of_the_subscription_is_the_end_of_every_seat(till: Till, name: str) -> None:
    till.stripe.drive.cancel_subscription(name)
    await till.settle()
    assert [await standing(till, guest) for guest in GUESTS] == [AccessReason.SEAT_ENDED] * 7
    assert (await book_of(till.store, FIRST)).told == [NoticeKind.TEAM_ENDED]
    assert await bought(till, TierName.TEAM, Interval.MONTH)
    assert await standing(till) is AccessReason.SEAT
    assert (await book_of(till.store, FIRST)).told == [NoticeKind.TEAM_ENDED, NoticeKind.TEAM_CHANGED]


async def test_seats_end_on_the_day_of_a_cancellation_without_any_event(till: Till, name: str) -> None:
    till.stripe.drive.cancel_subscription(name, at_period_end=True)
    await till.settle()
    assert await standing(till) is AccessReason.SEAT
    till.clock.set(datetime.fromtimestamp(licensed(till, name)["current_period_end"], UTC))
    assert await standing(till) is AccessReason.SEAT_ENDED


async def test_a_failed_payment_leaves_the_seats_for_the_grace_and_a_dispute_takes_them(
    till: Till, name: str
) -> None:
    till.stripe.drive.fail_renewal(name)
    await till.settle()
    assert await standing(till) is AccessReason.SEAT
    till.stripe.drive.dispute(till.stripe.drive.charge_of(name)["id"])
    await till.settle()
    assert await standing(till) is AccessReason.SEAT_ENDED


async def test_a_downgrade_ends_the_seats_when_it_happens(till: Till, name: str) -> None:
    assert await changed(till, tier=TierName.PREMIUM) is Timing.PERIOD_END
    end = licensed(till, name)["current_period_end"]
    await till.pass_time(datetime.fromtimestamp(end + 3600, UTC) - till.clock.now())
    assert await standing(till) is AccessReason.SEAT_ENDED
    assert await standing(till, ALICE) is AccessReason.ACTIVE


async def test_a_member_buys_a_plan_of_their_own_and_the_revenue_counts_each_once(
    till: Till, name: str
) -> None:
    assert name
    checkout = Checkout(till.store, till.clock, till.gateway, CATALOGUE, till.subscriptions, LINKS)
    assert isinstance(await checkout.upgrade(FIRST, TierName.PRO, Interval.MONTH), CheckoutLink)
    till.stripe.drive.pay(till.session())
    await till.settle()
    assert await standing(till) is AccessReason.ACTIVE
    reports = Reports(till.store, till.clock, CATALOGUE, till.subscriptions.mode)
    stats = await reports.get_subscription_stats(*last_days(30, till.clock.now()))
    (dollars,) = stats.revenues
    assert (dollars.paying, dollars.unrecorded) == (2, Fraction(0))
    assert dollars.mrr == Fraction(29_990_000 + 3 * 5_000_000 + 49_990_000)
    assert (stats.tiers[TierName.TEAM], stats.tiers[TierName.PRO]) == (7, 1)


async def test_an_owner_who_changes_to_a_tier_without_seats_ends_every_seat_and_its_people_are_told_so(
    till: Till,
) -> None:
    await bought(till, TierName.TEAM, Interval.MONTH)
    await seated(till, GUESTS[:1])
    assert await changed(till, tier=TierName.PRO) is Timing.NOW
    assert await standing(till) is AccessReason.SEAT_ENDED
    assert (await book_of(till.store, FIRST)).told == [NoticeKind.TEAM_ENDED]


async def test_people_without_seats_hear_nothing_of_what_the_owner_buys_for_themselves(till: Till) -> None:
    name = await bought(till, TierName.TEAM, Interval.MONTH)
    await seated(till, GUESTS[:1])
    till.stripe.drive.cancel_subscription(name)
    await till.settle()
    await bought(till, TierName.PREMIUM, Interval.MONTH)
    assert (await book_of(till.store, FIRST)).told == [NoticeKind.TEAM_ENDED]
