"""How much a unit of work reads, told by the databases themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest

from storage.postgres_connection import PostgresSession
from storage.session import Params, Row, Session
from storage.sqlite_connection import SqliteSession


@dataclass(slots=True)
class Gauge:
    """What was read: statements, rows and characters that came back, and the work to find them.

    `work` is instructions of SQLite's machine, or rows that PostgreSQL looked at where an index could serve.
    """

    statements: int = 0
    rows: int = 0
    characters: int = 0
    work: int = 0

    def add(self, rows: list[Row]) -> list[Row]:
        """Count what a statement brought."""
        self.statements += 1
        self.rows += len(rows)
        for row in rows:
            values = dict(cast("Mapping[str, object]", row)).values()
            self.characters += sum(len(each) for each in values if isinstance(each, str))
        return rows


@contextmanager
def listed(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The name of every statement that any unit executes meanwhile, in order."""
    names: list[str] = []
    plain = Session._guarded  # noqa: SLF001 - the one place that all statements pass

    def guarded(session: Session, execute: object, name: str, params: object) -> object:
        names.append(name)
        return plain(session, execute, name, params)  # type: ignore[arg-type]

    with patch.context() as patched:
        patched.setattr(Session, "_guarded", guarded)
        yield names


@contextmanager
def gauged(patch: pytest.MonkeyPatch) -> Iterator[Gauge]:
    """Everything that is read by any unit meanwhile."""
    gauge = Gauge()
    with patch.context() as patched:
        for kind, fetch in ((SqliteSession, on_sqlite(gauge)), (PostgresSession, on_postgres(gauge))):
            patched.setattr(kind, "_fetch", fetch)
        yield gauge


def on_sqlite(gauge: Gauge) -> object:
    """Reads as it does, counting instructions."""
    plain = SqliteSession._fetch  # noqa: SLF001 - the one place that all statements pass

    def tick() -> int:
        gauge.work += 1
        return 0

    def fetch(session: Any, sql: str, params: Params) -> list[Row]:  # noqa: ANN401 - its insides are looked at
        session._connection.set_progress_handler(tick, 1)  # noqa: SLF001 - as above
        try:
            return gauge.add(plain(session, sql, params))
        finally:
            session._connection.set_progress_handler(None, 0)  # noqa: SLF001 - as above

    return fetch


def on_postgres(gauge: Gauge) -> object:
    """Reads as it does, and has every query explained with what it really looked at."""
    plain = PostgresSession._fetch  # noqa: SLF001 - the one place that all statements pass

    def fetch(session: Session, sql: str, params: Params) -> list[Row]:
        if sql.startswith(("SELECT", "WITH")):
            plain(cast("PostgresSession", session), "SELECT set_config('enable_seqscan', 'off', TRUE)", {})
            explained = plain(
                cast("PostgresSession", session), f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params
            )
            gauge.work += looked_at(explained[0]["QUERY PLAN"][0]["Plan"])
        return gauge.add(plain(cast("PostgresSession", session), sql, params))

    return fetch


def looked_at(plan: Mapping[str, Any]) -> int:
    """The rows of tables that a plan read, whether they were of use or not."""
    own = plan["Actual Rows"] + sum(
        plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck")
    )
    rows = round(own * plan["Actual Loops"]) if "Relation Name" in plan else 0
    return rows + sum(looked_at(each) for each in plan.get("Plans", ()))
