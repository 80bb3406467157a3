"""Plants somebody in every table of the schema, as the schema is read, and looks for them afterwards."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import psycopg

from engine.domain import Person
from storage.migrate import known_migrations
from storage.personal import HELD, NOBODYS
from storage.schema import schema

ACCOUNTS = {"account", "owner", "used_by", "gathered_to"}
"""Columns that hold the id of an account where they belong to a table of members."""
PERSONS = {"person", "actor", "subject", "author", "audience", "made_by"}
REFERS = re.compile(r"^\s+(\w+) \w+[^,\n]*REFERENCES (\w+) \((\w+)\)", re.MULTILINE)
ALLOWED = re.compile(r"\b(\w+) TEXT[^,\n]*CHECK \(\1 IN \(([^)]*)\)\)")
TABLE = re.compile(r"^CREATE TABLE (\w+) \((.*?)^\);", re.MULTILINE | re.DOTALL)
STRUCK = {
    *{("alert", "subject"), ("alert", "detail"), ("simulated_object", "owner"), ("simulated_object", "body")},
    *(("local_message", column) for column in ("author", "audience", "body")),
}
"""Of tables that are nobody's: what names in texts are struck out of, or rows found by."""
CODES = {
    *(("turn", column) for column in ("model", "provider", "tier")),
    *(("owed_summary", column) for column in ("model", "asked_provider")),
    ("checkout_attempt", "session"),
    ("conversation", "tier"),
}
"""What the books, and calls to Stripe, take over from rows that go: names of models, ids of Stripe's."""
Value = str | int | bytes | None
Execute = Callable[[str, Sequence[Value]], Sequence[Sequence[Value]]]


@dataclass
class Planted:
    """Somebody's rows: what names them, and every text of theirs."""

    account: str
    person: Person
    texts: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Rules:
    """What a value has to be, by table and column."""

    refers: Mapping[tuple[str, str], tuple[str, str]]
    allowed: Mapping[tuple[str, str], str]


def rules() -> Rules:
    """Foreign keys and closed lists, read out of the migrations."""
    refers: dict[tuple[str, str], tuple[str, str]] = {}
    allowed: dict[tuple[str, str], str] = {}
    for migration in known_migrations():
        for table, body in TABLE.findall(migration.sql):
            refers |= {(table, column): (other, key) for column, other, key in REFERS.findall(body)}
            allowed |= {(table, column): listed.split("'")[1] for column, listed in ALLOWED.findall(body)}
    return Rules(refers, allowed)


def order(found: Rules) -> list[str]:
    """Tables in which each row finds what it names."""
    done: list[str] = []
    left = [name for name in schema() if name != "schema_migrations"]
    while left:
        ready = [name for name in left if named_by(found, name) <= {*done, name}]
        done += ready
        left = [name for name in left if name not in ready]
    return done


def named_by(found: Rules, table: str) -> set[str]:
    """The tables that a table's rows name."""
    return {other for (own, _), (other, _) in found.refers.items() if own == table}


def plant(execute: Execute, person: Person, account: str) -> Planted:
    """A row in every table that is this person's as far as its columns can say so."""
    found, planted = rules(), Planted(account, person)
    for table in order(found):
        columns = schema()[table].columns
        row = {column: value(found, planted, table, column) for column in columns}
        marks = ", ".join("?" for _ in row)
        execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))  # noqa: S608
    return planted


def value(found: Rules, planted: Planted, table: str, column: str) -> Value:
    """What stands in a column."""
    kind = schema()[table].columns[column]
    if kind == "INTEGER":
        return number(planted, column)
    told = named(found, planted, table, column)
    if told is not None:
        return told
    made = text(planted, table, column)
    return made.encode() if kind == "BLOB" else made


def named(found: Rules, planted: Planted, table: str, column: str) -> str | None:
    """What the schema, or the name of the column, wants to stand there; None: any text will do."""
    person = planted.person
    other, key = found.refers.get((table, column), ("", ""))
    if other == "account" or (table, column) == ("account", "id") or column in ACCOUNTS:
        return planted.account
    if other or (column == "turn" and table != "usage_event"):
        return text(planted, other or "turn", key or "id")
    theirs = {
        **dict.fromkeys(PERSONS, person.user if table == "local_message" else str(person)),
        "platform": person.platform.value,
        "workspace": person.workspace,
        "member": person.user,
        **dict.fromkeys(("purse", "scope"), f"team:{planted.account}"),
        "mode": "test",
        "stripe_customer_id": f"cus_{planted.account[:4]}",
        "trials": " ",
    }
    if (table, column) == ("claim", "key"):
        return text(planted, "turn", "key")
    if (table, column) in found.allowed:
        return found.allowed[table, column]
    if table in NOBODYS and column not in {"author", "audience", "scope", "trials"}:
        return text(planted, table, column)
    return theirs.get(column)


def number(planted: Planted, column: str) -> int | None:
    """No number names anybody; those that have to differ do."""
    if column in {"number", "id"}:
        return -1 - "ab".index(planted.account[0])
    return {"erased_at": None, "blocked_at": None}.get(column, 1)


def text(planted: Planted, table: str, column: str) -> str:
    """A text of theirs in that column, with their names unless it was decided that there are none."""
    mine = f"{table} {column} {planted.account[:4]}"
    if (table, column) in neutral():
        return f"kept {mine}"
    made = f"secret {mine} {planted.account} {planted.person}"
    if column == "body":
        made = json.dumps({"text": made, "reply_to": None})
    planted.texts.add(made)
    return made


@cache
def neutral() -> frozenset[tuple[str, str]]:
    """Columns of which it was decided that they name nobody."""
    kept = {(held.table, column) for held in HELD for column in held.keeps}
    whole = {(table, column) for table in NOBODYS for column in schema()[table].columns}
    gone = {(held.table, column) for held in HELD if not held.sets for column in schema()[held.table].columns}
    return frozenset((kept - gone) | (whole - STRUCK) | CODES) - {("audit", "detail")}


def everything(execute: Execute) -> Iterator[tuple[str, str, str]]:
    """Every value of every column of the whole database as text."""
    for table, shape in sorted(schema().items()):
        for row in execute(f"SELECT {', '.join(shape.columns)} FROM {table}", ()):  # noqa: S608 - of the schema
            for column, each in zip(shape.columns, row, strict=True):
                raw = bytes(each) if isinstance(each, (bytes, memoryview)) else str(each).encode()
                yield table, column, raw.decode("utf-8", "replace")


def executing(url: str) -> Execute:
    """A plain connection for each statement, with `?` for values."""
    if urlsplit(url).scheme == "sqlite":

        def on_sqlite(sql: str, values: Sequence[Value]) -> Sequence[Sequence[Value]]:
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db, db:
                return db.execute(sql, values).fetchall()

        return on_sqlite

    def on_postgres(sql: str, values: Sequence[Value]) -> Sequence[Sequence[Value]]:
        with psycopg.connect(url, autocommit=True) as db:
            done = db.execute(sql.replace("?", "%s").encode(), values)
            return done.fetchall() if done.description else []

    return on_postgres
