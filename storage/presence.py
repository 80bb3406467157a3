"""Who has a SQLite file open: everybody beside each other, or somebody alone to put another in its place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import TellOperatorError, TryAgainError


class Presence:
    """A shared lock on a file beside the database, from before it is opened until after it is closed.

    SQLite's own locks cannot do this: whoever opened the file before it was replaced would go on with the old
    one, beside the new one's log. Locks end with their process, however it ends.
    """

    def __init__(self, database: Path) -> None:
        """TryAgainError: another is being put in its place. OSError: the folder cannot be written to."""
        self._file = _lock_file(database)
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            message = f"a backup is being restored to {database}: start again once that is done"
            raise TryAgainError(message) from None

    def close(self) -> None:
        """Be gone."""
        os.close(self._file)


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Keep everybody else from opening the database; TellOperatorError while anybody has it open."""
    file = _lock_file(database)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        message = f"a process has {database} open: stop the bot and everything else that uses it first"
        raise TellOperatorError(message) from None
    finally:
        os.close(file)


def _lock_file(database: Path) -> int:
    return os.open(database.with_name(f"{database.name}.open"), os.O_RDWR | os.O_CREAT, 0o600)
