"""Runs units of work on SQLite: writing ones in groups with one commit each, reading ones beside them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from storage.sqlite_connection import HandOver, SqliteSession, translate
from storage.transaction import run_unit
from storage.turnstile import Turnstile
from storage.work import Broken, Done, Outcome, Work

BATCH = 128
"""Units in one commit at most: bounds how long the first of them waits for the last."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A unit on its way, and where its outcome goes."""

    work: Work
    future: asyncio.Future[Outcome]


class Writer:
    """Runs units in the order they came; those that wait together share one hop and one commit."""

    def __init__(self, connection: HandOver, turnstile: Turnstile) -> None:
        self._connection = connection
        self._turnstile = turnstile
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._queue: deque[Waiting] = deque()
        self._busy = False

    def submit(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit; its outcome is set once its commit is durable."""
        waiting = Waiting(work, self._loop.create_future())
        with self._lock:
            self._queue.append(waiting)
            idle, self._busy = not self._busy, True
        if idle:  # not before the loop's next turn: callers that woke together come into one batch
            self._loop.call_soon(self._connection.post, self._drain)
        return waiting.future

    def _drain(self, connection: sqlite3.Connection) -> None:
        while batch := self._take():
            outcomes = self._commit(connection, batch)
            self._loop.call_soon_threadsafe(deliver, batch, outcomes)

    def _take(self) -> list[Waiting]:
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._busy = bool(batch)
        return batch

    def _commit(self, connection: sqlite3.Connection, batch: Sequence[Waiting]) -> Sequence[Outcome]:
        try:
            with immediate(connection, self._turnstile):
                return [attempt(connection, waiting.work) for waiting in batch]
        except BaseException as error:  # noqa: BLE001 - every caller of the batch gets it
            return [Broken(translate(error)) for _ in batch]


@contextmanager
def immediate(connection: sqlite3.Connection, turnstile: Turnstile) -> Iterator[None]:
    """A write transaction, committed at the end or rolled back; waits for other processes first."""
    with turnstile.passed():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def attempt(connection: sqlite3.Connection, work: Work) -> Outcome:
    """Run one unit of a batch behind a savepoint, so that its failure undoes only itself."""
    connection.execute("SAVEPOINT unit")
    try:
        result = run_unit(work, SqliteSession(connection, writable=True))
    except BaseException as error:
        if not connection.in_transaction:  # SQLite undid the whole batch: disk full, I/O error
            raise
        connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
        return Broken(translate(error))
    connection.execute("RELEASE unit")
    return Done(result)


def deliver(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    """Hand outcomes to the callers, on their loop."""
    for waiting, outcome in zip(batch, outcomes, strict=True):
        waiting.future.set_result(outcome)


class Reader:
    """Runs read-only units one after another, each on a snapshot, while the writer goes on."""

    def __init__(self, connection: HandOver) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self.waiting = 0

    def submit(self, work: Work) -> asyncio.Future[Outcome]:
        """Queue a unit."""
        waiting = Waiting(work, self._loop.create_future())
        self.waiting += 1
        self._connection.post(partial(self._run, waiting))
        return waiting.future

    def _run(self, waiting: Waiting, connection: sqlite3.Connection) -> None:
        outcome = read(connection, waiting.work)
        self._loop.call_soon_threadsafe(self._deliver, waiting, outcome)

    def _deliver(self, waiting: Waiting, outcome: Outcome) -> None:
        self.waiting -= 1
        waiting.future.set_result(outcome)


def read(connection: sqlite3.Connection, work: Work) -> Outcome:
    """Run a unit on one snapshot of the database."""
    try:
        connection.execute("BEGIN")
        try:
            return Done(run_unit(work, SqliteSession(connection, writable=False)))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    except BaseException as error:  # noqa: BLE001 - its caller gets it
        return Broken(translate(error))
