"""Keeps the facts in a SQLite file: one writer, a few readers, and what opening and closing them takes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

from engine.errors import TellOperatorError
from storage.migrate import Migration, apply_next, for_sqlite, known_migrations
from storage.presence import Presence
from storage.session import Row
from storage.sqlite_connection import HandOver, caused, translate
from storage.sqlite_units import Reader, Writer, immediate
from storage.turnstile import PATIENCE, Turnstile
from storage.work import Outcome, Work

OLDEST = (3, 37, 0)
"""The first version with STRICT tables; RETURNING and upserts are older."""
READERS = 2


class SqliteBackend:
    """A database file that is open."""

    def __init__(self, writer: Writer, readers: Sequence[Reader], resources: AsyncExitStack) -> None:
        self._writer = writer
        self._readers = readers
        self._resources = resources

    @classmethod
    async def open(cls, path: Path, patience: float = PATIENCE, *, forced: bool = True) -> SqliteBackend:
        """Open a file that `migrate` has prepared; TellOperatorError if it cannot be used.

        Units wait for other processes' units for `patience` seconds. Commits that are not forced are on the
        disk at the latest when all is closed; a machine that fails before may spoil the file.
        """
        stack = AsyncExitStack()
        try:
            turnstile = _turnstile(path, stack, patience)
            writer = await _connect(path, stack, *(() if forced else ("synchronous=OFF",)))
            if not forced:
                stack.push_async_callback(writer.call, _force)
            readers = [await _connect(path, stack, "query_only=ON") for _ in range(READERS)]
        except BaseException:
            await stack.aclose()
            raise
        return cls(Writer(writer, turnstile), [Reader(reader) for reader in readers], stack)

    def write(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit that writes."""
        return self._writer.submit(work)

    def read(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit that only reads, at the reader with the shortest queue."""
        return min(self._readers, key=lambda reader: reader.waiting).submit(work)

    async def close(self) -> None:
        """Close every connection; no unit may be waiting."""
        await self._resources.aclose()


async def migrate(path: Path, now: datetime, known: Sequence[Migration] | None = None) -> list[str]:
    """Make the file and its folder if need be and bring it to today's schema; the names of what was applied.

    Any number of processes may do this at once. Raises TellOperatorError in words.
    """
    _prepare_file(path)
    steps = known_migrations() if known is None else known
    stack = AsyncExitStack()
    try:
        turnstile = _turnstile(path, stack)
        connection = await _connect(path, stack)
        return await connection.call(partial(_migrate, turnstile=turnstile, known=steps, now=now))
    finally:
        await stack.aclose()


def _migrate(
    connection: sqlite3.Connection, turnstile: Turnstile, known: Sequence[Migration], now: datetime
) -> list[str]:
    def execute(sql: str, params: Mapping[str, str | int]) -> Sequence[Row]:
        return connection.execute(sql, params).fetchall()

    applied: list[str] = []
    try:
        with turnstile.passed():  # changing the journal mode knows no waiting
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
        while True:
            with immediate(connection, turnstile):
                step = apply_next(execute, for_sqlite, known, now)
            if step is None:
                return applied
            applied.append(step.name)
    except sqlite3.Error as error:
        raise translate(error) from error


def _force(connection: sqlite3.Connection) -> None:
    """Have everything on the disk."""
    for pragma in ("synchronous=FULL", "wal_checkpoint(TRUNCATE)"):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _prepare_file(path: Path) -> None:
    if sqlite3.sqlite_version_info < OLDEST:
        message = (
            f"SQLite {sqlite3.sqlite_version} is too old: {'.'.join(map(str, OLDEST))} or newer is needed"
        )
        raise TellOperatorError(message)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        message = f"the database file {path} cannot be made: {error.strerror}"
        raise TellOperatorError(message) from error


def _turnstile(path: Path, stack: AsyncExitStack, patience: float = PATIENCE) -> Turnstile:
    try:
        stack.callback(Presence(path).close)
        turnstile = Turnstile(path, patience)
    except OSError as error:
        message = f"the folder of the database file {path} cannot be written to: {error.strerror}"
        raise TellOperatorError(message) from error
    stack.callback(turnstile.close)
    return turnstile


async def _connect(path: Path, stack: AsyncExitStack, *pragmas: str) -> HandOver:
    try:
        connection = await HandOver.open(path, *pragmas)
    except sqlite3.Error as error:
        raise caused(
            TellOperatorError(f"the database file {path} cannot be opened: {error}"), error
        ) from error
    stack.push_async_callback(connection.close)
    return connection
