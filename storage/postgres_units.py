"""Runs units of work on a PostgreSQL connection, again when they were undone by no fault of theirs."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import psycopg
from psycopg import errors

from engine.errors import TryAgainError
from storage.postgres_connection import Connection, Lane, PostgresSession, translate
from storage.transaction import run_unit
from storage.work import Broken, Done, Outcome, Work

STATUS = "SELECT pg_xact_status(CAST(%(xid)s AS xid8)) AS status"
_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected)


class LostCommitError(Exception):
    """The connection broke between COMMIT and its answer: the transaction `xid` may have been committed."""

    def __init__(self, xid: str, result: object) -> None:
        super().__init__(xid)
        self.xid = xid
        self.result = result


def write(lane: Lane, work: Work, deadline: float) -> Outcome:
    """Run a unit until it is committed, fails by itself, or `deadline` (time.monotonic) has passed.

    A unit is run again when its transaction is known to be undone: the connection was lost before COMMIT
    was sent, the server was a standby, or the unit was the victim of a deadlock. When the connection breaks
    with COMMIT on its way, nobody knows; so each unit notes its transaction id at BEGIN, and the server is
    asked on a new connection what became of it: committed is done, aborted is run again. If even that stays
    unknown (a new primary that never heard of it), the unit fails with TryAgainError and is not run again.
    (A fail-over to an asynchronous replica may forget commits; that is for the server to mend.)
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
