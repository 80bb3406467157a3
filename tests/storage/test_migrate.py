"""How a database comes to the schema of the code."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from engine.errors import TellOperatorError, TryAgainError
from storage import postgres, sqlite
from storage.address import SqliteAddress, parse_address
from storage.migrate import Migration, for_sqlite, known_migrations, split_statements
from storage.store import migrate, open_store
from tests.fakes.clock import NOON, FakeClock
from tests.storage.children import Children

FIRST = Migration(1, "first", "CREATE TABLE one (\n    id BIGINT PRIMARY KEY,\n    raw BYTEA\n);\n")
SECOND = Migration(
    2, "second", "CREATE TABLE two (\n    id BIGINT PRIMARY KEY\n);\nINSERT INTO two VALUES (1);\n"
)
BROKEN = Migration(2, "broken", "CREATE TABLE two (\n    id BIGINT\n);\nINSERT INTO nowhere VALUES (1);\n")


async def apply(url: str, *migrations: Migration) -> list[str]:
    """Bring a database to a schema of the test's own."""
    address = parse_address(url)
    if isinstance(address, SqliteAddress):
        return await sqlite.migrate(address.path, NOON, migrations)
    return await postgres.migrate(address.uri, NOON, migrations)


async def test_a_blank_database_gets_the_whole_schema_once(blank_url: str, clock: FakeClock) -> None:
    assert await migrate(blank_url, clock) == [migration.name for migration in known_migrations()]
    assert await migrate(blank_url, clock) == []


async def test_opening_a_store_migrates(blank_url: str, clock: FakeClock) -> None:
    async with await open_store(blank_url, clock) as store:
        assert await store.read(lambda tx: tx.queue_depth(NOON)) == (0, None)
    assert await migrate(blank_url, clock) == []


async def test_migrations_are_applied_in_order_as_they_come(blank_url: str) -> None:
    assert await apply(blank_url, FIRST) == ["first"]
    assert await apply(blank_url, FIRST, SECOND) == ["second"]


async def test_a_migration_that_fails_leaves_nothing_behind(blank_url: str) -> None:
    with pytest.raises(Exception, match="nowhere"):
        await apply(blank_url, FIRST, BROKEN)
    assert await apply(blank_url, FIRST, SECOND) == ["second"]


async def test_a_changed_migration_is_an_error_in_words(blank_url: str) -> None:
    await apply(blank_url, FIRST)
    with pytest.raises(TellOperatorError, match="0001_first was changed after it was applied"):
        await apply(blank_url, Migration(1, "first", "CREATE TABLE other (id BIGINT);"))


async def test_a_database_newer_than_the_code_is_an_error_in_words(blank_url: str) -> None:
    await apply(blank_url, FIRST, SECOND)
    with pytest.raises(TellOperatorError, match=r"the database has schema 2 and this version .* knows 1"):
        await apply(blank_url, FIRST)


async def test_tasks_that_migrate_at_once_apply_each_migration_once(blank_url: str) -> None:
    applied = await asyncio.gather(*(apply(blank_url, FIRST, SECOND) for _ in range(4)))
    assert sorted(name for names in applied for name in names) == ["first", "second"]


async def test_processes_that_migrate_at_once_apply_each_migration_once(
    children: Children, blank_url: str
) -> None:
    said = await children.together("migrate", blank_url)
    applied = [name for names in said for name in names.split(",") if name != "nothing"]
    assert sorted(applied) == sorted(migration.name for migration in known_migrations())


async def test_a_database_that_does_not_answer_is_an_error_in_words(clock: FakeClock) -> None:
    with pytest.raises(TryAgainError, match="cannot be reached"):
        await migrate("postgresql://nobody@127.0.0.1:1/none", clock)


async def test_a_file_that_is_no_database_is_an_error_in_words(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "chat.db").write_bytes(b"dear diary, " * 1000)
    with pytest.raises(TellOperatorError, match="cannot be opened: file is not a database"):
        await migrate(f"sqlite:///{tmp_path}/chat.db", clock)


async def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(TellOperatorError, match="cannot be made"):
        await migrate(f"sqlite:///{tmp_path}/data/chat.db", clock)


async def test_a_url_that_libpq_refuses_is_an_error_that_shows_no_secret(clock: FakeClock) -> None:
    with pytest.raises(TellOperatorError, match="DATABASE_URL") as error:
        await migrate("postgresql://u:secret-word%zz@h/name", clock)
    assert "secret-word" not in str(error.value)


def test_every_table_is_strict_on_sqlite(sqlite_file: sqlite3.Connection) -> None:
    loose = "SELECT name FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite%'"
    assert sqlite_file.execute(loose).fetchall() == []


@pytest.mark.parametrize("second", ["0003_third.sql", "0001_other.sql"])
def test_a_gap_in_the_numbers_and_one_that_stands_twice_are_errors(tmp_path: Path, second: str) -> None:
    (tmp_path / "0001_first.sql").write_text("")
    (tmp_path / second).write_text("")
    with pytest.raises(ValueError, match=r"expected a migration named 0002_name\.sql"):
        known_migrations(tmp_path)


def test_sqlite_gets_its_own_types_and_strict_tables() -> None:
    written = (
        "CREATE TABLE t (\n    n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,\n    raw BYTEA\n);"
    )
    assert for_sqlite(written) == "CREATE TABLE t (\n    n INTEGER PRIMARY KEY,\n    raw BLOB\n) STRICT;"


def test_statements_are_split_where_they_end_and_not_within_strings() -> None:
    text = "INSERT INTO t VALUES (';\n');\n-- done;\nDELETE FROM t;\n"
    assert split_statements(text) == ["INSERT INTO t VALUES (';\n');", "-- done;\nDELETE FROM t;"]
