"""Has PostgreSQL's own tools dump a database and restore it beside the one that it is to replace."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import errors, pq, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from engine.backups import Manifest, Restored
from engine.errors import TellOperatorError
from storage import postgres
from storage.migrate import known_migrations, next_migration
from storage.note import Note
from storage.postgres_connection import Connection, Lane, Patience, translate
from storage.store import Store

DUMP = "pg_dump --format=custom --no-owner --no-privileges --file FILE"
RESTORE = "pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --dbname NEW FILE"
APPLIED = re.compile(r"^(\d+)\t[^\t]*\t\d+\t([0-9a-f]{64})$", re.MULTILINE)


class PostgresSource:
    """A PostgreSQL database."""

    kind = "postgresql"
    suffix = ".dump"
    folder = Path("data/backups")

    def __init__(self, uri: str) -> None:
        self._uri = uri
        try:
            self._name = str(conninfo_to_dict(uri).get("dbname") or "")
        except psycopg.ProgrammingError:  # its message may show a password
            raise TellOperatorError("DATABASE_URL is none that PostgreSQL's own tools would take") from None

    def dump(self, part: Path, now: datetime) -> Manifest:
        """Dump one snapshot, in which the rows are counted too."""
        tool = self._tool("pg_dump", DUMP)
        try:
            with closing(self._connect(self._uri)) as connection, connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                snapshot = one(connection, "SELECT pg_export_snapshot() AS it")
                rows = counts(connection)
                words = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
                self._run([tool, *words, f"--file={part}"], self._name)
        except psycopg.Error as error:
            raise translate(error) from error
        return Manifest(now, self.kind, self._schema(part), rows, "")

    def _schema(self, file: Path) -> int:
        """The number of the last migration in a dump, which `pg_restore` can read to its end."""
        tool = self._tool("pg_restore", RESTORE)
        self._run([tool, "--file=-", str(file)], None, quiet=True)
        told = self._run([tool, "--data-only", "--table=schema_migrations", "--file=-", str(file)], None)
        applied = [(int(number), checksum) for number, checksum in APPLIED.findall(told)]
        if not applied:
            raise TellOperatorError(f"{file} is no dump of a database of this program")
        next_migration(known_migrations(), applied)
        return applied[-1][0]

    async def replace(self, file: Path, known: Manifest | None, note: Note, now: datetime) -> Restored:
        """Restore beside the database, with all that has to be done, then let them change names in one go."""
        fresh, aside = f"{self._name}_restoring", f"{self._name}_replaced_{now:%Y%m%dt%H%M%S}"
        beside = make_conninfo(self._uri, dbname=fresh)
        try:
            await asyncio.to_thread(self._fill, file, fresh, known)
            migrated = await postgres.migrate(beside, now)
            async with Store(postgres.PostgresBackend(beside)) as store:
                due = await note.write(store)
            await asyncio.to_thread(self._swap, fresh, aside)
        except errors.InsufficientPrivilege as error:
            raise TellOperatorError(f"{self._forbidden()} ({error})") from error
        except errors.ObjectInUse as error:
            raise TellOperatorError(
                "a process has the database open: stop the bot and everything else that uses it first"
            ) from error
        except psycopg.Error as error:
            raise translate(error) from error
        return Restored(f"the database {aside}", known.made_at if known else None, migrated, due)

    def _fill(self, file: Path, fresh: str, known: Manifest | None) -> None:
        self._schema(file)
        with closing(self._maintenance()) as connection:
            if in_use(connection, self._name):
                raise errors.ObjectInUse
            # a restore that was killed may have left a pg_restore that still fills it
            left = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(fresh))
            connection.execute(left)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(fresh)))
        tool = self._tool("pg_restore", RESTORE)
        words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        self._run([tool, *words, f"--dbname={fresh}", str(file)], fresh)
        with closing(self._connect(make_conninfo(self._uri, dbname=fresh))) as connection:
            if known and (has := counts(connection)) != known.rows:
                wrong = sorted(name for name in {*known.rows, *has} if known.rows.get(name) != has.get(name))
                raise TellOperatorError(
                    f"{file} has not as many rows as were backed up, in {', '.join(wrong)}"
                )

    def _swap(self, fresh: str, aside: str) -> None:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        with closing(self._maintenance()) as connection, connection.transaction():
            for old, new in ((self._name, aside), (fresh, self._name)):
                connection.execute(rename.format(sql.Identifier(old), sql.Identifier(new)))

    def _maintenance(self) -> Connection:
        other = "template1" if self._name == "postgres" else "postgres"
        return self._connect(make_conninfo(self._uri, dbname=other))

    def _connect(self, uri: str) -> Connection:
        return Lane(uri, Patience(), prepared_statements=False).connection()

    def _tool(self, name: str, words: str) -> str:
        found = shutil.which(name)
        if found is None:
            raise TellOperatorError(f"{name} is not installed here: {self._by_hand(words)}")
        return found

    def _forbidden(self) -> str:
        return (
            "the user of DATABASE_URL may not make databases: have an empty one made, for NEW "
            f"{self._by_hand(RESTORE)}, set DATABASE_URL to it, and run main.py reconcile"
        )

    def _by_hand(self, words: str) -> str:
        """A command to run elsewhere; the password is for the environment, as others see what is run."""
        told = conninfo_to_dict(self._uri)
        host = " ".join(
            f"{variable}={told[key]}"
            for key, variable in variables().items()
            if key in told and key != "password"
        )
        return f'run "{host} {words}", with the password in PGPASSWORD or in a file of PGPASSFILE'

    def _run(self, command: Sequence[str], database: str | None, *, quiet: bool = False) -> str:
        """Run a tool, which gets the address and password from its environment."""
        told = {key: str(value) for key, value in conninfo_to_dict(self._uri).items() if value is not None}
        named = {**told, "dbname": database} if database else {}
        environment = {variables()[key]: value for key, value in named.items() if key in variables()}
        output = subprocess.DEVNULL if quiet else subprocess.PIPE
        done = subprocess.run(  # noqa: S603 - PostgreSQL's tools, by their paths
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise TellOperatorError(f"{Path(command[0]).name} failed: {' '.join(done.stderr.split())[:500]}")
        return done.stdout or ""


def variables() -> Mapping[str, str]:
    """The environment variables of libpq's parameters."""
    return {each.keyword.decode(): each.envvar.decode() for each in pq.Conninfo.get_defaults() if each.envvar}


def one(connection: Connection, words: str) -> str:
    """The one value that a statement calls `it`."""
    (row,) = connection.execute(words.encode()).fetchall()
    return str(row["it"])


def in_use(connection: Connection, name: str) -> bool:
    """Whether anybody is connected to a database."""
    (row,) = connection.execute(
        "SELECT COUNT(*) AS it FROM pg_stat_activity WHERE datname = %s", (name,)
    ).fetchall()
    return int(row["it"]) > 0


def counts(connection: Connection) -> Mapping[str, int]:
    """How many rows each table of the program has."""
    found = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
    )
    query = sql.SQL("SELECT COUNT(*) AS it FROM {}")
    names = [str(row["tablename"]) for row in found.fetchall()]
    asked = {name: connection.execute(query.format(sql.Identifier(name))).fetchone() for name in names}
    return {name: int(row["it"]) for name, row in asked.items() if row}
