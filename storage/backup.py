"""Makes and restores backups of the database that a URL names."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from engine.audit import Actor, Deed, Entry
from engine.backups import Made, Manifest, Restored
from engine.errors import TellOperatorError
from engine.ports import Clock
from storage import shelf, sqlite, sqlite_backup
from storage.address import SqliteAddress, parse_address
from storage.migrate import known_migrations
from storage.note import Note
from storage.presence import Presence, alone
from storage.store import Store, open_backend

FOLDER = "backups"


class Source(Protocol):
    """A database of one kind."""

    kind: str
    suffix: str
    folder: Path

    def dump(self, part: Path, now: datetime) -> Manifest:
        """Copy it to a file, checked."""
        ...

    async def replace(self, file: Path, known: Manifest | None, note: Note, now: datetime) -> Restored:
        """Put a backup in its place."""
        ...


class SqliteSource:
    """A SQLite file."""

    kind = "sqlite"
    suffix = ".db"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path.parent / FOLDER

    def dump(self, part: Path, now: datetime) -> Manifest:
        if not self._path.exists():
            raise TellOperatorError(f"there is no database file {self._path}")
        presence = Presence(self._path)
        try:
            rows = sqlite_backup.copy(self._path, part)
        finally:
            presence.close()
        return Manifest(now, self.kind, sqlite_backup.check(part, rows), rows, "")

    async def replace(self, file: Path, known: Manifest | None, note: Note, now: datetime) -> Restored:
        """All that has to be done to the copy is done before it takes the place."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(self._path):
            for left in self._path.parent.glob(".restore-*"):
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=".restore-", dir=self._path.parent) as folder:
                fresh = Path(folder) / self._path.name
                shelf.unpack(file, fresh)
                sqlite_backup.check(fresh, known.rows if known else None)
                migrated = await sqlite.migrate(fresh, now)
                async with Store(await sqlite.SqliteBackend.open(fresh)) as store:
                    due = await note.write(store)
                sqlite_backup.close_up(fresh)
                aside = sqlite_backup.swap(fresh, self._path, now)
        return Restored(aside, known.made_at if known else None, migrated, due)


class Backups:
    """`engine.backups.Backups` of one database."""

    def __init__(self, url: str, clock: Clock, *, prepared_statements: bool = True) -> None:
        self._address = parse_address(url)
        self._clock = clock
        self._prepared = prepared_statements
        self._source = source_of(url)

    async def make(self, actor: Actor, file: Path | None, *, packed: bool, keep: int | None) -> Made:
        now, source = self._clock.now(), self._source
        packed = packed or (file is not None and file.suffix == shelf.PACKED)
        name = shelf.name_at(now, f"{source.suffix}{shelf.PACKED if packed else ''}")
        target = file or source.folder / name
        with shelf.unfinished(target, now) as part:
            manifest = await asyncio.to_thread(source.dump, part, now)
            made = await asyncio.to_thread(shelf.shelve, part, target, manifest, packed=packed)
        dropped: Sequence[Path] = shelf.prune(source.folder, keep) if keep and file is None else ()
        await self._write_down(actor, made)
        return replace(made, dropped=dropped)

    async def _write_down(self, actor: Actor, made: Made) -> None:
        """Into the audit log, which a database that waits for its migrations may not have."""
        if made.manifest.schema != len(known_migrations()):
            return
        entry = Entry(self._clock.now(), actor, Deed.BACKUP, made.file.name, f"{made.size} bytes")
        async with Store(await open_backend(self._address, prepared_statements=self._prepared)) as store:
            await store.transact(lambda tx: tx.note(entry))

    async def restore(self, actor: Actor, file: Path) -> Restored:
        known = await asyncio.to_thread(shelf.known_of, file)
        if known:
            self._fits(file, known)
        return await self._source.replace(file, known, Note(actor, file, self._clock), self._clock.now())

    def _fits(self, file: Path, known: Manifest) -> None:
        ours = len(known_migrations())
        if known.kind != self._source.kind:
            wrong = f"is a backup of {known.kind}, and DATABASE_URL names {self._source.kind}"
        elif known.schema > ours:
            wrong = (
                f"has schema {known.schema} and this version of the program knows {ours}: take the newer one"
            )
        else:
            return
        raise TellOperatorError(f"{file} {wrong}")


def source_of(url: str) -> Source:
    """The database that a URL names."""
    address = parse_address(url)
    if isinstance(address, SqliteAddress):
        return SqliteSource(address.path)
    from storage.postgres_backup import PostgresSource  # noqa: PLC0415 - psycopg is for those who use it

    return PostgresSource(address.uri)
