"""Lets one writer at a time through to a SQLite file, among all processes that share it."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import TryAgainError

PATIENCE = 10.0
"""Seconds that a writer waits for the others."""


class Turnstile:
    """An advisory lock on a file beside the database, held for a whole batch of units, checkpoint included.

    SQLite locks writers out by itself, but lets one process checkpoint while another writes, which before
    SQLite 3.51.3 can corrupt the file in rare moments (https://sqlite.org/wal.html#walresetbug), and its
    busy handler sleeps up to 100 ms a try, so that a busy process starves the others.
    """

    def __init__(self, database: Path, patience: float = PATIENCE) -> None:
        self._file = os.open(database.with_name(f"{database.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        self._patience = patience

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Hold the lock; TryAgainError if another process keeps it too long. Blocks its thread."""
        self._enter()
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _enter(self) -> None:
        deadline = time.monotonic() + self._patience
        while not self._try_lock():
            if time.monotonic() > deadline:
                message = f"another process has been writing to the database for {self._patience:g} s"
                raise TryAgainError(message)
            time.sleep(random.uniform(0.0002, 0.001))  # noqa: S311 - spreads the tries, guards nothing

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)
