"""Named statements, and how their parameters are written for psycopg."""

from __future__ import annotations

import re
import sqlite3

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.statements import collect, for_psycopg, psycopg_statements, split_named, sqlite_statements

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
TEXT = st.text(st.sampled_from("ab:%-/*\"' \n?;"), max_size=12)
STRINGS = TEXT.map(lambda text: "'" + text.replace("'", "''") + "'")
QUOTED = TEXT.map(lambda text: '"' + text.replace('"', '""') + '"')
COMMENTS = TEXT.map(lambda text: f"--{text}".replace("\n", " ") + "\n")
BLOCKS = TEXT.map(lambda text: f"/*{text.replace('*', '').replace('/', '')}*/")
PLAIN = st.sampled_from(["SELECT ", " % ", "a::text", " || ", "(", ") ", "1", " <= ", "\n", ", "])
PIECES = st.one_of(
    st.tuples(st.just("kept"), st.one_of(STRINGS, QUOTED, COMMENTS, BLOCKS, PLAIN)),
    st.tuples(st.just("parameter"), NAMES),
)


@given(st.lists(PIECES, max_size=20))
def test_exactly_the_parameters_are_rewritten_and_every_percent_sign_is_doubled(
    pieces: list[tuple[str, str]],
) -> None:
    written = " ".join(f":{text}" if kind == "parameter" else text for kind, text in pieces)
    expected = " ".join(
        f"%({text})s" if kind == "parameter" else text.replace("%", "%%") for kind, text in pieces
    )
    assert for_psycopg(written) == expected


@pytest.mark.postgres
def test_a_rewritten_statement_means_the_same_to_both_databases(postgres_url: str) -> None:
    sql = """SELECT :a AS a, ':a %s ''%(a)s''' AS "quoted :a %", 7 % 4 AS rest -- :none, %
        /* :none % */, 'x' || :b AS b, :a LIKE '%,' || 'y' || ',%' AS found"""
    values = {"a": "x,y,z", "b": "%(a)s"}
    ours = sqlite3.connect(":memory:")
    ours.row_factory = sqlite3.Row
    expected = dict(ours.execute(sql, values).fetchone())
    ours.close()
    with psycopg.connect(postgres_url, row_factory=psycopg.rows.dict_row) as connection:
        assert connection.execute(for_psycopg(sql).encode(), values).fetchone() == expected


def test_blocks_are_split_at_their_names_without_comments_and_semicolons() -> None:
    text = "-- About this file.\n-- name: one\nSELECT 1;\n\n-- Why.\n-- name: two\nSELECT ':x',\n    2;\n"
    assert dict(split_named(text, "file.sql")) == {"one": "SELECT 1", "two": "SELECT ':x',\n    2"}


@pytest.mark.parametrize(
    "text", ["SELECT 1;\n-- name: one\nSELECT 2;", "-- name: one\n-- name: two\nSELECT 1;"]
)
def test_a_statement_without_a_name_and_a_name_without_a_statement_are_errors(text: str) -> None:
    with pytest.raises(ValueError, match=r"file\.sql: every statement stands under its own"):
        dict(split_named(text, "file.sql"))


def test_two_statements_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"b\.sql: a statement named one exists already"):
        collect([("a.sql", "-- name: one\nSELECT 1;"), ("b.sql", "-- name: one\nSELECT 2;")])


def test_every_statement_is_sound_for_sqlite(sqlite_file: sqlite3.Connection) -> None:
    for sql in sqlite_statements().values():
        sqlite_file.execute(f"EXPLAIN {sql}", dict.fromkeys(re.findall(r":(\w+)", sql)))


@pytest.mark.postgres
def test_every_statement_is_sound_for_postgresql(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        for sql in psycopg_statements().values():
            values = dict.fromkeys(re.findall(r"%\((\w+)\)s", sql))
            connection.execute(b"EXPLAIN " + sql.encode(), values)
