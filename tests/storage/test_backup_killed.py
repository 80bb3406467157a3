"""A backup or restore that is killed, at whatever step, leaves nothing half-done."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

import psycopg
import pytest

from storage import shelf, sqlite_backup
from tests.fakes.clock import FakeClock
from tests.postgres import PostgresServer
from tests.storage.backing import ADA, ANN, BEN, Place
from tests.storage.test_backup import server_place as server_place  # noqa: PLC0414 - a fixture


def dies(work: Callable[[], None]) -> bool:
    """Do it in a process of its own; whether that was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do it, but die before the number-th step that others or the disk see; whether it came to that."""

    def doomed() -> None:
        left = [number]
        for module, name in ((os, "fsync"), (os, "replace"), (os, "rename"), (os, "link"), (os, "unlink")):
            real = getattr(module, name)

            def counted(*args: object, _real: Callable[..., object] = real, **named: object) -> object:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return _real(*args, **named)

            setattr(module, name, counted)
        work()

    return dies(doomed)


@pytest.mark.parametrize("packed", [False, True])
def test_a_backup_that_is_killed_leaves_nothing_that_looks_whole(tmp_path: Path, *, packed: bool) -> None:
    place = Place(f"sqlite:///{tmp_path}/data/chat.db", FakeClock(), tmp_path)
    asyncio.run(place.meet(ANN))
    step = 1
    while killed_at(step, lambda: asyncio.run(place.backups.make(ADA, None, packed=packed, keep=None))):
        for file in (place.file.parent / "backups").glob("chat-*Z.db*"):
            if file.suffix != ".json":  # it got its name: then it is all there, with its manifest
                assert shelf.known_of(file)
                file.unlink()
        step += 1
    assert step > 6


def test_a_restore_that_is_killed_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path}/data/chat.db", FakeClock(), tmp_path)
    asyncio.run(place.meet(ANN))
    made = asyncio.run(place.backups.make(ADA, None, packed=False, keep=None))
    asyncio.run(place.meet(BEN))
    old, step, seen = place.file.read_bytes(), 1, set()
    while killed_at(step, lambda: asyncio.run(place.backups.restore(ADA, made.file))):
        for each in place.file.parent.glob("chat.db-*"):
            assert each.name in {"chat.db-wal", "chat.db-shm"}
        sqlite_backup.check(place.file)
        is_new = not asyncio.run(place.known(BEN))
        seen.add(is_new)
        if is_new:
            with closing(sqlite3.connect(place.file)) as db:  # it came with all that has to be done
                assert db.execute("SELECT COUNT(*) FROM sync_queue").fetchone() == (1,)
        place.file.write_bytes(old)
        for each in place.file.parent.glob("chat-replaced-*"):
            each.unlink()
        step += 1
    assert seen == {True, False}


def end(*_: object, **__: object) -> None:
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_the_midst_of_its_tool() -> None:
    """The tool goes on by itself."""
    real: Callable[..., object] = subprocess.run

    def begun(command: Sequence[str], **more: object) -> object:
        if any(word.startswith("--dbname=") for word in command):
            environment = cast("dict[str, str]", more["env"])
            subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            end()
        return real(command, **more)

    vars(subprocess)["run"] = begun


def between_the_names() -> None:
    """The old database has its new name, and the new one not yet."""
    real: Callable[..., object] = psycopg.Connection.execute
    renamed = [0]

    def counted(*words: object, **more: object) -> object:
        renamed[0] += "RENAME" in str(words[1])
        if renamed[0] == 2:
            end()
        return real(*words, **more)

    setattr(psycopg.Connection, "execute", counted)  # noqa: B010 - a type checker would not have it


MOMENTS = (in_the_midst_of_its_tool, between_the_names)


@pytest.mark.postgres
def test_a_restore_that_is_killed_on_postgresql_leaves_the_database_as_it_was_and_is_begun_anew(
    server_place: Place, postgres: PostgresServer
) -> None:
    """Also while a tool that it left behind still has the database that it was filling."""
    place = server_place
    made = asyncio.run(place.backups.make(ADA, None, packed=False, keep=None))
    asyncio.run(place.meet(BEN))

    def restore() -> None:
        asyncio.run(place.backups.restore(ADA, made.file))

    for moment in MOMENTS:

        def doomed(prepare: Callable[[], None] = moment) -> None:
            prepare()
            restore()

        assert dies(doomed), moment
        assert asyncio.run(place.known(BEN)), moment
    with psycopg.connect(postgres.url("blank_restoring")):
        done = asyncio.run(place.backups.restore(ADA, made.file))
    assert (asyncio.run(place.known(ANN)), asyncio.run(place.known(BEN))) == (True, False)
    postgres.drop(done.aside.removeprefix("the database "))
