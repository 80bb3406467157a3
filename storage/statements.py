"""Loads the named statements of queries/ and writes their parameters as each driver wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "queries"

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)
_COMMENT_LINE = re.compile(r"^--.*$", re.MULTILINE)
_TOKEN = re.compile(
    r"""
      '(?:[^']|'')*'            # a string
    | "(?:[^"]|"")*"            # a quoted name
    | --[^\n]*                  # a comment to the end of its line
    | /\*.*?\*/                 # a comment
    | ::                        # a cast of PostgreSQL
    | :(?P<parameter>[A-Za-z_]\w*)
    | %
    """,
    re.VERBOSE | re.DOTALL,
)

Statements = Mapping[str, str]


def for_psycopg(sql: str) -> str:
    """`:name` becomes `%(name)s`, except in strings, quoted names and comments; every `%` is doubled."""
    return _TOKEN.sub(_write_token, sql)


def _write_token(token: re.Match[str]) -> str:
    parameter = token["parameter"]
    return f"%({parameter})s" if parameter else token[0].replace("%", "%%")


def split_named(text: str, origin: str) -> Iterator[tuple[str, str]]:
    """The (name, statement) blocks of one file; ValueError for text before the first name or no statement."""
    head, *blocks = _NAME.split(text)
    names, statements = blocks[::2], [_bare(block) for block in blocks[1::2]]
    if _bare(head) or not all(statements):
        message = f"{origin}: every statement stands under its own '-- name:' line"
        raise ValueError(message)
    return zip(names, statements, strict=True)


def _bare(block: str) -> str:
    """A statement without the comment lines around it and its semicolon."""
    return _COMMENT_LINE.sub("", block).strip().rstrip(";")


def collect(files: Iterable[tuple[str, str]]) -> Statements:
    """All statements of (file name, text) pairs; ValueError if two have one name."""
    statements: dict[str, str] = {}
    for origin, text in files:
        for name, sql in split_named(text, origin):
            if name in statements:
                message = f"{origin}: a statement named {name} exists already"
                raise ValueError(message)
            statements[name] = sql
    return MappingProxyType(statements)


@cache
def sqlite_statements() -> Statements:
    """The statements as they are written, and those of every table that holds what is a person's."""
    from storage import personal  # noqa: PLC0415 - it reads the migrations, which need what needs this

    written = ((file.name, file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.sql")))
    return collect((*written, ("personal.py", personal.statements())))


@cache
def psycopg_statements() -> Statements:
    """The statements with psycopg's parameters."""
    return MappingProxyType({name: for_psycopg(sql) for name, sql in sqlite_statements().items()})
