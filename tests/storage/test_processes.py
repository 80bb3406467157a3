"""Several processes on one database, and one that is killed."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from functools import partial

import pytest

from engine.domain import Micros, TurnId
from engine.facts import CustomerId, Mode
from engine.ledger import Tx
from engine.models import Usage
from engine.rules import Rules
from engine.spending import BOT, FREE, Purpose, vendor
from engine.turns import Charge
from storage.postgres import PostgresBackend
from storage.postgres_connection import Patience
from storage.store import Store, open_store
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.pulse import PATIENCE, Pulse
from tests.storage.children import Children, line
from tests.storage.makers import MINUTE, account, conversation, duty, hold, report, rows, seal, settlement
from tests.storage.process import ANN, CEILINGS, LIMIT, PLACE, take

LATER = NOON + MINUTE


async def test_two_processes_together_pass_a_limit_exactly_as_often_as_it_allows(
    children: Children, database_url: str, store: Store
) -> None:
    granted = await children.together("contend", database_url)
    assert sum(map(int, granted)) == LIMIT
    account = await store.read(lambda tx: tx.find_account(ANN))
    assert account
    assert (await store.read(lambda tx: tx.usage(account.id, NOON))).conversations_today == LIMIT


async def test_of_fifty_who_ask_two_processes_at_once_a_pool_lets_in_exactly_its_size(
    children: Children, database_url: str, store: Store
) -> None:
    def seven(tx: Tx) -> None:
        tx.lock_rules(PLACE)
        tx.save_rules(PLACE, Rules(pool=7))

    await store.transact(seven)
    let_in = await children.together("drain", database_url)
    assert sum(map(int, let_in)) == 7
    assert await store.read(lambda tx: tx.pooled(PLACE, NOON.date())) == 7


async def test_two_processes_hold_no_more_than_a_ceiling_of_the_house(
    children: Children, database_url: str, store: Store
) -> None:
    let_in = await children.together("spend", database_url)
    held = await store.read(lambda tx: tx.purse(FREE, NOON).held)
    each = held // sum(map(int, let_in))
    assert CEILINGS.free_day
    assert held <= CEILINGS.free_day < held + each


class Paused:
    """A unit of work of another process, held up before its end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._begun, self._go = threading.Event(), threading.Event()

    def __call__(self, work: Callable[[Tx], object]) -> Callable[[Tx], object]:
        """That unit, with the pause."""

        def paused(tx: Tx) -> object:
            result = work(tx)
            self._begun.set()
            self._go.wait(PATIENCE)
            return result

        return paused

    async def until_met(self, rival: Callable[[], asyncio.Task[object]]) -> asyncio.Task[object]:
        """Begin a rival once the unit has begun, and see it wait for a lock, or end."""
        waits = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = CURRENT_DATABASE()"
        )
        await Pulse().until(self._begun.is_set)
        begun = rival()
        await Pulse().until(lambda: rows(self._url, waits) or begun.done())
        return begun

    def go_on(self) -> None:
        """Let it end."""
        self._go.set()


def patient(url: str) -> Store:
    """A process that waits for a lock as long as a test does."""
    return Store(PostgresBackend(url, Patience(lock=PATIENCE, statement=PATIENCE, idle=PATIENCE)))


@pytest.mark.postgres
async def test_a_turn_that_two_processes_settle_at_once_is_settled_by_one_and_charged_once(
    postgres_url: str,
) -> None:
    """As one whose lease ran out while it was answered. On SQLite there is one unit of work at a time."""
    paused = Paused(postgres_url)

    def settle(tx: Tx) -> object:
        return tx.settle(TurnId("t"), settlement(cost=40))

    async with patient(postgres_url) as one, patient(postgres_url) as other:
        await one.transact(lambda tx: (conversation(tx), hold(tx, "t")))
        first = asyncio.create_task(one.transact(paused(settle)))
        try:
            second = await paused.until_met(lambda: asyncio.create_task(other.transact(settle)))
        finally:
            paused.go_on()
        assert (await first, await second) == (True, False)
        assert (await one.read(lambda tx: tx.purse(BOT, NOON))).spent == 40


def lock_all(tx: Tx) -> object:
    """Lock more purses than one statement is about."""
    return tx.lock_purses([vendor(name) for name in "dcba"] + [FREE, BOT], NOON)


def charge(tx: Tx) -> None:
    """Add to the purses of the bot and of a vendor."""
    tx.charge_house(Charge("m", "d", Usage(1, 0, 0), Micros(7)), Purpose.SUMMARY, NOON)


@pytest.mark.postgres
@pytest.mark.parametrize("work", [lock_all, charge])
async def test_whoever_waits_for_a_purse_holds_none_that_comes_later_in_the_order(
    postgres_url: str, work: Callable[[Tx], object]
) -> None:
    """So that nobody waits in a circle."""
    paused = Paused(postgres_url)
    hasty = Store(PostgresBackend(postgres_url, Patience(lock=0.1)))
    async with patient(postgres_url) as one, patient(postgres_url) as other:
        first = asyncio.create_task(one.transact(paused(lambda tx: tx.lock_purses([BOT], NOON))))
        try:
            second = await paused.until_met(lambda: asyncio.create_task(other.transact(work)))
            assert not second.done()
            async with hasty as third:
                await third.transact(lambda tx: tx.lock_purses([vendor("d")], NOON))
        finally:
            paused.go_on()
        await asyncio.gather(first, second)


async def test_two_processes_share_turns_jobs_duties_reports_and_customers_without_taking_any_twice(
    children: Children, database_url: str, store: Store
) -> None:
    def fill(tx: Tx) -> None:
        owner = account(tx)
        for number in range(60):
            tx.owe_duty(duty(f"duty {number}"), NOON)
            seal(tx, report(owner, f"report {number}"))
            tx.mark_dirty(Mode.TEST, CustomerId(f"cus {number}"), NOON)

    await store.transact(fill)
    taken = [name for names in await children.together("share", database_url) for name in names.split(",")]
    assert len(taken) == len(set(taken))
    assert {f"turn {number}" for number in range(120)} | {"job"} <= set(taken)
    left = await store.transact(
        lambda tx: (
            [each.id for each in tx.claim_duties(Mode.TEST, NOON, LATER, 60)],
            [each.identifier for each in tx.claim_reports(Mode.TEST, NOON, LATER, 60)],
            [each.customer for each in tx.claim_dirty(Mode.TEST, NOON, LATER, "rest", 60)],
        )
    )
    everything = sorted(f"{kind} {number}" for kind in ("duty", "report", "cus") for number in range(60))
    claimed = [name for name in taken if not name.startswith("turn") and name != "job"]
    assert sorted([*claimed, *(name for some in left for name in some)]) == everything


async def test_a_killed_process_loses_nothing_that_it_was_told_is_done(
    children: Children, database_url: str, clock: FakeClock
) -> None:
    process = await children.start("claim", database_url)
    acknowledged = [await line(process) for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    rest, _ = await process.communicate()
    acknowledged += rest.decode().split("\n")[:-1]
    async with await open_store(database_url, clock) as store:
        again = await asyncio.gather(*(store.transact(partial(take, key)) for key in acknowledged))
    assert not any(again)
