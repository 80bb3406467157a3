"""A SQLite connection that takes whole functions to its thread, and the statements they run there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar, cast

import aiosqlite

from engine.errors import GiveUpError, TellOperatorError, TryAgainError
from storage.session import Params, Row, Session
from storage.statements import sqlite_statements

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long SQLite itself waits for a lock that somebody else's tool holds."""

_FOR_OPERATOR = frozenset(
    {
        "SQLITE_FULL",
        "SQLITE_IOERR",
        "SQLITE_CANTOPEN",
        "SQLITE_READONLY",
        "SQLITE_CORRUPT",
        "SQLITE_NOTADB",
        "SQLITE_PERM",
        "SQLITE_AUTH",
    }
)


class HandOver(aiosqlite.Connection):
    """Takes whole functions to the connection's thread; aiosqlite's own methods take a statement each."""

    @classmethod
    async def open(cls, path: Path, *pragmas: str) -> HandOver:
        """Open a database file with a thread of its own."""
        connector = partial(
            sqlite3.connect, path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=512
        )
        connection = cls(connector, iter_chunk_size=64)
        await connection
        try:
            await connection.call(partial(_prepare, pragmas=pragmas))
        except BaseException:
            await connection.close()
            raise
        return connection

    async def __aenter__(self) -> Self:
        """What `open` made is open already; it closes at the end of its block."""
        return self

    def post(self, function: Callable[[sqlite3.Connection], None]) -> None:
        """Have the thread call `function`, which must not raise, with the connection; returns at once."""
        self._tx.put_nowait((None, partial(function, self._conn)))

    async def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Have the thread call `function` with the connection, and wait for its result."""
        return cast("T", await self._execute(function, self._conn))  # type: ignore[no-untyped-call]


def _prepare(connection: sqlite3.Connection, pragmas: Sequence[str]) -> None:
    connection.row_factory = sqlite3.Row
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON", *pragmas):
        connection.execute(f"PRAGMA {pragma}").fetchall()


class SqliteSession(Session):
    """Statements on sqlite3; every cursor is read to its end, or its RETURNING would block the commit."""

    driver_error = sqlite3.Error

    def __init__(self, connection: sqlite3.Connection, *, writable: bool) -> None:
        super().__init__(sqlite_statements(), writable=writable)
        self._connection = connection

    def _fetch(self, sql: str, params: Params) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()

    def _change(self, sql: str, params: Params) -> int:
        return self._connection.execute(sql, params).rowcount


def translate(error: BaseException) -> BaseException:
    """The engine's error for one of SQLite's; anything else, our own mistakes included, as it is."""
    if isinstance(error, sqlite3.IntegrityError):
        return caused(GiveUpError(f"the database refuses it: {error}"), error)
    name = getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""
    kind = "_".join(name.split("_")[:2])
    if kind in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
        return caused(TryAgainError(f"the database is busy: {error}"), error)
    if kind in _FOR_OPERATOR:
        return caused(TellOperatorError(f"the database file cannot be used: {error}"), error)
    return error


def caused(error: Exception, cause: BaseException) -> Exception:
    """The error with its cause noted, as `raise from` would."""
    error.__cause__ = cause
    return error
