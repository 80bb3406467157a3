"""What is particular to PostgreSQL: lost connections, waits that end, rivals, and PgBouncer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from engine.domain import AccountId, Person, Platform
from engine.errors import LateError, TryAgainError
from engine.ledger import Tx
from storage.postgres import PostgresBackend
from storage.postgres_connection import Lane, Patience
from storage.postgres_units import write
from storage.store import Store, open_store
from storage.work import Done
from tests.fakes.clock import NOON, FakeClock
from tests.storage.cutting import Cut, CuttingProxy, cutting_proxy

pytestmark = pytest.mark.postgres

ANN, BEN = Person(Platform.LOCAL, "", "ann"), Person(Platform.LOCAL, "", "ben")


class Claims:
    """A unit of work that claims a key and counts how often it runs."""

    def __init__(self, key: str, between: Callable[[], object] = lambda: None) -> None:
        self.runs = 0
        self._key = key
        self._between = between

    def __call__(self, tx: Tx) -> bool:
        """Claim the key, with something happening before and after."""
        self.runs += 1
        tx.claim(f"{self._key} begun", NOON)
        if self.runs == 1:
            self._between()
        return tx.claim(self._key, NOON)


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[CuttingProxy]:
    """A proxy before a fresh database."""
    async with cutting_proxy(postgres_url) as running:
        yield running


@pytest.fixture
async def store(proxy: CuttingProxy, clock: FakeClock) -> AsyncIterator[Store]:
    """A store behind the proxy."""
    async with await open_store(proxy.url, clock) as opened:
        yield opened


def administer(url: str, statement: str) -> None:
    """Run one statement beside the store."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def terminate_all(url: str) -> None:
    """End every other connection to the database, as a fail-over does."""
    administer(
        url,
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


async def test_connections_that_died_while_idle_are_made_anew(store: Store, postgres_url: str) -> None:
    await asyncio.gather(*(store.transact(Claims(f"before {n}")) for n in range(20)))
    await store.read(lambda tx: tx.find_account(ANN))
    terminate_all(postgres_url)
    assert all(await asyncio.gather(*(store.transact(Claims(f"after {n}")) for n in range(20))))
    assert await store.read(lambda tx: tx.find_account(ANN)) is None


async def test_a_unit_whose_connection_dies_in_the_middle_is_run_again(
    store: Store, postgres_url: str
) -> None:
    unit = Claims("a", lambda: terminate_all(postgres_url))
    assert await store.transact(unit) is True
    assert unit.runs == 2


async def test_a_commit_that_never_arrived_is_found_out_and_the_unit_run_again(
    store: Store, proxy: CuttingProxy
) -> None:
    unit = Claims("a")
    proxy.next_commit = Cut.BEFORE
    assert await store.transact(unit) is True
    assert unit.runs == 2


async def test_a_commit_whose_answer_was_lost_is_found_out_and_the_unit_not_run_again(
    store: Store, proxy: CuttingProxy
) -> None:
    unit = Claims("a")
    proxy.next_commit = Cut.AFTER
    assert await store.transact(unit) is True
    assert unit.runs == 1
    assert await store.transact(Claims("a")) is False


async def test_a_commit_that_cannot_be_found_out_is_an_error_and_the_unit_not_run_again(
    proxy: CuttingProxy,
) -> None:
    unit = Claims("a", lambda: setattr(proxy, "accepting", False))
    async with Store(PostgresBackend(proxy.url, Patience(total=0.3))) as store:
        proxy.next_commit = Cut.AFTER
        with pytest.raises(TryAgainError, match="whether the work was done is unknown"):
            await store.transact(unit)
    assert unit.runs == 1


async def test_a_unit_waits_for_a_database_that_comes_back(store: Store, proxy: CuttingProxy) -> None:
    proxy.accepting = False
    waiting = asyncio.create_task(store.transact(Claims("a")))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    proxy.accepting = True
    assert await waiting is True


async def test_a_unit_gives_up_on_a_database_that_stays_away(proxy: CuttingProxy) -> None:
    proxy.accepting = False
    async with Store(PostgresBackend(proxy.url, Patience(total=0.3))) as store:
        with pytest.raises(TryAgainError, match="cannot be reached"):
            await store.transact(Claims("a"))
        with pytest.raises(TryAgainError, match="cannot be reached"):
            await store.read(lambda tx: tx.find_account(ANN))


async def test_a_unit_that_waited_too_long_for_a_connection_is_not_begun(postgres_url: str) -> None:
    unit = Claims("a")
    async with Store(PostgresBackend(postgres_url, Patience(total=-1))) as store:
        with pytest.raises(TryAgainError, match="no connection became free"):
            await store.transact(unit)
    assert unit.runs == 0


async def test_a_primary_that_became_a_standby_is_left_for_the_new_one(
    store: Store, postgres_url: str
) -> None:
    database = postgres_url.partition("?")[0].rpartition("/")[2]
    administer(postgres_url, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    waiting = asyncio.create_task(store.transact(Claims("a")))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only".encode())
    assert await waiting is True


@pytest.mark.parametrize("patience", [Patience(lock=0.1), Patience(statement=0.1)])
async def test_waiting_for_a_lock_or_a_statement_ends(postgres_url: str, patience: Patience) -> None:
    async with Store(PostgresBackend(postgres_url, patience)) as store:
        ann = await store.transact(lambda tx: tx.lock_account(ANN, NOON))
        with psycopg.connect(postgres_url) as rival:
            rival.execute("UPDATE account SET seen_at = 0 WHERE id = %s", (ann.id,))
            with pytest.raises(LateError, match="took too long"):
                await store.transact(lambda tx: tx.lock_account(ANN, NOON))
            rival.rollback()
        assert await store.transact(lambda tx: tx.lock_account(ANN, NOON)) == ann


async def test_of_two_units_that_block_each_other_one_is_run_again(store: Store, postgres_url: str) -> None:
    database = postgres_url.partition("?")[0].rpartition("/")[2]
    administer(postgres_url, f"ALTER DATABASE {database} SET deadlock_timeout = '20ms'")
    terminate_all(postgres_url)
    both_have_one = threading.Barrier(2)
    runs = []

    def lock(first: Person, second: Person) -> Callable[[Tx], AccountId]:
        def work(tx: Tx) -> AccountId:
            runs.append(first)
            tx.lock_account(first, NOON)
            if len(runs) <= 2:
                both_have_one.wait(5)
            return tx.lock_account(second, NOON).id

        return work

    await store.transact(lambda tx: (tx.lock_account(ANN, NOON), tx.lock_account(BEN, NOON)))
    ids = await asyncio.gather(store.transact(lock(ANN, BEN)), store.transact(lock(BEN, ANN)))
    assert len(set(ids)) == 2
    assert len(runs) == 3


@pytest.mark.parametrize("prepared", [True, False])
def test_statements_are_prepared_only_if_that_is_wanted(postgres_url: str, *, prepared: bool) -> None:
    lane = Lane(postgres_url, Patience(), prepared_statements=prepared)
    try:
        for number in range(20):
            assert write(lane, Claims(f"key {number}"), time.monotonic() + 5) == Done(result=True)
        (row,) = lane.connection().execute("SELECT COUNT(*) AS n FROM pg_prepared_statements").fetchall()
        assert (row["n"] > 0) == prepared
    finally:
        lane.drop()


async def test_a_store_without_prepared_statements_does_its_work(postgres_url: str, clock: FakeClock) -> None:
    async with await open_store(postgres_url, clock, prepared_statements=False) as store:
        assert all(await asyncio.gather(*(store.transact(Claims(f"key {n}")) for n in range(50))))
