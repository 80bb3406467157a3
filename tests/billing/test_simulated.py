"""Simulated billing on both databases: the same port as Stripe, and events that survive anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from billing.simulated import SimulatedBilling
from billing.simulated_life import aged
from billing.simulated_objects import Payer, months_after
from billing.simulated_plans import Affairs, Plan
from billing.simulated_prices import SimulatedPrices
from engine.domain import AccountId, Interval, TierName
from engine.errors import BadSignatureError, GoneError, TryAgainError
from engine.facts import CheckoutRequest, CustomerId, Mode, PaymentStatus, SessionId, SessionStatus
from engine.ports import Billing
from engine.simulated import SimulatedCheckout
from storage.store import Store
from tests.billing.inbox import Inbox
from tests.fakes.clock import NOON, FakeClock

BOUGHT = ["customer.subscription.created", "invoice.paid", "checkout.session.completed"]
APP = "http://127.0.0.1:8080"


@pytest.fixture
def simulated(store: Store, clock: FakeClock) -> SimulatedBilling:
    """A simulation that delivers nothing until it is run."""
    return SimulatedBilling(store, clock, f"{APP}/")


def wish(clock: FakeClock, customer: CustomerId, attempt: str = "attempt-1") -> CheckoutRequest:
    return CheckoutRequest(
        attempt=attempt,
        account=AccountId("account-1"),
        customer=customer,
        tier=TierName.PREMIUM,
        interval=Interval.MONTH,
        quantity=1,
        expires_at=clock.now() + timedelta(hours=1),
        success_url=f"{APP}/billing/success?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{APP}/billing/cancel",
    )


async def opened(simulated: SimulatedBilling, clock: FakeClock) -> tuple[CustomerId, SessionId]:
    """A customer with an open session."""
    customer = await simulated.create_customer("account-1", 0)
    return customer, (await simulated.create_checkout_session(wish(clock, customer))).id


async def portal_of(simulated: SimulatedBilling, customer: CustomerId) -> str:
    """The id of a fresh portal session."""
    return (await simulated.create_customer_portal_session(customer, APP)).rpartition("/")[2]


@asynccontextmanager
async def running(simulated: SimulatedBilling, url: str) -> AsyncIterator[None]:
    """Deliver meanwhile."""
    task = asyncio.create_task(simulated.run(url))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def stored_events(store: Store) -> list[str]:
    """The types of the events that wait."""
    waiting = await store.read(lambda tx: list(tx.objects("event")))
    return [json.loads(obj.body)["type"] for obj in waiting]


async def drained(store: Store) -> None:
    """Wait until no event waits any more."""
    for _ in range(500):
        if not await stored_events(store):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await stored_events(store))


async def test_it_fulfils_both_ports(simulated: SimulatedBilling) -> None:
    ports: tuple[Billing, SimulatedCheckout] = (simulated, simulated)
    billing = ports[0]
    assert billing.mode is Mode.SIMULATED
    assert list(await billing.verify_stripe_config()) == []
    await billing.aclose()


async def test_the_same_account_and_attempt_give_the_same_customer_and_session(
    simulated: SimulatedBilling, store: Store, clock: FakeClock
) -> None:
    customer, session = await opened(simulated, clock)
    restarted = SimulatedBilling(store, clock, APP)
    assert await restarted.create_customer("account-1", 0) == customer
    assert await restarted.create_customer("account-1", 1) != customer
    again = await restarted.create_checkout_session(wish(clock, customer))
    assert again.id == session
    assert again.url == f"{APP}/simulated/checkout/{session}"
    assert customer.startswith("sim_cus_")
    with pytest.raises(GoneError):
        await restarted.create_checkout_session(wish(clock, CustomerId("cus_of_stripe")))


async def test_the_page_shows_what_is_bought(simulated: SimulatedBilling, clock: FakeClock) -> None:
    _, session = await opened(simulated, clock)
    shown = await simulated.session(session)
    assert (shown.tier, shown.interval, shown.session.status) == (
        TierName.PREMIUM,
        Interval.MONTH,
        SessionStatus.OPEN,
    )
    assert shown.success_url == f"{APP}/billing/success?session_id={session}"
    assert await simulated.leave(session) == f"{APP}/billing/cancel"


async def test_paying_twice_at_once_is_paying_once(
    simulated: SimulatedBilling, store: Store, clock: FakeClock
) -> None:
    customer, session = await opened(simulated, clock)
    assert (await simulated.get_stripe_subscription_status(customer)).subscriptions == ()
    ways = await asyncio.gather(*(simulated.pay(session) for _ in range(5)))
    assert set(ways) == {f"{APP}/billing/success?session_id={session}"}
    [found] = (await simulated.get_stripe_subscription_status(customer)).subscriptions
    assert (found.status, found.tier, found.mode) == (
        PaymentStatus.ACTIVE,
        TierName.PREMIUM,
        Mode.SIMULATED,
    )
    assert (found.period_end, found.cancel_at) == (datetime(2026, 12, 24, 12, tzinfo=UTC), None)
    assert found.id.startswith("sim_sub_")
    assert await stored_events(store) == BOUGHT
    paid = await simulated.get_checkout_session(session)
    assert (paid.status, paid.url) == (SessionStatus.COMPLETE, None)


async def test_declining_and_leaving_change_nothing(
    simulated: SimulatedBilling, store: Store, clock: FakeClock
) -> None:
    customer, session = await opened(simulated, clock)
    await simulated.decline(session)
    await simulated.leave(session)
    assert (await simulated.get_checkout_session(session)).status is SessionStatus.OPEN
    assert (await simulated.get_stripe_subscription_status(customer)).subscriptions == ()
    assert await stored_events(store) == []


async def test_a_session_that_was_closed_or_ran_out_cannot_be_paid(
    simulated: SimulatedBilling, clock: FakeClock
) -> None:
    customer, session = await opened(simulated, clock)
    other = (await simulated.create_checkout_session(wish(clock, customer, "attempt-2"))).id
    await simulated.expire_checkout_session(session)
    await simulated.expire_checkout_session(session)
    await simulated.expire_checkout_session(SessionId("sim_cs_never"))
    clock.advance(timedelta(hours=2))
    for each in (session, other):
        assert (await simulated.get_checkout_session(each)).status is SessionStatus.EXPIRED
        with pytest.raises(GoneError):
            await simulated.pay(each)
    assert (await simulated.get_stripe_subscription_status(customer)).subscriptions == ()


@pytest.mark.parametrize("wanted", ["", "nonsense", "sim_cs_\x00", "sim_cs_unknown", "sim_signing_secret"])
async def test_an_id_of_nothing_is_gone(simulated: SimulatedBilling, wanted: str) -> None:
    await simulated.create_customer("account-1", 0)
    for ask in (simulated.session, simulated.pay, simulated.decline, simulated.leave):
        with pytest.raises(GoneError):
            await ask(SessionId(wanted))
    with pytest.raises(GoneError):
        await simulated.portal(wanted)
    with pytest.raises(GoneError):
        await simulated.end_now(wanted)


async def test_the_portal_cancels_resumes_and_ends(
    simulated: SimulatedBilling, store: Store, clock: FakeClock
) -> None:
    customer, session = await opened(simulated, clock)
    await simulated.pay(session)
    portal = await portal_of(simulated, customer)
    await simulated.cancel_at_period_end(portal, pending=True)
    await simulated.cancel_at_period_end(portal, pending=True)
    [found] = await simulated.portal(portal)
    assert (found.status, found.cancel_at) == (PaymentStatus.ACTIVE, found.period_end)
    await simulated.cancel_at_period_end(portal, pending=False)
    assert [sub.cancel_at for sub in await simulated.portal(portal)] == [None]
    await simulated.end_now(portal)
    await simulated.end_now(portal)
    assert [sub.status for sub in await simulated.portal(portal)] == [PaymentStatus.CANCELED]
    assert (await stored_events(store))[3:] == [
        "customer.subscription.updated",
        "customer.subscription.updated",
        "customer.subscription.deleted",
    ]
    clock.advance(timedelta(hours=1))
    with pytest.raises(GoneError):
        await simulated.portal(portal)


async def test_events_come_signed_and_leave_once_they_are_acknowledged(
    simulated: SimulatedBilling, store: Store, clock: FakeClock, inbox: Inbox
) -> None:
    customer, session = await opened(simulated, clock)
    async with running(simulated, inbox.url):
        await simulated.pay(session)
        await inbox.holds(3)
        for body, header in inbox.taken:
            event = simulated.parse_webhook_event(body, header)
            assert (event.mode, event.customer, event.relevant) == (Mode.SIMULATED, customer, True)
            with pytest.raises(BadSignatureError):
                simulated.parse_webhook_event(body + b" ", header)
        await drained(store)
    assert inbox.types() == BOUGHT


async def test_events_that_nobody_took_wait_for_the_next_process(
    simulated: SimulatedBilling, store: Store, clock: FakeClock, inbox: Inbox
) -> None:
    _, session = await opened(simulated, clock)
    async with running(simulated, "http://127.0.0.1:9/stripe/webhook"):
        await simulated.pay(session)
    restarted = SimulatedBilling(store, clock, APP)
    with pytest.raises(TryAgainError):
        restarted.parse_webhook_event(b"{}", "t=1,v1=0")
    inbox.answers.extend([503, 500, 400])
    async with running(restarted, inbox.url):
        await inbox.holds(3)
    assert {restarted.parse_webhook_event(*taken).type for taken in inbox.taken} == set(inbox.types())


async def test_an_event_whose_acknowledgement_was_lost_comes_again_as_the_same_event(
    simulated: SimulatedBilling, store: Store, clock: FakeClock, inbox: Inbox
) -> None:
    _, session = await opened(simulated, clock)
    await simulated.pay(session)
    inbox.silent = True
    async with running(simulated, inbox.url):
        await inbox.holds(1)
    inbox.silent = False
    async with running(SimulatedBilling(store, clock, APP), inbox.url):
        await inbox.holds(4)
    ids = [json.loads(body)["id"] for body, _ in inbox.taken]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


async def test_an_event_that_is_refused_for_three_days_is_given_up_and_found_by_reconciliation(
    simulated: SimulatedBilling, store: Store, clock: FakeClock, inbox: Inbox
) -> None:
    _, session = await opened(simulated, clock)
    await simulated.pay(session)
    clock.advance(timedelta(days=3))
    inbox.answers.extend([400, 400, 400])
    async with running(simulated, inbox.url):
        await drained(store)
    assert inbox.taken == []
    lost = [event async for event in simulated.undelivered_events(NOON)]
    assert [(event.type, event.mode, event.relevant) for event in lost] == [
        (kind, Mode.SIMULATED, True) for kind in BOUGHT
    ]
    assert [event async for event in simulated.undelivered_events(NOON + timedelta(days=1))] == []


async def test_time_renews_a_subscription_and_tells(
    simulated: SimulatedBilling, store: Store, clock: FakeClock, inbox: Inbox
) -> None:
    customer, session = await opened(simulated, clock)
    async with running(simulated, inbox.url):
        await simulated.pay(session)
        await drained(store)
    clock.advance(timedelta(days=40))
    [found] = (await simulated.get_stripe_subscription_status(customer)).subscriptions
    assert (found.status, found.period_end) == (
        PaymentStatus.ACTIVE,
        datetime(2027, 1, 24, 12, tzinfo=UTC),
    )
    async with running(simulated, inbox.url):
        await inbox.holds(5)
    assert inbox.types()[3:] == ["customer.subscription.updated", "invoice.paid"]


async def test_a_subscription_that_was_cancelled_ends_with_its_period_and_tells(
    simulated: SimulatedBilling, clock: FakeClock, inbox: Inbox
) -> None:
    customer, session = await opened(simulated, clock)
    await simulated.pay(session)
    await simulated.cancel_at_period_end(await portal_of(simulated, customer), pending=True)
    clock.advance(timedelta(days=31))
    [found] = (await simulated.get_stripe_subscription_status(customer)).subscriptions
    assert found.status is PaymentStatus.CANCELED
    async with running(simulated, inbox.url):
        await inbox.holds(5)
    assert inbox.types()[4:] == ["customer.subscription.deleted"]


@pytest.mark.parametrize("interval", list(Interval))
def test_a_period_always_reaches_beyond_now_and_starts_where_it_began(interval: Interval) -> None:
    start = datetime(2027, 1, 31, 12, tzinfo=UTC)
    end = months_after(start, 1)
    assert end == datetime(2027, 2, 28, 12, tzinfo=UTC)
    plan = Plan("sim_sub_1", "sim_cus_1", TierName.PRO, interval, 1, start, end)
    now = NOON
    while now < datetime(2030, 1, 1, tzinfo=UTC):
        now += timedelta(days=5, hours=7)
        lived = aged(Affairs(Payer("sim_cus_1", "account-1"), (plan,)), now, SimulatedPrices({}))
        [older] = lived.plans
        assert older.period_start < older.period_end > now
        if now >= end:
            assert older.period_end - now <= timedelta(days=366 if interval is Interval.YEAR else 31)
            assert older.period_end.day in {28, 29, 30, 31}
