"""The clock of the simulation, and what the operator plays, down to the real webhook route."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from billing.simulated_clock import SimulatedClock
from engine.catalogue import access
from engine.domain import Person, Platform, TierName
from engine.errors import GoneError
from engine.facts import AccessReason, DisputeStage, Mode, PaymentStatus, Subscription
from engine.ports import Store
from engine.simulated import SimulatedDeed, SimulatedPlay, SimulatedStep
from engine.subscriptions import Subscriptions
from tests.billing.inbox import Inbox
from tests.billing.simulated_till import ANNA, SimulatedTill, opened_till
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.pulse import PATIENCE
from webhooks.server import serve
from webhooks.site import Site, StripeInbox


@pytest.fixture
async def till(store: Store, clock: FakeClock, inbox: Inbox) -> AsyncIterator[SimulatedTill]:
    async with opened_till(store, clock, inbox) as opened:
        yield opened


async def test_the_clock_moves_forward_for_every_process(store: Store, clock: FakeClock) -> None:
    here, there = SimulatedClock(clock), SimulatedClock(clock)
    assert here.now() == NOON
    assert await here.move(store, timedelta(days=3)) == NOON + timedelta(days=3)
    assert (there.now(), await there.refresh(store)) == (NOON, True)
    assert (there.now(), await there.refresh(store)) == (NOON + timedelta(days=3), False)
    await there.move(store, timedelta(hours=1))
    clock.advance(timedelta(minutes=1))
    await here.refresh(store)
    assert here.now() == there.now() == NOON + timedelta(days=3, hours=1, minutes=1)
    assert here.ahead == timedelta(days=3, hours=1)


@pytest.mark.parametrize("by", [timedelta(0), timedelta(seconds=-1), timedelta(days=367)])
async def test_the_clock_goes_neither_back_nor_too_far(store: Store, clock: FakeClock, by: timedelta) -> None:
    moved = SimulatedClock(clock)
    with pytest.raises(ValueError, match="forward only"):
        await moved.move(store, by)
    assert moved.now() == NOON


async def test_a_running_process_follows_the_clock_and_says_when_it_jumps(
    store: Store, clock: FakeClock
) -> None:
    here, there, jumped = SimulatedClock(clock), SimulatedClock(clock), asyncio.Event()
    following = asyncio.create_task(here.follow(store, jumped.set))
    try:
        await there.move(store, timedelta(days=1))
        async with asyncio.timeout(PATIENCE):
            await jumped.wait()
        assert here.now() == NOON + timedelta(days=1)
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def test_many_moves_at_once_all_count(store: Store, clock: FakeClock) -> None:
    clocks = [SimulatedClock(clock) for _ in range(4)]
    await asyncio.gather(*(each.move(store, timedelta(days=1)) for each in clocks))
    await clocks[0].refresh(store)
    assert clocks[0].ahead == timedelta(days=4)


async def test_a_person_without_a_customer_is_told_how_to_become_one(till: SimulatedTill) -> None:
    nobody = Person(Platform.LOCAL, "", "nobody")
    for said in (
        await till.simulation.status(nobody),
        await till.simulation.do(nobody, SimulatedDeed.FAIL_PAYMENT),
    ):
        assert said == "SIMULATED: local:nobody is no simulated customer. They become one with /upgrade."


async def test_everything_played_says_what_became_of_it(till: SimulatedTill) -> None:
    play = till.simulation
    assert "no running subscription" in await play.do(ANNA, SimulatedDeed.EXPIRE)
    assert "No payment is due" in await play.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
    await play.do(ANNA, SimulatedDeed.RECOVER)
    till.heard += 1
    await till.buy()
    assert "2026-11-27 12:00 UTC" in await play.advance(timedelta(days=3))
    assert "has failed" in await play.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
    assert "nothing was owed" not in await play.do(ANNA, SimulatedDeed.RECOVER)
    assert "is disputed" in await play.dispute(ANNA)
    assert "already" in await play.dispute(ANNA)
    assert "lost" in await play.dispute(ANNA, DisputeStage.LOST)
    assert "given back" in await play.do(ANNA, SimulatedDeed.REFUND)
    assert "valid until 2026-12-01" in await play.do(ANNA, SimulatedDeed.EXPIRE_CARD)
    assert "has ended" in await play.do(ANNA, SimulatedDeed.EXPIRE)
    told = await play.status(ANNA)
    assert told.startswith("SIMULATED: local:anna is sim_cus_")
    for fact in ("3 days ahead", "premium by the month", "canceled", "Dispute of $9.00: lost"):
        assert fact in told
    assert "Paid $18.00, of which $9.00 was given back." in told


async def test_the_portal_plays_and_remembers_what_became_of_it(till: SimulatedTill) -> None:
    play: SimulatedPlay = till.simulation
    await till.buy()
    portal = await till.portal()
    scene = await play.scene(portal)
    assert (scene.now, scene.moved, scene.said) == (NOON, False, "")
    for step, now in (
        (SimulatedStep.DAY, NOON + timedelta(days=1)),
        (SimulatedStep.WEEK, NOON + timedelta(days=8)),
        (SimulatedStep.MONTH, NOON + timedelta(days=39)),
    ):
        said = await play.pass_time(portal, step)
        scene = await play.scene(portal)
        assert (scene.now, scene.moved, scene.said) == (now, True, said)
    said = await play.play(portal, SimulatedDeed.FAIL_PAYMENT)
    assert (await play.scene(portal)).said == said
    assert [sub.status for sub in await till.billing.portal(portal)] == [PaymentStatus.PAST_DUE]
    with pytest.raises(GoneError):
        await play.play("sim_bps_none", SimulatedDeed.REFUND)
    with pytest.raises(GoneError):
        await play.pass_time("sim_bps_none", SimulatedStep.DAY)


@asynccontextmanager
async def the_real_route(till: SimulatedTill) -> AsyncIterator[Subscriptions]:
    """Deliver to the web room's own webhook route, which marks customers to be read."""
    subscriptions = Subscriptions(till.store, till.clock, till.billing, debounce=timedelta(0))
    site = Site(
        "http://127.0.0.1", stripe=StripeInbox(till.billing.parse_webhook_event, subscriptions.receive)
    )
    async with serve(site, "127.0.0.1", 0) as port:
        delivering = asyncio.create_task(till.billing.run(f"http://127.0.0.1:{port}/stripe/webhook"))
        try:
            yield subscriptions
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError):
                await delivering


async def test_events_over_the_real_route_bring_every_turn_of_fate_to_our_copy(
    store: Store, clock: FakeClock, inbox: Inbox
) -> None:
    till = SimulatedTill(store, clock, inbox)
    await till.meet()

    async def copy() -> list[Subscription]:
        account = await store.read(lambda tx: tx.account_of(Mode.SIMULATED, till.customer))
        assert account
        return list(await store.read(lambda tx: tx.subscriptions(account, Mode.SIMULATED)))

    async with the_real_route(till) as subscriptions:

        async def becomes(reason: AccessReason) -> None:
            async with asyncio.timeout(PATIENCE):
                while access(await copy(), till.clock.now()).reason is not reason:
                    if not await subscriptions.work():
                        await asyncio.sleep(0.005)

        await till.buy_unheard()
        await becomes(AccessReason.ACTIVE)
        await till.simulation.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
        await becomes(AccessReason.GRACE)
        await till.simulation.do(ANNA, SimulatedDeed.RECOVER)
        await becomes(AccessReason.ACTIVE)
        await till.simulation.advance(timedelta(days=31))
        await till.simulation.do(ANNA, SimulatedDeed.FAIL_PAYMENT)
        await till.simulation.advance(timedelta(days=15))
        await becomes(AccessReason.GRACE_OVER)
        await till.simulation.advance(timedelta(days=7))
        await becomes(AccessReason.ENDED)
        assert [sub.tier for sub in await copy()] == [TierName.PREMIUM]
