"""Seats outlive every change, and a cancellation is for the end of what is paid, also with two intervals.

What a change costs and how it is confirmed: tests/engine/test_changes.py, tests/billing/test_gateway_*.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.news import notice
from engine.catalogue import Catalogue
from engine.changes import Changes, Confirmed, Proposed
from engine.checkout import Checkout, CheckoutLink
from engine.domain import Interval, Micros, TierName
from engine.metering import Meter, MeteringStatus
from engine.notices import NoticeKind
from engine.terms import ChangeKind, ChangeState, Policy, Timing
from tests.billing.conftest import TIERS
from tests.engine.conftest import ALICE
from tests.fakes.stripe.wire import Json
from tests.money.conftest import LINKS, Till
from tests.money.scenarios.book import book_of
from tests.money.scenarios.people import subscription

SEATED = replace(
    TIERS[TierName.TEAM],
    seats=5,
    extra_seat_month=Micros(5_000_000),
    extra_seat_year=Micros(50_000_000),
)
METERED = replace(TIERS[TierName.PRO], cost_ceiling_month=Micros(30_000_000))
CATALOGUE = Catalogue({**TIERS, TierName.TEAM: SEATED, TierName.PRO: METERED}, ())
CHANGING = "POST /v1/subscriptions/{subscription_exposed_id}"


@pytest.fixture
def policy() -> Policy:
    """A dollar of vendor cost costs 1.25."""
    return Policy(metered_markup=Decimal("1.25"))


@pytest.fixture
async def till(till: Till, policy: Policy) -> Till:
    """A till that sells seats and metered use."""
    till.stripe.prices |= till.stripe.drive.stock({}, usage_cents="0.125")
    parts = (till.store, till.clock, till.gateway, CATALOGUE, till.subscriptions)
    till.checkout = Checkout(*parts, LINKS, policy)
    till.alter = Changes(*parts, till.dispatch.flush)
    till.meter = Meter(*parts, policy)
    return till


async def bought(till: Till, tier: TierName, interval: Interval) -> str:
    """Alice's subscription."""
    assert isinstance(await till.checkout.upgrade(ALICE, tier, interval), CheckoutLink)
    name = till.stripe.drive.pay(till.session())["subscription"]
    await till.settle()
    return str(name)


async def changed(
    till: Till,
    kind: ChangeKind = ChangeKind.SWITCH,
    tier: TierName | None = None,
    interval: Interval | None = None,
    seats: int | None = None,
) -> Timing:
    """Propose, confirm and settle a change; when it takes effect."""
    found = await till.alter.propose(ALICE, kind, tier, interval, seats)
    assert isinstance(found, Proposed), found
    outcome = await till.alter.confirm(ALICE, found.proposal.id)
    assert isinstance(outcome, Confirmed)
    assert outcome.result.state in {ChangeState.DONE, ChangeState.PLANNED}
    await till.settle()
    return found.proposal.preview.timing


def licensed(till: Till, name: str) -> Json:
    """The item that is paid for in advance."""
    items: list[Json] = subscription(till, name)["items"]["data"]
    return next(item for item in items if item["price"]["recurring"]["usage_type"] == "licensed")


def changes_sent(till: Till) -> list[Json]:
    """Every change of a subscription that reached Stripe, as its form."""
    return [seen.form for seen in till.stripe.log if seen.route == CHANGING]


async def test_seats_stay_through_a_year_and_back(till: Till) -> None:
    name = await bought(till, TierName.TEAM, Interval.MONTH)
    assert licensed(till, name)["quantity"] == 5
    assert await changed(till, ChangeKind.SEATS, seats=8) is Timing.NOW
    assert await changed(till, interval=Interval.YEAR) is Timing.NOW
    assert licensed(till, name)["quantity"] == 8
    assert await changed(till, interval=Interval.MONTH) is Timing.PERIOD_END
    end = licensed(till, name)["current_period_end"]
    await till.pass_time(datetime.fromtimestamp(end + 3600, UTC) - till.clock.now())
    item = licensed(till, name)
    assert (item["quantity"], item["price"]["recurring"]["interval"]) == (8, "month")
    (known,) = await till.facts()
    assert (known.tier, known.quantity, known.planned) == (TierName.TEAM, 8, None)
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert book.tiers == [TierName.TEAM]


async def test_a_price_is_never_changed_without_its_quantity(till: Till) -> None:
    name = await bought(till, TierName.PREMIUM, Interval.MONTH)
    await changed(till, tier=TierName.TEAM)
    assert licensed(till, name)["quantity"] == 5
    await changed(till, tier=TierName.PRO)
    assert licensed(till, name)["quantity"] == 1
    (up, down) = (form["items"]["0"] for form in changes_sent(till))
    assert (up["quantity"], down["quantity"]) == ("5", "1")
    assert (await book_of(till.store)).agrees(till.stripe.world)
    assert len(till.stripe.world.rows("subscription")) == 1


async def test_a_cancellation_in_the_portal_says_the_day_and_ends_on_it_without_any_event(till: Till) -> None:
    name = await bought(till, TierName.PREMIUM, Interval.MONTH)
    till.stripe.drive.cancel_subscription(name, at_period_end=True)
    row = subscription(till, name)
    assert (row["cancel_at_period_end"], row["cancel_at"]) == (
        False,
        licensed(till, name)["current_period_end"],
    )
    await till.settle()
    ends = datetime.fromtimestamp(row["cancel_at"], UTC)
    owed = (await book_of(till.store)).notices[-1]
    assert (owed.kind, owed.until) == (NoticeKind.CANCEL_PENDING, ends)
    assert f"until {ends.day} {ends:%B %Y}" in notice(owed).text
    till.stripe.courier.stop()
    await till.pass_time(ends - timedelta(seconds=10) - till.clock.now())
    assert await till.tier() is TierName.PREMIUM
    await till.pass_time(timedelta(seconds=10))
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert book.tiers == [TierName.PREMIUM, TierName.FREE]


async def test_a_year_with_metered_use_is_cancelled_for_the_end_of_the_year(till: Till) -> None:
    name = await bought(till, TierName.PRO, Interval.YEAR)
    assert isinstance(await till.meter.agree(ALICE, Micros(20_000_000)), MeteringStatus)
    ends = datetime.fromtimestamp(licensed(till, name)["current_period_end"], UTC)
    assert await changed(till, ChangeKind.CANCEL) is Timing.PERIOD_END
    assert changes_sent(till)[-1] == {"cancel_at": "max_period_end"}
    assert subscription(till, name)["cancel_at"] == ends.timestamp()
    await till.pass_time(timedelta(days=200))
    assert await till.tier() is TierName.PRO
    await till.pass_time(ends - till.clock.now())
    book = await book_of(till.store)
    assert book.agrees(till.stripe.world)
    assert book.tiers == [TierName.PRO, TierName.FREE]
    assert subscription(till, name)["status"] == "canceled"
