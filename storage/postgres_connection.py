"""A connection to PostgreSQL that is made anew when it is lost, and the statements that run on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8Dumper

from engine.errors import GiveUpError, LateError, TellOperatorError, TryAgainError
from storage.session import Params, Row, Session
from storage.statements import psycopg_statements

Connection = psycopg.Connection[dict[str, Any]]

BEGIN_WRITE = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = {statement:d};
SET LOCAL lock_timeout = {lock:d};
SET LOCAL idle_in_transaction_session_timeout = {idle:d};
SELECT CAST(pg_current_xact_id() AS TEXT) AS xid
"""
BEGIN_READ = """
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = {statement:d};
SET LOCAL idle_in_transaction_session_timeout = {idle:d};
"""
DEFAULTS: Mapping[str, str | int] = {
    "application_name": "multi-llm-chat",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""What the URL does not say; timeouts are SET LOCAL, since PgBouncer refuses them as connection options."""

_LATE = (errors.QueryCanceled, errors.LockNotAvailable)
_FOR_OPERATOR = (errors.InvalidAuthorizationSpecification, errors.InsufficientPrivilege, errors.DiskFull)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, units and the server wait for each other."""

    total: float = 30.0
    """A unit with all its tries: a fail-over takes about 20."""
    statement: float = 10.0
    lock: float = 5.0
    idle: float = 30.0
    """A transaction that says nothing, as one of a stopped process; the server then gives its locks free."""

    def written(self, begin: str) -> str:
        """A BEGIN with these times."""
        times = {"statement": self.statement, "lock": self.lock, "idle": self.idle}
        return begin.format(**{name: int(seconds * 1000) for name, seconds in times.items()})


class PostgresSession(Session):
    """Statements on psycopg."""

    driver_error = psycopg.Error
    slots = 8

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        super().__init__(psycopg_statements(), writable=writable)
        self._connection = connection

    def _fetch(self, sql: str, params: Params) -> list[Row]:
        return list(self._connection.execute(sql, params).fetchall())

    def _change(self, sql: str, params: Params) -> int:
        return self._connection.execute(sql, params).rowcount


class Lane:
    """One connection, used by one thread at a time."""

    def __init__(self, uri: str, patience: Patience, *, prepared_statements: bool) -> None:
        self.begin_write = patience.written(BEGIN_WRITE)
        self.begin_read = patience.written(BEGIN_READ)
        try:
            self._conninfo = {**DEFAULTS, **conninfo_to_dict(uri)}
        except psycopg.ProgrammingError:  # its message may show a password
            raise TellOperatorError("DATABASE_URL is none that PostgreSQL's own tools would take") from None
        self._prepare_threshold = 5 if prepared_statements else None
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """The connection, made if there is none; psycopg.OperationalError if that fails."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                "",
                autocommit=True,
                prepare_threshold=self._prepare_threshold,
                row_factory=dict_row,
                **self._conninfo,  # type: ignore[arg-type]  # libpq's own parameters
            )
            self._connection.adapters.register_dumper(int, Int8Dumper)
        return self._connection

    def drop(self) -> None:
        """Close the connection; the next use makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @property
    def lost(self) -> bool:
        """Whether there is no connection that works."""
        return self._connection is None or self._connection.closed


def translate(error: BaseException) -> BaseException:
    """The engine's error for one of psycopg's; anything else, our own mistakes included, as it is."""
    message = str(error).strip()
    translated: Exception
    if isinstance(error, errors.IntegrityError):
        translated = GiveUpError(f"the database refuses it: {message}")
    elif isinstance(error, _LATE):
        translated = LateError(f"the database took too long: {message}")
    elif isinstance(error, _FOR_OPERATOR):
        translated = TellOperatorError(f"the database cannot be used: {message}")
    elif isinstance(error, (psycopg.OperationalError, errors.ReadOnlySqlTransaction)):
        translated = TryAgainError(f"the database cannot be reached or is overloaded: {message}")
    else:
        return error
    translated.__cause__ = error
    return translated
