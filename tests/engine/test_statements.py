"""How many statements a question costs, admitted and settled: each is a way to a database elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.chat import Chat
from engine.domain import Answered, Person
from tests.engine.club import TEAM_SUB, Club
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.gauge import listed
from tests.engine.test_catalogue import PREMIUM_SUB
from tests.engine.test_metering import DOLLAR, Metered, subscription

LOCKING = ("claim", "lock_account", "lock_team", "lock_account_of_turn")


async def counted(hall: Hall, chat: Chat, patch: pytest.MonkeyPatch, person: Person = ALICE) -> list[str]:
    """The statements of a second question in a thread."""
    await last(chat, hall.ask(person=person, anchors=("thread",), message="first"))
    hall.clock.advance(timedelta(minutes=2))
    with listed(patch) as names:
        end = await last(chat, hall.ask(person=person, anchors=("thread",), message="second"))
    assert isinstance(end, Answered)
    return names


async def test_a_free_question_costs_21_statements(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.free(conversations_per_day=10)
    assert len(await counted(hall, hall.chat(), monkeypatch)) == 21


async def test_a_paid_question_costs_21_statements(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    club = Club(hall)
    await club.has(ALICE, PREMIUM_SUB)
    assert len(await counted(hall, club.chat(), monkeypatch)) == 21


@pytest.mark.parametrize(("person", "statements"), [(ALICE, 25), (BOB, 26)], ids=["owner", "joined"])
async def test_a_question_of_a_team_reads_what_its_owner_has_once(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, person: Person, statements: int
) -> None:
    club = Club(hall)
    await club.has(ALICE, TEAM_SUB)
    await club.joins(BOB)
    names = await counted(hall, club.chat(), monkeypatch, person)
    assert len(names) == statements
    assert [name for name in names if name in LOCKING] == list(LOCKING)


async def test_a_metered_question_locks_its_account_twice_in_all(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()).id)
    metered = Metered(hall, account)
    await metered.has(subscription())
    await metered.says(DOLLAR)
    names = await counted(hall, metered.chat(), monkeypatch)
    assert len(names) == 26
    assert [name for name in names if name.startswith("lock")] == ["lock_account", "lock_account_of_turn"]
