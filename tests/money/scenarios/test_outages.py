"""Stripe refuses, is down or hangs: nobody loses anything, we do not press it, and chat answers in words.

Shown elsewhere: how single calls are repeated (tests/billing/test_gateway_faults.py), and metered use that
waits out an outage (tests/money/test_metering.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
import stripe

from billing.client import Patience
from billing.gateway import StripeGateway
from bot import front
from bot.commands import BY_NAME
from bot.front import Front, Request
from engine.domain import TierName
from engine.facts import CustomerId, Mode
from engine.opening import SystemClock
from engine.pace import Pace
from engine.subscriptions import TRIES
from storage.store import open_store
from tests.billing.conftest import gateway_on
from tests.bot.counter import open_counter
from tests.engine.conftest import ALICE, BOB, Hall
from tests.fakes.stripe import FakeStripe, FaultKind
from tests.money.conftest import Till, open_till
from tests.money.scenarios.people import buys, member, nothing_given_up

CAROL = member("carol")
WAIT = "That takes longer than it should at the moment. Please try again in a minute."
LONG_AFTER = 5.0
ROUND = timedelta(seconds=30)
QUICK = Patience(after_limits=(0.01, 0.01))


@pytest.fixture
async def hasty(till: Till, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Till]:
    """A process whose calls are repeated at once, and after a 429 by its worker only."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)
    gateway = gateway_on(till.stripe, till.clock, patience=Patience(after_limits=()))
    yield open_till(till.store, till.clock, till.stripe, gateway=gateway)
    await gateway.aclose()


async def works(till: Till, by: timedelta) -> None:
    """Time passes, and a worker does a few rounds, however much there is to do."""
    await till.stripe.courier.settled()
    till.clock.advance(by)
    for _ in range(4):
        await till.work()


@pytest.mark.parametrize("status", [429, 503])
async def test_trouble_at_stripe_changes_no_access_and_what_piled_up_is_done_by_itself(
    hasty: Till, status: int
) -> None:
    till = hasty
    people = [ALICE, BOB, CAROL]
    ending, growing, disputed = [await buys(till, person) for person in people]
    storm = till.stripe.faults.storm(status)
    till.stripe.drive.cancel_subscription(ending)
    till.stripe.drive.change_price(growing, till.stripe.prices["pro_monthly_v1"])
    till.stripe.drive.dispute(till.stripe.drive.charge_of(disputed)["id"])
    for _ in range(20):
        await works(till, ROUND)
        assert [await till.tier(person) for person in people] == [TierName.PREMIUM] * 3
    assert {each.status for each in till.stripe.courier.deliveries} == {200}
    for _ in range(TRIES):
        await works(till, timedelta(minutes=10))
    till.stripe.faults.lift(storm)
    await till.pass_time(timedelta(minutes=10))
    assert [await till.tier(person) for person in people] == [TierName.FREE, TierName.PRO, TierName.FREE]
    assert await nothing_given_up(till)
    assert await till.store.read(lambda tx: tx.queue_depth(till.clock.now())) == (0, None)


async def test_a_stripe_that_is_down_is_asked_less_and_less(hasty: Till) -> None:
    till = hasty
    name = await buys(till, ALICE)
    till.stripe.faults.storm(503)
    till.stripe.drive.cancel_subscription(name)
    asked = []
    for _ in range(4):
        before = till.stripe.count("GET /v1/subscriptions")
        for _ in range(20):
            await works(till, ROUND)
        asked.append((till.stripe.count("GET /v1/subscriptions") - before) // 3)
    assert 2 < asked[0] <= 10, asked
    assert max(asked[1:]) <= 2


@asynccontextmanager
async def two_processes(url: str, fake: FakeStripe) -> AsyncIterator[list[StripeGateway]]:
    """The gateways of two processes on one database, with the real clock and turns."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        gateways = []
        for _ in range(2):
            store = await stack.enter_async_context(await open_store(url, clock))
            pace = Pace(store, clock, Mode.TEST)
            gateway = gateway_on(fake, clock, patience=QUICK, pace=pace.wait)
            stack.push_async_callback(gateway.aclose)
            gateways.append(gateway)
        yield gateways


async def test_two_processes_together_read_stripe_ten_times_a_second_at_most(database_url: str) -> None:
    async with FakeStripe() as fake, two_processes(database_url, fake) as gateways:
        names = [await gateways[0].create_customer(f"account-{number}", 0) for number in range(6)]
        fake.faults.add(FaultKind.STATUS, "GET", times=3, status=429)
        fake.faults.add(FaultKind.HANG_UP, "GET", times=1)
        readings = [
            gateways[number % 2].get_stripe_subscription_status(CustomerId(name))
            for number, name in enumerate(names)
        ]
        await asyncio.gather(*readings)
        assert len([seen for seen in fake.log if seen.method == "GET"]) == 16
        assert fake.busiest("GET") <= 10


@pytest.fixture
async def desk(till: Till) -> AsyncIterator[Front]:
    """The bot where Alice has premium, with calls that wait as long as they do in earnest."""
    await buys(till, ALICE)
    gateway = gateway_on(till.stripe, till.clock, patience=Patience())
    hall = Hall(till.store, till.clock)
    counter = open_counter(till.store, till.clock, gateway, hall.catalogue)
    yield counter.front(hall)
    await gateway.aclose()


async def said(desk: Front, name: str, **options: str) -> str:
    """The words of a command's last reply to Alice."""
    return (await desk.run(Request(ALICE, BY_NAME[name], options, "local:1")))[-1].text


async def test_commands_answer_in_words_while_stripe_hangs(
    till: Till, desk: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Patience().whole < front.PATIENCE_SECONDS < 10
    monkeypatch.setattr(front, "PATIENCE_SECONDS", 0.1)
    hanging = till.stripe.faults.add(FaultKind.DELAY, times=None)
    hanging.gate = asyncio.Event()
    async with asyncio.timeout(LONG_AFTER):
        assert await said(desk, "upgrade", tier="premium", interval="year") == WAIT
        assert await said(desk, "cancel") == WAIT
        assert await said(desk, "billing") == WAIT
        assert (await desk.press(ALICE, "upgrade:premium:year"))[-1].text == WAIT
    monkeypatch.setattr(front, "PATIENCE_SECONDS", 9.5)
    assert "**Premium** tier" in await said(desk, "usage")
    assert "Premium" in await said(desk, "plans")
    till.stripe.faults.clear()
    hanging.gate.set()
    assert "**Premium by the month → Premium by the year**" in await said(
        desk, "upgrade", tier="premium", interval="year"
    )
