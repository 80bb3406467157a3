"""Reads DATABASE_URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

EXPECTED = "write sqlite:///data/chat.db, sqlite:////var/lib/chat.db or postgresql://user@host:port/name"


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A database file; a relative path starts at the working directory."""

    path: Path


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A libpq connection URI, which may hold a password: never show it."""

    uri: str


Address = SqliteAddress | PostgresAddress


def parse_address(url: str) -> Address:
    """Tell which database a URL names.

    Three slashes make a path relative and four make it absolute, as SQLAlchemy's URLs have taught everybody.
    Raises ValueError, in words that do not repeat the URL, since it may hold a password.
    """
    scheme, _, rest = url.strip().partition("://")
    if scheme in {"postgresql", "postgres"} and rest:
        return PostgresAddress(f"postgresql://{rest}")
    if scheme == "sqlite":
        return _sqlite(url.strip())
    message = f"the database URL begins with {scheme!r}: {EXPECTED}"
    raise ValueError(message)


def _sqlite(url: str) -> SqliteAddress:
    parts = urlsplit(url)
    path = unquote(parts.path[1:])
    if parts.netloc or parts.query or not path or path.endswith("/") or path == ":memory:":
        message = f"the database URL names no SQLite file: {EXPECTED}"
        raise ValueError(message)
    return SqliteAddress(Path(path))
