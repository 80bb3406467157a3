"""Opens the database that a URL names and runs units of work on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, Self, TypeVar, cast

from engine.errors import TryAgainError
from engine.ledger import Tx
from engine.meters import Meter, Unmetered
from engine.ports import Clock
from storage import sqlite
from storage.address import PostgresAddress, SqliteAddress, parse_address
from storage.work import Done, Outcome, Work, outcome_of, require_plain

T = TypeVar("T")


class Backend(Protocol):
    """A database that is open."""

    def write(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit that writes."""
        ...

    def read(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit that only reads."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class Store:
    """Runs units of work: plain functions of a Tx, each whole or not at all.

    A unit's function may be run again after its transaction was undone, and runs in another thread: it
    does nothing but use its Tx and return what its caller needs to know.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._running: set[asyncio.Future[Outcome]] = set()
        self._closed = False
        self.meter: Meter = Unmetered()
        """May be set before any work comes."""

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run a unit in a transaction of its own and return its result once that is durable.

        A caller that is cancelled meanwhile gets its CancelledError after the outcome; the work may have been
        committed. TypeError: not a plain function. TryAgainError: the database cannot be reached or is busy.
        GiveUpError: the unit breaks a rule of the schema. TellOperatorError: the database needs mending.
        """
        return cast("T", await self._run("write", self._backend.write, work))

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a unit that only reads, on one snapshot and beside those that write; raises the same."""
        return cast("T", await self._run("read", self._backend.read, work))

    async def _run(self, kind: str, submit: Callable[[Work], asyncio.Future[Outcome]], work: Work) -> object:
        require_plain(work)
        if self._closed:
            message = "storage is closed"
            raise TryAgainError(message)
        future = submit(work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        begun = future.get_loop().time()
        future.add_done_callback(lambda ended: self._count(kind, begun, ended))
        return await outcome_of(future)

    def _count(self, kind: str, begun: float, ended: asyncio.Future[Outcome]) -> None:
        done = not ended.cancelled() and ended.exception() is None and isinstance(ended.result(), Done)
        self.meter.transacted(kind, ended.get_loop().time() - begun, done=done)

    async def close(self) -> None:
        """Take no more units, finish those that wait, and close the database; may be called again."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running)
        await self._backend.close()

    async def __aenter__(self) -> Self:
        """An open store closes at the end of its block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()


async def open_store(
    url: str, clock: Clock, *, prepared_statements: bool = True, forced: bool = True
) -> Store:
    """Migrate the database at `url` (see `parse_address`) if need be, and open it.

    `prepared_statements=False` is for PostgreSQL behind PgBouncer in transaction mode, `forced=False` for a
    SQLite file that is filled and can be filled again: its commits do not wait for the disk.
    ValueError: not a URL of ours. TellOperatorError and TryAgainError say in words why the database cannot be
    used.
    """
    await migrate(url, clock)
    address = parse_address(url)
    return Store(await open_backend(address, prepared_statements=prepared_statements, forced=forced))


async def open_backend(
    address: SqliteAddress | PostgresAddress, *, prepared_statements: bool, forced: bool = True
) -> Backend:
    """Open a database that has today's schema; raises as `open_store` does."""
    if isinstance(address, SqliteAddress):
        return await sqlite.SqliteBackend.open(address.path, forced=forced)
    from storage.postgres import PostgresBackend  # noqa: PLC0415 - psycopg costs 90 ms and is for those who use it

    return PostgresBackend(address.uri, prepared_statements=prepared_statements)


async def migrate(url: str, clock: Clock) -> list[str]:
    """Bring the database at `url` to today's schema; the names of the migrations that were applied.

    Raises as `open_store` does.
    """
    address = parse_address(url)
    if isinstance(address, SqliteAddress):
        return await sqlite.migrate(address.path, clock.now())
    from storage import postgres  # noqa: PLC0415 - see above

    return await postgres.migrate(address.uri, clock.now())
