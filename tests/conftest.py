"""Databases and a clock for every room's tests."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from storage.store import Store, migrate, open_store
from tests.fakes.clock import FakeClock
from tests.postgres import STARTING, PostgresServer, running_postgres
from tests.program import nursery

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
"""How long drawing examples and trying one takes is the machine's affair, not a finding."""
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import and collect without the collector of garbage, and keep it from all that stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _nursery() -> Iterator[None]:
    """Programs begin in one place, which is closed after all of them."""
    yield
    if nursery.cache_info().currsize:
        nursery().close()


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
        server.no_fsync()
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres: PostgresServer) -> str:
    """The name of the migrated database that tests use in turn."""
    postgres.create("migrated")
    asyncio.run(migrate(postgres.url("migrated"), FakeClock()))
    return "migrated"


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_database: str) -> Iterator[str]:
    """The URL of a migrated and empty database on PostgreSQL alone."""
    yield postgres.url(postgres_database)
    postgres.delete_rows(postgres_database)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated and empty database file that tests begin with copies of."""
    file = tmp_path_factory.mktemp("migrated") / "chat.db"
    asyncio.run(migrate(f"sqlite:///{file}", FakeClock()))
    return file


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a migrated and empty database on SQLite alone."""
    (tmp_path / "data").mkdir(mode=0o700)
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'data')}"


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, on each kind in turn; for tests that start processes."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still at noon until it is advanced."""
    return FakeClock()


@pytest.fixture
async def store(database_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """A fresh open store, on each database in turn."""
    async with await open_store(database_url, clock) as opened:
        yield opened
