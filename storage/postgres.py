"""Keeps the facts in PostgreSQL: a few connections with a thread each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial
from queue import LifoQueue

import psycopg

from engine.errors import TellOperatorError, TryAgainError
from storage.migrate import Migration, apply_next, as_written, known_migrations
from storage.postgres_connection import Connection, Lane, Patience, translate
from storage.postgres_units import read, write
from storage.session import Row
from storage.statements import for_psycopg
from storage.work import Broken, Outcome, Work

OLDEST = 130000
"""The first version that tells what became of a transaction by its 64-bit id."""
WRITERS = 8
READERS = 2
MIGRATION_LOCK = 0x6D6C63
"""Key of the advisory lock that lets one process migrate at a time."""

Run = Callable[[Lane, Work, float], Outcome]


class Lanes:
    """As many connections as threads; those used last are used first, so a quiet program keeps few open."""

    def __init__(self, uri: str, count: int, patience: Patience, *, prepared_statements: bool) -> None:
        self._patience = patience.total
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="postgres")
        self._free: LifoQueue[Lane] = LifoQueue()
        for _ in range(count):
            self._free.put(Lane(uri, patience, prepared_statements=prepared_statements))

    def submit(self, run: Run, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit for the next thread."""
        deadline = time.monotonic() + self._patience
        return asyncio.get_running_loop().run_in_executor(self._threads, self._use, run, work, deadline)

    def _use(self, run: Run, work: Work, deadline: float) -> Outcome:
        if time.monotonic() > deadline:
            return Broken(TryAgainError("the database is overloaded: no connection became free in time"))
        lane = self._free.get()
        try:
            return run(lane, work, deadline)
        finally:
            self._free.put(lane)

    def close(self) -> None:
        """Wait for the threads and close the connections."""
        self._threads.shutdown()
        while not self._free.empty():
            self._free.get().drop()


class PostgresBackend:
    """A PostgreSQL database."""

    def __init__(
        self, uri: str, patience: Patience | None = None, *, prepared_statements: bool = True
    ) -> None:
        patience = patience or Patience()
        self._writers = Lanes(uri, WRITERS, patience, prepared_statements=prepared_statements)
        self._readers = Lanes(uri, READERS, patience, prepared_statements=prepared_statements)

    def write(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit that writes."""
        return self._writers.submit(write, work)

    def read(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit that only reads."""
        return self._readers.submit(read, work)

    async def close(self) -> None:
        """Close every connection; no unit may be waiting."""
        await asyncio.to_thread(self._writers.close)
        await asyncio.to_thread(self._readers.close)


async def migrate(uri: str, now: datetime, known: Sequence[Migration] | None = None) -> list[str]:
    """Bring the database to today's schema; the names of what was applied.

    Any number of processes may do this at once. Raises TryAgainError if the database cannot be reached and
    TellOperatorError, in words, if it cannot be used.
    """
    steps = known_migrations() if known is None else known
    try:
        return await asyncio.to_thread(_migrate, uri, steps, now)
    except psycopg.Error as error:
        raise translate(error) from error


def _migrate(uri: str, known: Sequence[Migration], now: datetime) -> list[str]:
    applied: list[str] = []
    with closing(Lane(uri, Patience(), prepared_statements=False).connection()) as connection:
        if (version := connection.info.server_version) < OLDEST:
            raise TellOperatorError(f"PostgreSQL {version // 10000} is too old: 13 or newer is needed")
        while True:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
                step = apply_next(partial(_execute, connection), as_written, known, now)
            if step is None:
                return applied
            applied.append(step.name)


def _execute(connection: Connection, sql: str, params: Mapping[str, str | int]) -> Sequence[Row]:
    result = connection.execute(for_psycopg(sql), params)
    return result.fetchall() if result.description else []
