"""A backup or restore that is killed, at whatever step, leaves nothing half-done."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import shelf, sqlite_backup
from tests.fakes.clock import FakeClock
from tests.storage.backing import ADA, ANN, BEN, Place


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
