"""Looks at the database and at the room that it has."""

from __future__ import annotations

import shutil
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.checkup import Finding, good, worth_knowing, wrong
from engine.errors import OutsideError
from engine.ports import Clock
from engine.settings import DatabaseSettings
from storage.address import SqliteAddress, parse_address
from storage.migrate import known_migrations
from storage.store import Store, open_store

AREA, ROOM = "Database", "Disk"
GIGABYTE = 1_000_000_000
LITTLE, TOO_LITTLE = 2 * GIGABYTE, GIGABYTE // 5
SLOW_SECONDS = 0.25
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def check_database(store: Store, url: str) -> list[Finding]:
    """Whether it takes a write, how fast, and what room is left. OutsideErrors are findings."""
    try:
        seconds = await written(store)
    except OutsideError as error:
        return [wrong(AREA, str(error), mend="Check DATABASE_URL, and that the server runs."), *room(url)]
    what = f"{named(url)}, schema {len(known_migrations())}, takes a write in {seconds * 1000:.0f} ms"
    if seconds <= SLOW_SECONDS:
        return [good(AREA, what), *room(url)]
    mend = "A local disk, or a database near by, keeps answers from waiting."
    return [worth_knowing(AREA, f"{what}. {mend}"), *room(url)]


async def opened(
    database: DatabaseSettings, clock: Clock, stack: AsyncExitStack
) -> tuple[Store, Coroutine[object, object, list[Finding]]]:
    """The database and its check; one that cannot be used is stood in for, so that all else is checked."""
    try:
        store = await open_store(database.url, clock, prepared_statements=database.prepared_statements)
        check = check_database(store, database.url)
    except (OutsideError, OSError) as error:
        folder = stack.enter_context(TemporaryDirectory())
        store, check = await open_store(f"sqlite:///{folder}/none.db", clock), unusable(error)
    stack.push_async_callback(store.close)
    return store, check


async def unusable(error: Exception) -> list[Finding]:
    """What to do about a database that cannot be opened."""
    told = " ".join(str(error).split()).rstrip(".")
    return [wrong(AREA, told, mend="Check DATABASE_URL, that the server runs, and who may write there.")]


async def written(store: Store) -> float:
    """Seconds that a transaction which changes nothing takes; the second one, when all is open."""
    began = 0.0
    for _ in range(2):
        began = time.perf_counter()
        await store.transact(lambda tx: tx.forget_claims(LONG_AGO))
    return time.perf_counter() - began


def named(url: str) -> str:
    """The database without its password."""
    address = parse_address(url)
    return f"SQLite at {address.path}" if isinstance(address, SqliteAddress) else "PostgreSQL"


def room(url: str) -> Iterator[Finding]:
    """What is left where a SQLite database lies; of a server's disk nothing is known here."""
    address = parse_address(url)
    if not isinstance(address, SqliteAddress):
        return
    folder = Path(address.path).absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    what = f"{free / GIGABYTE:,.1f} GB free at {folder}"
    mend = "Make room, or move the database: a full disk stops every answer."
    if free < TOO_LITTLE:
        yield wrong(ROOM, f"{what}. {mend}")
    else:
        yield worth_knowing(ROOM, f"{what}. {mend}") if free < LITTLE else good(ROOM, what)
