"""The dashboard's figures of what a fake Stripe really sold, and of its events."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from fractions import Fraction
from typing import cast

import pytest

from engine.catalogue import Catalogue
from engine.charts import Days
from engine.deliveries import Deliveries
from engine.domain import TierName
from engine.errors import OutsideError
from engine.facts import Mode
from engine.figures import MovementKind
from engine.panels import Panels
from engine.reports import Reports
from engine.subscriptions import LONGEST_RETRY, TRIES
from engine.tallies import Delivery
from storage.store import Store
from tests.billing.conftest import TIERS
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import SECRET
from tests.fakes.stripe.courier import sign
from tests.fakes.stripe.faults import FaultKind
from tests.money.conftest import Till
from tests.money.mortal import Dying, Fuse, MortalStore
from tests.money.test_figures import buys
from tests.storage.agreeing import agree

CATALOGUE = Catalogue(TIERS, ())
DAYS = 60


def panels(till: Till) -> Panels:
    """Those of test mode."""
    return Panels(till.store, till.clock, CATALOGUE, Mode.TEST)


async def test_what_pages_show_of_now_is_what_the_report_says(till: Till, database_url: str) -> None:
    """The report reads every subscription, the pages read counts."""
    for name, tier in (("alice", TierName.PREMIUM), ("bob", TierName.PRO), ("carol", TierName.PREMIUM)):
        await buys(till, name, tier)
        await till.pass_time(timedelta(days=3))
    till.stripe.drive.cancel_subscription(till.stripe.world.rows("subscription")[1]["id"])
    await till.settle()
    days = panels(till).back(DAYS)
    report = await Reports(till.store, till.clock, CATALOGUE, Mode.TEST).get_subscription_stats(
        days.since, days.until
    )
    view = await panels(till).overview(days)
    (told,), (shown,) = report.revenues, view.revenue.currencies
    assert (shown.mrr, shown.opening, shown.moved, shown.churn) == (
        told.mrr,
        told.opening,
        told.movements,
        told.churn,
    )
    assert (shown.days[-1].paying, sum(view.tiers.now.paying.values())) == (told.paying, told.paying)
    assert view.revenue.churn == report.churn
    assert view.funnel == report.funnel
    assert view.tiers.now.having == {tier: n for tier, n in report.tiers.items() if n and tier != "free"}
    assert view.tiers.accounts == sum(report.tiers.values())
    await agree(till.store, database_url, till.clock, CATALOGUE, Mode.TEST, DAYS)


async def test_a_span_that_begins_in_the_middle_knows_who_was_there_and_who_left(till: Till) -> None:
    for name in ("alice", "bob"):
        await buys(till, name, TierName.PREMIUM)
    await till.pass_time(timedelta(days=2))
    since = till.clock.now().date()
    till.stripe.drive.cancel_subscription(till.stripe.world.rows("subscription")[0]["id"])
    await till.settle()
    span = Days(since, since)
    found = await panels(till).revenue(span)
    told = await Reports(till.store, till.clock, CATALOGUE, Mode.TEST).get_subscription_stats(
        span.since, span.until
    )
    assert found.churn == told.churn
    assert (found.churn.opening, found.churn.lost) == (2, 1)
    assert found.usd.churn == told.revenues[0].churn
    assert found.usd.days[0].moved == {MovementKind.CHURN: Fraction(-8_990_000)}


async def test_a_day_earns_its_part_of_the_month(till: Till) -> None:
    await buys(till, "alice", TierName.PREMIUM)
    (day,) = (await panels(till).margin(panels(till).back(1))).days
    assert day.margin.recurring == Fraction(8_990_000, 30)
    (row,) = (await panels(till).members(panels(till).today)).rows
    assert row.recurring == row.margin == Fraction(8_990_000, 30)
    await till.pass_time(timedelta(days=1))
    (row,) = (await panels(till).members(panels(till).today)).rows
    assert row.recurring == Fraction(8_990_000, 30) * 2


async def test_events_are_counted_as_they_come_and_as_they_are_applied(till: Till) -> None:
    await till.paid()
    shown = (await panels(till).webhooks(panels(till).back(1))).whole
    events = till.stripe.world.rows("event")
    assert shown.deliveries[Delivery.TAKEN] + shown.deliveries.get(Delivery.IGNORED, 0) == shown.events > 3
    assert [shown.success, shown.retries, shown.in_time] == [1, 0, 1]
    assert shown.took.count == shown.deliveries[Delivery.TAKEN]
    till.stripe.courier.redeliver(events[0]["id"])
    await till.stripe.courier.settled()
    again = (await panels(till).webhooks(panels(till).back(1))).whole
    assert again.deliveries[Delivery.DUPLICATE] == 1


async def test_an_event_that_only_reconciliation_found_was_never_delivered(till: Till) -> None:
    await till.paid()
    event = till.gateway.parse_webhook_event(*signed(till))
    await till.subscriptions.receive(event, fetched=True)
    await till.subscriptions.receive(event, fetched=True)
    shown = (await panels(till).webhooks(panels(till).back(1))).whole
    assert shown.deliveries[Delivery.FETCHED] == 1
    assert Delivery.DUPLICATE not in shown.deliveries


def signed(till: Till) -> tuple[bytes, str]:
    """An event that no webhook brought, as Stripe signs it."""
    event = {**till.stripe.world.rows("event")[0], "id": "evt_fetched"}
    body = json.dumps(event).encode()
    return body, sign(body, [SECRET], int(till.clock.now().timestamp()))


@pytest.mark.parametrize(("status", "tries", "given_up"), [(503, 3, 0), (403, TRIES + 2, 1)])
async def test_readings_that_failed_are_retries_and_those_given_up_are_no_success(
    till: Till, status: int, tries: int, given_up: int
) -> None:
    await till.paid()
    before = (await panels(till).webhooks(panels(till).back(1))).whole
    till.stripe.faults.add(FaultKind.STATUS, "GET /v1/subscriptions", times=None, status=status)
    till.stripe.drive.cancel_subscription(till.stripe.world.rows("subscription")[0]["id"])
    await till.stripe.courier.settled()
    for _ in range(tries):
        till.clock.advance(LONGEST_RETRY)
        with suppress(OutsideError):
            await till.subscriptions.work()
    shown = (await panels(till).webhooks(panels(till).back(2))).whole
    assert shown.given_up == given_up
    assert shown.failed == (TRIES - 1 if given_up else tries)
    assert shown.readings == before.readings + shown.failed + given_up
    assert shown.retries == Fraction(shown.failed, shown.readings)
    assert shown.success == 1 - Fraction(given_up, shown.events)


async def test_deliveries_that_were_not_taken_are_written_once_also_after_the_database_was_away(
    store: Store, clock: FakeClock
) -> None:
    fuse = Fuse(0)
    deliveries = Deliveries(cast("Store", MortalStore(store, fuse)), clock, Mode.TEST)
    assert await deliveries.work() == 0
    deliveries.untaken(Delivery.SIGNATURE)
    with pytest.raises(Dying):
        await deliveries.work()
    clock.advance(timedelta(hours=2))
    deliveries.untaken(Delivery.SIGNATURE)
    deliveries.untaken(Delivery.AWAY)
    assert [await deliveries.work() for _ in range(2)] == [3, 0]
    shown = await Panels(store, clock, CATALOGUE, Mode.TEST).webhooks(Days.back(1, clock.now()))
    assert [hour.handling.deliveries for hour in shown.hours] == [
        {Delivery.SIGNATURE: 1},
        {Delivery.SIGNATURE: 1, Delivery.AWAY: 1},
    ]
    assert [shown.whole.events, shown.whole.success] == [1, 0]
