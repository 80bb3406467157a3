"""A connection to PostgreSQL that is made anew when it is lost, and units of work run on it."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from contextlib import suppress
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
from storage.transaction import run_unit
from storage.work import Broken, Done, Outcome, Work

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
STATUS = "SELECT pg_xact_status(CAST(%(xid)s AS xid8)) AS status"

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

_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected)
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

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        super().__init__(psycopg_statements(), writable=writable)
        self._connection = connection

    def _fetch(self, sql: str, params: Params) -> list[Row]:
        return list(self._connection.execute(sql, params).fetchall())

    def _change(self, sql: str, params: Params) -> int:
        return self._connection.execute(sql, params).rowcount


class LostCommitError(Exception):
    """The connection broke between COMMIT and its answer: the transaction `xid` may have been committed."""

    def __init__(self, xid: str, result: object) -> None:
        super().__init__(xid)
        self.xid = xid
        self.result = result


class Lane:
    """One connection, used by one thread at a time."""

    def __init__(self, uri: str, patience: Patience, *, prepared_statements: bool) -> None:
        self.begin_write = patience.written(BEGIN_WRITE)
        self.begin_read = patience.written(BEGIN_READ)
        self._conninfo = {**DEFAULTS, **conninfo_to_dict(uri)}
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


def write(lane: Lane, work: Work, deadline: float) -> Outcome:
    """Run a unit until it is committed, fails by itself, or `deadline` (time.monotonic) has passed.

    A unit is run again when its transaction is known to be undone: the connection was lost before COMMIT
    was sent, the server was a standby, or the unit was the victim of a deadlock. When the connection breaks
    with COMMIT on its way, nobody knows; so each unit notes its transaction id at BEGIN, and the server is
    asked on a new connection what became of it: committed is done, aborted is run again. If even that stays
    unknown (a new primary that never heard of it), the unit fails with TryAgainError and is not run again.
    """
    tries = 0
    while True:
        try:
            return Done(_write_once(lane, work))
        except LostCommitError as lost:
            committed = _was_committed(lane, lost.xid, deadline)
            if committed is None:
                return Broken(
                    TryAgainError("the database was lost, and whether the work was done is unknown")
                )
            if committed:
                return Done(lost.result)
        except BaseException as error:  # noqa: BLE001 - its caller gets it
            if isinstance(error, errors.ReadOnlySqlTransaction):  # a standby, or a primary being replaced
                lane.drop()
            if not _runs_again(lane, error) or time.monotonic() > deadline:
                return Broken(translate(error))
        tries += 1
        _pause(lane, tries)


def read(lane: Lane, work: Work, deadline: float) -> Outcome:
    """Run a unit on one snapshot, again if the connection is lost."""
    tries = 0
    while True:
        try:
            return Done(_read_once(lane, work))
        except errors.ReadOnlySqlTransaction as error:  # a mistake of ours, which no other try mends
            return Broken(error)
        except BaseException as error:  # noqa: BLE001 - its caller gets it
            if not _runs_again(lane, error) or time.monotonic() > deadline:
                return Broken(translate(error))
        tries += 1
        _pause(lane, tries)


def _write_once(lane: Lane, work: Work) -> object:
    connection = lane.connection()
    xid = _begin_write(connection, lane.begin_write)
    try:
        result = run_unit(work, PostgresSession(connection, writable=True))
    except BaseException:
        _roll_back(lane)
        raise
    try:
        connection.execute("COMMIT", prepare=False)
    except psycopg.Error as error:
        if lane.lost:
            raise LostCommitError(xid, result) from error
        raise
    return result


def _begin_write(connection: Connection, begin: str) -> str:
    begun = connection.execute(begin.encode(), prepare=False)
    while begun.nextset():
        pass
    (row,) = begun.fetchall()
    return str(row["xid"])


def _read_once(lane: Lane, work: Work) -> object:
    connection = lane.connection()
    connection.execute(lane.begin_read.encode(), prepare=False)
    try:
        result = run_unit(work, PostgresSession(connection, writable=False))
    except BaseException:
        _roll_back(lane)
        raise
    connection.execute("COMMIT", prepare=False)
    return result


def _roll_back(lane: Lane) -> None:
    if lane.lost:
        return
    try:
        lane.connection().execute("ROLLBACK", prepare=False)
    except psycopg.Error:
        lane.drop()


def _was_committed(lane: Lane, xid: str, deadline: float) -> bool | None:
    """Ask on a new connection what became of a transaction; None if that cannot be found out."""
    tries = 0
    status = "in progress"
    while status == "in progress" and time.monotonic() < deadline:
        tries += 1
        _pause(lane, tries)
        with suppress(psycopg.OperationalError):
            status = _status(lane.connection(), xid)
    return {"committed": True, "aborted": False}.get(status)


def _status(connection: Connection, xid: str) -> str:
    try:
        (row,) = connection.execute(STATUS, {"xid": xid}, prepare=False).fetchall()
    except psycopg.DataError:  # an id that this server has not reached
        return "unknown"
    return str(row["status"])


def _runs_again(lane: Lane, error: BaseException) -> bool:
    """Whether an undone unit is worth another try: its connection is lost, or a rival was in its way."""
    return isinstance(error, psycopg.Error) and (lane.lost or isinstance(error, _CONFLICTS))


def _pause(lane: Lane, tries: int) -> None:
    """Let a rival go first (milliseconds), or the server come back (up to a second)."""
    longest = min(1.0, 0.05 * 2**tries) if lane.lost else 0.02
    time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - spreads the tries, guards nothing


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
