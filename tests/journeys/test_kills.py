"""Kill -9 of `main.py` between a payment and the news of it: a later life tells it once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from engine.domain import Person, Platform
from engine.facts import Mode
from engine.ledger import Tx
from engine.opening import SystemClock
from storage.store import open_store
from tests.fakes.discord import FakeDiscord
from tests.fakes.stripe import FaultKind
from tests.journeys.conftest import Shop
from tests.program import Program, database_url, running

LEASES = timedelta(minutes=2)
"""Longer than any lease."""
READING = "GET /v1/subscriptions"
Kill = Callable[[FakeDiscord, Shop, Program, str], Awaitable[None]]


async def before_the_webhook(fake: FakeDiscord, shop: Shop, program: Program, member: str) -> None:
    """Pay, and be killed before Stripe's events arrive; they come again."""
    courier = shop.stripe.courier
    link = await checkout_link(fake, member)
    courier.hold()
    await shop.pay(link)
    await program.kill()
    courier.missed.clear()
    courier.release()
    await courier.missed.wait()


async def after_the_webhook(fake: FakeDiscord, shop: Shop, program: Program, member: str) -> None:
    """Pay, and be killed once the events are acknowledged and before anything is done about them."""
    link = await checkout_link(fake, member)
    before = shop.stripe.count(READING)
    await shop.pay(link)
    await shop.stripe.courier.settled()
    await program.kill()
    assert shop.stripe.count(READING) == before


async def while_stripe_is_read(fake: FakeDiscord, shop: Shop, program: Program, member: str) -> None:
    """Pay, and be killed while Stripe is asked what was bought."""
    link = await checkout_link(fake, member)
    reading = shop.stripe.faults.add(FaultKind.DELAY, READING)
    reading.gate = asyncio.Event()
    await shop.pay(link)
    await reading.reached.wait()
    await program.kill()
    reading.gate.set()
    await end_leases(shop, person(fake, member))


async def while_the_notice_is_sent(fake: FakeDiscord, shop: Shop, program: Program, member: str) -> None:
    """Pay, and be killed when the notice is on the screen but Discord has not answered yet."""
    link = await checkout_link(fake, member)
    gate = asyncio.Event()
    fake.faults.lose(direct(fake, member), method="POST", gate=gate)
    await shop.pay(link)
    await fake.world.pulse.until(lambda: len(fake.dms(member)) == 2)
    await program.kill()
    gate.set()
    await end_leases(shop, person(fake, member))


KILLS: dict[str, Kill] = {
    "alice": before_the_webhook,
    "bob": after_the_webhook,
    "carol": while_stripe_is_read,
    "dora": while_the_notice_is_sent,
}


async def test_a_payment_before_a_kill_gives_one_tier_change_and_one_notice(shop: Shop) -> None:
    async with FakeDiscord() as fake:
        for member, kill in KILLS.items():
            async with life(fake, shop) as program:
                await kill(fake, shop, program, member)
        async with life(fake, shop) as program:
            await searched(fake, member)
            await fake.answered(fake.slash(member, "usage"))
            assert await program.end() == 0
        for member in KILLS:
            assert ["tier is yours" in message.text for message in fake.dms(member)] == [False, True]
            assert await changes(shop, person(fake, member)) == [("free", "premium")]
        assert await owed(shop) == 0
        assert fake.findings == []


@asynccontextmanager
async def life(fake: FakeDiscord, shop: Shop) -> AsyncIterator[Program]:
    """One process, once it has come to Discord and everybody who paid has been told."""
    await fake.gateway.drop(forget=True)
    async with running(shop.folder, {**shop.variables, **fake.variables}) as program:
        await fake.connected()
        await fake.world.pulse.until(lambda: all(len(fake.dms(member)) in {0, 2} for member in KILLS))
        yield program


async def checkout_link(fake: FakeDiscord, member: str) -> str:
    """Where a member is sent to pay, once all events of the way there are taken."""
    fake.slash(member, "upgrade", {"tier": "premium", "interval": "month"})
    (link,) = await fake.world.pulse.until(lambda: fake.dms(member))
    return link.text.partition("<")[2].partition(">")[0]


async def searched(fake: FakeDiscord, member: str) -> None:
    """Wait until the program has looked whether an earlier life told the member."""
    place = direct(fake, member)
    await fake.world.pulse.until(
        lambda: any(call.method == "GET" and call.path.startswith(place) for call in fake.calls)
    )


def person(fake: FakeDiscord, member: str) -> Person:
    """A member as the engine knows them."""
    return Person(Platform.DISCORD, "", fake.world.user(member).id)


def direct(fake: FakeDiscord, member: str) -> str:
    """Where the member's direct messages are."""
    return f"/channels/{fake.world.dm_channel(fake.world.user(member)).id}/messages"


async def end_leases(shop: Shop, member: Person) -> None:
    """Do to the dead process's leases what some time would do."""
    clock = SystemClock()

    def work(tx: Tx) -> None:
        now = clock.now()
        account = tx.find_account(member)
        for notice in tx.notices(account.id) if account else ():
            tx.notice_later(notice.id, now)
        for dirty in tx.claim_dirty(Mode.TEST, now + LEASES, now + LEASES, "later", 10):
            tx.fail_sync(dirty, now, "its reader was killed")

    async with await open_store(database_url(shop.folder), clock) as store:
        await store.transact(work)


async def changes(shop: Shop, member: Person) -> list[tuple[str, str]]:
    """A member's tier changes."""

    def work(tx: Tx) -> list[tuple[str, str]]:
        account = tx.find_account(member)
        return [(each.before, each.after) for each in tx.tier_changes(account.id)] if account else []

    async with await open_store(database_url(shop.folder), SystemClock()) as store:
        return await store.read(work)


async def owed(shop: Shop) -> int:
    """How many notices would be sent sooner or later."""
    clock = SystemClock()
    late = clock.now() + LEASES
    async with await open_store(database_url(shop.folder), clock) as store:
        return len(
            await store.transact(lambda tx: tx.claim_notices(Mode.TEST, late, late, [Platform.DISCORD], 10))
        )
