"""The tables and columns of today's schema, as the migrations make them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache

from storage.migrate import TABLE, for_sqlite, known_migrations, split_statements


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table's columns, in order, with SQLite's names of their types, and its key."""

    columns: Mapping[str, str]
    key: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that could hold a name or a text."""
        return tuple(name for name, kind in self.columns.items() if kind == "TEXT")


@cache
def schema() -> Mapping[str, TableShape]:
    """Every table of ours by its name; the same on SQLite and PostgreSQL."""
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute(for_sqlite(TABLE))
        for migration in known_migrations():
            for statement in split_statements(for_sqlite(migration.sql)):
                scratch.execute(statement)
        names = scratch.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )
        return {name: _shape(scratch, name) for (name,) in names.fetchall()}


def _shape(scratch: sqlite3.Connection, table: str) -> TableShape:
    found = scratch.execute(f"PRAGMA table_info({table})").fetchall()
    columns = {name: kind for _, name, kind, *_ in found}
    key = sorted((place, name) for _, name, _, _, _, place in found if place)
    return TableShape(columns, tuple(name for _, name in key))
