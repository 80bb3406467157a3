"""Kept questions are sealed: nobody reads them in the database, and each opens as itself alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Ask, KeptId, Place, Platform, RefusalReason, Seat
from engine.files import Document, Image
from engine.keeping import KEPT_FOR, LARGEST, MOST_KEPT, Keeping
from engine.kept import SealedQuestion
from engine.ledger import Tx
from engine.parcel import Parcel, pack, unpack
from storage.store import Store
from storage.vault import vault_of
from tests.engine.conftest import ALICE, Hall, last
from tests.engine.test_keeping import KEY, PAPER, PICTURE, WORDS, opened, rows, stopped, waiting
from tests.engine.test_keeping import hall as hall  # noqa: PLC0414 - a fixture

OTHER = "o" * 32


async def test_nothing_that_was_asked_can_be_read_in_the_database(hall: Hall, database_url: str) -> None:
    hall.seeing("quick")
    await waiting(hall, f"{WORDS} of a member", attachments=(PICTURE, PAPER))
    dump = await asyncio.to_thread(everything_in, database_url)
    assert b"kept_question" in dump
    assert b"unmistakable" not in dump


def everything_in(url: str) -> bytes:
    """The whole database: its files, or what PostgreSQL copies out of each of its tables."""
    if url.startswith("sqlite"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        return b"".join(file.read_bytes() for file in folder.iterdir())
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return b"".join(b"".join((name.encode(), *copied(connection, name))) for (name,) in names)


def copied(connection: psycopg.Connection, table: str) -> list[bytes]:
    """All rows of a table, as bytes."""
    words = b"COPY " + table.encode() + b" TO STDOUT (FORMAT BINARY)"
    with connection.cursor().copy(words) as copy:
        return [bytes(part) for part in copy]


async def test_a_key_can_be_replaced_while_questions_wait(hall: Hall) -> None:
    kept = await waiting(hall)
    hall.keys = (OTHER, KEY)
    assert (await opened(hall, kept)).parcel.ask.text == WORDS
    newer = await waiting(hall, "another", seat=Seat("elsewhere"))
    hall.keys = (OTHER,)
    assert (await opened(hall, newer)).parcel.ask.text == "another"
    assert await hall.chat().keeping.find(ALICE, kept.id, "local:x") is RefusalReason.UNKEPT
    assert await rows(hall) == ["another"]


async def test_without_a_key_nothing_is_kept_and_nothing_is_promised(hall: Hall) -> None:
    hall.keys = ()
    assert (await stopped(hall)).kept is None
    hall.keys = (KEY,)
    assert await rows(hall) == []
    kept = await waiting(hall)
    hall.keys = ()
    assert await hall.chat().keeping.find(ALICE, kept.id, "local:x") is RefusalReason.UNKEPT
    assert await hall.chat().keeping.newest(ALICE) is None


async def test_a_row_that_is_swapped_with_another_ones_does_not_open(hall: Hall, store: Store) -> None:
    mine = await waiting(hall)
    other = await waiting(hall, "another", seat=Seat("elsewhere"))
    now = hall.clock.now()

    def swap(tx: Tx) -> None:
        one, two = tx.kept_question(mine.id, now), tx.kept_question(other.id, now)
        assert one
        assert two
        for each, content in ((one, two.content), (two, one.content)):
            tx.drop_question(each.id)
            tx.keep_question(replace(each, content=content), MOST_KEPT)

    await store.transact(swap)
    for kept in (mine, other):
        assert await hall.chat().keeping.find(ALICE, kept.id, "local:x") is RefusalReason.UNKEPT


async def test_what_another_version_packed_counts_as_gone(hall: Hall, store: Store) -> None:
    await last(hall.chat(), hall.ask())
    now, vault = hall.clock.now(), vault_of((KEY,))
    assert vault
    content = pack(Parcel(hall.ask(WORDS))).replace(b'"version": 1', b'"version": 9')

    def keep(tx: Tx) -> KeptId:
        account = tx.lock_account(ALICE, now)
        row = SealedQuestion(KeptId("q"), account.id, "local:", b"", now, now + KEPT_FOR)
        tx.keep_question(replace(row, content=vault.seal(content, row.about)), MOST_KEPT)
        return row.id

    kept = await store.transact(keep)
    assert await Keeping(store, hall.clock, vault).find(ALICE, kept, "local:x") is RefusalReason.UNKEPT


async def test_of_a_pdf_that_is_too_large_the_text_is_kept_and_of_a_scan_nothing(hall: Hall) -> None:
    hall.reading("quick")
    large = replace(PAPER, pdf=b"x" * LARGEST)
    kept = (await stopped(hall, attachments=(large,))).kept
    assert kept
    assert (await opened(hall, kept)).parcel.ask.attachments == (replace(PAPER, pdf=b""),)
    assert (await stopped(hall, attachments=(replace(large, text=""),))).kept is None


TEXTS = st.text(max_size=20)
FILES = st.one_of(
    st.builds(Image, TEXTS, TEXTS, st.binary(max_size=20), st.integers(1, 9), st.integers(1, 9)),
    st.builds(Document, TEXTS, TEXTS, TEXTS, st.none() | st.integers(1, 9), st.binary(max_size=20)),
)
PLACES = st.builds(
    Place,
    st.sampled_from(Platform),
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.frozensets(TEXTS, max_size=3),
)
ASKS = st.builds(
    Ask,
    st.just("key"),
    st.just(ALICE),
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.booleans(),
    st.none() | TEXTS,
    st.none() | PLACES,
    st.lists(FILES, max_size=3).map(tuple),
    message=st.none() | TEXTS,
    seat=st.none() | st.builds(Seat, TEXTS, TEXTS, st.booleans()),
    kept=st.just(KeptId("kept")),
)


@given(ASKS, st.none() | st.lists(TEXTS, max_size=3).map(tuple))
def test_whatever_is_packed_comes_out_as_it_was(ask: Ask, models: tuple[str, ...] | None) -> None:
    parcel = Parcel(ask, models)
    assert unpack(pack(parcel), ALICE, "key", KeptId("kept")) == parcel


@given(st.binary(max_size=40), TEXTS, TEXTS, st.integers(0, 200))
def test_what_is_sealed_opens_as_that_one_thing_and_unchanged_or_not_at_all(
    content: bytes, about: str, other: str, at: int
) -> None:
    vault = vault_of((KEY,))
    assert vault
    sealed = vault.seal(content, about)
    assert vault.open(sealed, about) == content
    assert vault.open(sealed, other) == (content if other == about else None)
    flipped = bytearray(sealed)
    flipped[at % len(sealed)] ^= 1
    assert vault.open(bytes(flipped), about) is None
    assert vault.open(sealed[: at % len(sealed)], about) is None
