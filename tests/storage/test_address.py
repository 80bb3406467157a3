"""What DATABASE_URL may say."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from storage.address import PostgresAddress, SqliteAddress, parse_address
from storage.store import open_store
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///data/chat.db", "data/chat.db"),
        ("sqlite:////var/lib/chat.db", "/var/lib/chat.db"),
        ("sqlite:///with%20space.db", "with space.db"),
        (" sqlite:///chat.db\n", "chat.db"),
    ],
)
def test_a_sqlite_url_names_a_relative_or_an_absolute_file(url: str, path: str) -> None:
    assert parse_address(url) == SqliteAddress(Path(path))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_postgresql_url_is_kept_as_libpq_takes_it(scheme: str) -> None:
    rest = "user@host:5432/name?sslmode=require"
    assert parse_address(f"{scheme}://{rest}") == PostgresAddress(f"postgresql://{rest}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "chat.db",
        "mysql://h/secret-word",
        "sqlite://",
        "sqlite:///",
        "sqlite://h/secret-word",
        "sqlite:///folder/",
        "sqlite:///:memory:",
        "postgresql://",
    ],
)
def test_anything_else_is_refused_in_words_that_show_no_secret(url: str) -> None:
    with pytest.raises(ValueError, match=r"write sqlite:///data/chat\.db") as error:
        parse_address(url)
    assert "secret-word" not in str(error.value)


async def test_a_new_database_file_can_be_read_by_its_owner_alone(tmp_path: Path, clock: FakeClock) -> None:
    async with await open_store(f"sqlite:///{tmp_path}/new/data/chat.db", clock):
        folder, file = tmp_path / "new" / "data", tmp_path / "new" / "data" / "chat.db"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) & 0o077 for each in folder.glob("chat.db*")} == {0}
        assert file.exists()
