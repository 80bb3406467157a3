"""Nothing of somebody who was erased is in any column of the schema, and nothing of others is missing."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from engine.audit import Actor, Origin
from engine.domain import AccountId, Person, Platform
from engine.erasing import erase
from engine.erasure import Erased, Fate
from engine.facts import Mode
from storage.personal import HELD, NOBODYS
from storage.schema import schema
from storage.store import open_store
from tests.fakes.clock import NOON, FakeClock
from tests.storage.planting import Planted, everything, executing, plant

ADA = Actor("console:ada", Origin.CONSOLE)
VIC = Person(Platform.LOCAL, "", "vic")
VICKY = Person(Platform.LOCAL, "", "vicky")
VIC_ID, VICKY_ID = "a" * 32, "b" * 32
NAME = "erased:0123456789abcdef"
KEPT_TEXTS = {(held.table, column) for held in HELD for column in held.keeps}


def test_every_table_has_been_decided_about() -> None:
    decided = {held.table for held in HELD} | set(NOBODYS)
    assert set(schema()) - decided == set(), "say in storage/personal.py whose rows of these tables are"
    assert decided - set(schema()) == set(), "these are no tables any more"


def test_every_text_that_stays_has_been_decided_about() -> None:
    """A text that is added to rows that stay gets a new value, or is said to name nobody."""
    for table in {held.table for held in HELD if held.sets and "account" in held.sets} | {
        "audit",
        "stripe_event",
    }:
        said = {column for held in HELD if held.table == table for column in (*held.sets, *held.keeps)}
        gone = any(held.table == table and not held.sets for held in HELD)
        assert gone or set(schema()[table].texts) - said == set(), f"say in storage/personal.py of {table}"


def test_no_table_that_names_people_is_said_to_be_nobodys() -> None:
    names = {"account", "member", "person", "used_by", "author"}
    named = {name for name in NOBODYS if names & set(schema()[name].columns)}
    assert named == {"local_message"}  # of which theirs are found by what answers what


@pytest.fixture
async def planted(blank_url: str) -> tuple[str, Planted, Planted]:
    """A database in which Vic and Vicky have a row in every table."""
    await (await open_store(blank_url, FakeClock())).close()
    execute = executing(blank_url)
    return blank_url, plant(execute, VIC, VIC_ID), plant(execute, VICKY, VICKY_ID)


async def test_no_column_of_any_table_holds_anything_of_who_was_erased(
    planted: tuple[str, Planted, Planted],
) -> None:
    url, vic, _ = planted
    execute = executing(url)
    before = list(everything(execute))
    async with await open_store(url, FakeClock()) as store:
        done = await store.transact(lambda tx: erase(tx, ADA, VIC, NAME, Mode.LIVE, NOON))
        assert isinstance(done, Erased)
        searched, found = await store.read(lambda tx: tx.remains(done.account, VIC))
        _, others = await store.read(lambda tx: tx.remains(AccountId(VICKY_ID), VICKY))
    assert (found, searched > 150) == ([], True)
    assert {"account.id", "turn.prompt", "audit.subject"} <= set(others)
    after = list(everything(execute))
    named = [(t, c, text) for t, c, text in after if VIC_ID in text or holds(text, str(VIC)) or text == "vic"]
    assert named == []
    stay = {(table, column) for table, column, text in after if text in vic.texts}
    assert stay == set()
    theirs = [each for each in before if VICKY_ID in each[2] or each[2] == "vicky"]
    assert [each for each in theirs if each not in after] == []


def holds(text: str, name: str) -> bool:
    """Whether a name stands in a text by itself: `local:vic`, not `local:vicky`."""
    return any(not rest[:1].isalnum() for rest in text.split(name)[1:])


async def test_what_is_not_deleted_says_why(planted: tuple[str, Planted, Planted]) -> None:
    url, _, _ = planted
    async with await open_store(url, FakeClock()) as store:
        done = await store.transact(lambda tx: erase(tx, ADA, VIC, NAME, Mode.LIVE, NOON))
        assert isinstance(done, Erased)
        kept = [trace for trace in done.traces if trace.fate is not Fate.DELETED]
        assert all(trace.why for trace in kept)
        (entry, *_) = await store.read(lambda tx: tx.deeds(None, 1))
    assert (entry.actor, entry.subject) == (ADA, NAME)
    assert entry.detail == f"{sum(trace.rows for trace in done.traces)} rows"


@pytest.mark.postgres
async def test_what_is_being_written_about_them_is_waited_for_and_goes_too(blank_postgres_url: str) -> None:
    url = blank_postgres_url
    async with await open_store(url, FakeClock()) as store:
        account = await store.transact(lambda tx: tx.lock_account(VIC, NOON).id)
        with psycopg.connect(url) as other:  # as a unit does that holds no lock on the account
            other.execute("INSERT INTO code_try (account, since, tries) VALUES (%s, 0, 1)", [account])
            erasing = asyncio.create_task(
                store.transact(lambda tx: erase(tx, ADA, VIC, NAME, Mode.LIVE, NOON))
            )
            waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while not executing(url)(waits, ()):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
            other.commit()
        assert isinstance(await erasing, Erased)
    assert executing(url)("SELECT * FROM code_try", ()) == []
