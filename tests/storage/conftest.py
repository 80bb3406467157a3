"""Databases of one kind, and processes for the tests of several."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from storage.store import migrate
from tests.conftest import DATABASES
from tests.fakes.clock import FakeClock
from tests.postgres import PostgresServer
from tests.storage.children import Children


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    """Starts processes that end with the test."""
    async with AsyncExitStack() as stack:
        yield Children(stack)


@pytest.fixture(scope="session")
def blank_postgres(postgres: PostgresServer) -> str:
    """The name of a database without a schema."""
    postgres.create("blank")
    return "blank"


@pytest.fixture
def blank_postgres_url(postgres: PostgresServer, blank_postgres: str) -> Iterator[str]:
    """The URL of a database without a schema on PostgreSQL."""
    yield postgres.url(blank_postgres)
    postgres.drop_tables(blank_postgres)


@pytest.fixture(params=DATABASES)
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a schema, on each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/chat.db"
    return str(request.getfixturevalue("blank_postgres_url"))


@pytest.fixture
async def sqlite_file(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    """A plain connection to a fresh migrated database on SQLite alone."""
    await migrate(f"sqlite:///{tmp_path}/chat.db", FakeClock())
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        yield connection
