"""Copies a SQLite file while it is used, checks copies, and puts one in its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from engine.errors import TellOperatorError
from storage import shelf
from storage.migrate import known_migrations, next_migration

PAGES = 2048
"""Copied at a time, 8 MB."""
BESIDE = ("-wal", "-shm")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there; TellOperatorError, in words, for whatever SQLite cannot do."""
    try:
        uri = f"{path.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise TellOperatorError(f"the database file {path} cannot be used: {error}") from error


def copy(source: Path, target: Path) -> Mapping[str, int]:
    """Copy what the database holds at one moment; how many rows each table had then.

    One snapshot is read throughout, so writers go on, and the copy need not begin anew when they do.
    """
    with opened(source) as live, opened(target) as mine:
        live.execute("BEGIN")
        rows = counts(live)
        live.backup(mine, pages=PAGES, sleep=0)
        live.execute("ROLLBACK")
        mine.execute("PRAGMA journal_mode=DELETE").fetchall()
    return rows


def counts(connection: sqlite3.Connection) -> Mapping[str, int]:
    """How many rows each table has."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
    )
    return {
        name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - SQLite's names
        for (name,) in names.fetchall()
    }


def check(path: Path, rows: Mapping[str, int] | None = None) -> int:
    """The number of a copy's last migration; TellOperatorError if anything about the copy is wrong.

    `rows`: how many each table has to have.
    """
    with opened(path) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
        if found != ["ok"]:
            raise TellOperatorError(f"{path} is damaged: {'; '.join(map(str, found))}")
        if lost := connection.execute("PRAGMA foreign_key_check").fetchmany(3):
            raise TellOperatorError(
                f"{path} has rows that name what is not there, in {sorted({each[0] for each in lost})}"
            )
        if rows is not None and (has := counts(connection)) != rows:
            wrong = sorted(name for name in {*rows, *has} if rows.get(name) != has.get(name))
            raise TellOperatorError(f"{path} has not as many rows as were backed up, in {', '.join(wrong)}")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'").fetchall():
            raise TellOperatorError(f"{path} is no database of this program")
        applied = connection.execute(
            "SELECT version, checksum FROM schema_migrations ORDER BY version"
        ).fetchall()
    next_migration(known_migrations(), applied)
    return int(applied[-1][0]) if applied else 0


def close_up(path: Path) -> None:
    """Leave a database that nobody has open in one file, whole on the disk."""
    with opened(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
    shelf.force(path)


def swap(fresh: Path, path: Path, now: datetime) -> str:
    """Put a database in another's place; where that one is now. To be called with the place to oneself.

    At each moment the name leads to one of the two, and beside it lies nothing of the other.
    """
    if not path.exists():
        fresh.replace(path)
        shelf.force(path.parent)
        return ""
    aside = path.with_name(f"{path.stem}-replaced-{now:%Y%m%dT%H%M%SZ}{path.suffix}")
    settle(path, aside)
    try:
        os.link(path, aside)
    except OSError:  # not every file system has links
        shutil.copy2(path, aside)
    shelf.force(path.parent)
    fresh.replace(path)
    shelf.force(path.parent)
    return str(aside)


def settle(path: Path, aside: Path) -> None:
    """Leave a database without its log; that of a damaged one, which SQLite may throw away, is put aside."""
    log = path.with_name(f"{path.name}-wal")
    saved = aside.with_name(f"{aside.name}-wal")
    if log.exists():
        shutil.copy2(log, saved)
    try:
        close_up_unless_used(path)
    except sqlite3.DatabaseError:  # what is beside it was of no use to it
        for each in BESIDE:
            path.with_name(f"{path.name}{each}").unlink(missing_ok=True)
        return
    except TellOperatorError:
        saved.unlink(missing_ok=True)
        raise
    saved.unlink(missing_ok=True)


def close_up_unless_used(path: Path) -> None:
    """As `close_up`; TellOperatorError while another program has it open, DatabaseError if it is damaged.

    SQLite lets nobody leave the write-ahead log while another connection is open, whoever's that is.
    """
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise TellOperatorError(f"another program has {path} open: close it first") from error
        raise
    if mode != "delete":
        raise TellOperatorError(f"another program has {path} open: close it first")
