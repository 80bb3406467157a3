"""Databases and a clock for every room's tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.store import Store, migrate, open_store
from tests.fakes.clock import FakeClock
from tests.postgres import STARTING, PostgresServer, running_postgres

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the session; where it cannot run its tests are skipped, but never in CI."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgres())
        except STARTING as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"PostgreSQL does not start here: {error}")
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a migrated database, to be copied."""
    name = postgres.create()
    asyncio.run(migrate(postgres.url(name), FakeClock()))
    return name


@pytest.fixture(params=DATABASES)
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a schema, on each kind in turn."""
    yield from _database(request, tmp_path, migrated=False)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, on each kind in turn; for tests that start processes."""
    yield from _database(request, tmp_path, migrated=True)


def _database(request: pytest.FixtureRequest, tmp_path: Path, *, migrated: bool) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/chat.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template") if migrated else "template0")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still at noon until it is advanced."""
    return FakeClock()


@pytest.fixture
async def store(database_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """A fresh open store, on each database in turn."""
    async with await open_store(database_url, clock) as opened:
        yield opened
