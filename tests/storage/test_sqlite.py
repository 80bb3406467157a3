"""What is particular to SQLite: one thread, one commit for many, and other processes at the same file."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.domain import Person, Platform
from engine.errors import GiveUpError, TellOperatorError, TryAgainError
from engine.ledger import Tx
from engine.simulated import SimulatedObject
from storage.sqlite import SqliteBackend
from storage.sqlite_connection import HandOver
from storage.sqlite_units import BATCH, Writer
from storage.store import Store, migrate, open_store
from storage.turnstile import Turnstile
from storage.work import Broken, Done
from tests.fakes.clock import NOON, FakeClock

ANN = Person(Platform.LOCAL, "", "ann")


def claim(key: str) -> Callable[[Tx], bool]:
    """A unit that takes a key."""
    return lambda tx: tx.claim(key, NOON)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A migrated database file."""
    await migrate(f"sqlite:///{tmp_path}/chat.db", FakeClock())
    return tmp_path / "chat.db"


@pytest.fixture
async def connection(path: Path) -> AsyncIterator[HandOver]:
    """A connection to it with a thread of its own."""
    async with await HandOver.open(path) as opened:
        yield opened


@pytest.fixture
def turnstile(path: Path) -> Iterator[Turnstile]:
    """The lock among processes."""
    with closing(Turnstile(path)) as lock:
        yield lock


async def test_units_that_wait_together_share_a_commit(connection: HandOver, turnstile: Turnstile) -> None:
    statements: list[str] = []
    await connection.set_trace_callback(statements.append)
    writer = Writer(connection, turnstile)
    outcomes = await asyncio.gather(*(writer.submit(claim(f"key {number}")) for number in range(BATCH + 1)))
    assert outcomes == [Done(result=True)] * (BATCH + 1)
    assert statements.count("COMMIT") == 2


async def test_when_the_commit_fails_every_unit_of_it_fails_and_the_next_one_works(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as admin:
        admin.execute("CREATE TABLE owed (id TEXT REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED)")
        admin.execute(
            "CREATE TRIGGER spoil AFTER INSERT ON claim BEGIN INSERT INTO owed VALUES ('none'); END"
        )
        async with Store(await SqliteBackend.open(path)) as store:
            units = [store.transact(claim("spoilt")), store.transact(lambda tx: tx.lock_account(ANN, NOON))]
            outcomes = await asyncio.gather(*units, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [GiveUpError, GiveUpError]
            admin.execute("DROP TRIGGER spoil")
            assert await store.read(lambda tx: tx.find_account(ANN)) is None
            assert await store.transact(claim("spoilt")) is True


@pytest.mark.parametrize(("forced", "level"), [(True, 2), (False, 0)])
async def test_commits_wait_for_the_disk_unless_all_can_be_made_again(
    path: Path, *, forced: bool, level: int
) -> None:
    backend = await SqliteBackend.open(path, forced=forced)
    writer = backend._writer._connection  # noqa: SLF001 - nothing outside shows it
    async with Store(backend) as store:
        assert await store.transact(claim("kept")) is True
        found = await writer.call(lambda connection: connection.execute("PRAGMA synchronous").fetchall())
    assert [tuple(row) for row in found] == [(level,)]
    async with await open_store(f"sqlite:///{path}", FakeClock()) as again:
        assert await again.transact(claim("kept")) is False


async def test_a_full_disk_is_for_the_operator_and_keeps_nothing_of_the_unit(
    connection: HandOver, turnstile: Turnstile
) -> None:
    await connection.call(lambda raw: raw.execute("PRAGMA max_page_count=1").fetchall())
    writer = Writer(connection, turnstile)

    def much(tx: Tx) -> bool:
        tx.claim("much", NOON)
        return tx.add_object(SimulatedObject("big", "kind", "owner", "x" * 1_000_000))

    outcome = await writer.submit(much)
    assert isinstance(outcome, Broken)
    assert isinstance(outcome.error, TellOperatorError)
    assert await writer.submit(claim("much")) == Done(result=True)


async def test_a_unit_waits_for_another_process_and_then_goes_on(path: Path, turnstile: Turnstile) -> None:
    async with Store(await SqliteBackend.open(path)) as store:
        with turnstile.passed():
            waiting = asyncio.create_task(store.transact(claim("a")))
            await asyncio.sleep(0.05)
            assert not waiting.done()
        assert await waiting is True


async def test_a_process_that_keeps_the_others_out_makes_units_fail_for_now(
    path: Path, turnstile: Turnstile
) -> None:
    async with Store(await SqliteBackend.open(path, patience=0.05)) as store:
        with turnstile.passed():
            outcomes = await asyncio.gather(
                *(store.transact(claim(f"key {number}")) for number in range(3)), return_exceptions=True
            )
        assert [type(outcome) for outcome in outcomes] == [TryAgainError] * 3
        assert await store.transact(claim("key 0")) is True


async def test_a_unit_waits_for_somebody_elses_tool_that_writes(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        async with Store(await SqliteBackend.open(path)) as store:
            tool.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(store.transact(claim("a")))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            tool.execute("ROLLBACK")
            assert await waiting is True


async def test_reading_does_not_wait_for_a_unit_that_writes(path: Path) -> None:
    loop, writing, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        tx.lock_account(ANN, NOON)
        loop.call_soon_threadsafe(writing.set)
        go_on.wait(5)

    async with Store(await SqliteBackend.open(path)) as store:
        slow_unit = asyncio.create_task(store.transact(slow))
        await writing.wait()
        looks = await asyncio.gather(*(store.read(lambda tx: tx.find_account(ANN)) for _ in range(10)))
        assert looks == [None] * 10
        go_on.set()
        await slow_unit


async def test_commits_are_forced_to_the_disk_and_foreign_keys_hold(path: Path) -> None:
    async with await HandOver.open(path) as opened:
        (synchronous,) = await opened.call(lambda raw: raw.execute("PRAGMA synchronous").fetchone())
        (foreign_keys,) = await opened.call(lambda raw: raw.execute("PRAGMA foreign_keys").fetchone())
        (journal,) = await opened.call(lambda raw: raw.execute("PRAGMA journal_mode").fetchone())
    assert (synchronous, foreign_keys, journal) == (2, 1, "wal")


async def test_a_store_that_cannot_be_opened_leaves_no_thread_behind(
    tmp_path: Path, clock: FakeClock
) -> None:
    before = set(threading.enumerate())
    (tmp_path / "chat.db").write_bytes(b"dear diary, " * 1000)
    with pytest.raises(TellOperatorError):
        await open_store(f"sqlite:///{tmp_path}/chat.db", clock)
    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join(5)
    assert not any(thread.is_alive() for thread in started)
