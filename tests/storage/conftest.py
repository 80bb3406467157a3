"""Databases of one kind, and processes for the tests of several."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from storage.store import migrate
from tests.fakes.clock import FakeClock
from tests.postgres import PostgresServer
from tests.storage.children import Children


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    """Starts processes that end with the test."""
    async with AsyncExitStack() as stack:
        yield Children(stack)


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh migrated database on PostgreSQL alone."""
    name = postgres.create(postgres_template)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def sqlite_file(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    """A plain connection to a fresh migrated database on SQLite alone."""
    await migrate(f"sqlite:///{tmp_path}/chat.db", FakeClock())
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        yield connection
