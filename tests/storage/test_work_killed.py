"""Processes that are killed at each step of announcing or letting go: told once, and nothing half gone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from engine import ports
from engine.announcements import Letter
from engine.announcing import LEASE, Announcing
from engine.audit import Actor, Origin
from engine.domain import Person, Platform
from engine.emptying import Emptying
from engine.facts import Mode
from engine.ledger import Tx
from engine.retention import Retention
from storage.store import open_store
from tests.engine.conftest import CATALOGUE
from tests.fakes.clock import NOON, FakeClock
from tests.storage.makers import rows
from tests.storage.test_backup_killed import dies
from tests.storage.test_retention import CONTENT, DAY, FIGURES, talk

T = TypeVar("T")
ADA = Actor("console:ada", Origin.CONSOLE)
QUICKLY = dict.fromkeys(Platform, 60_000)
MEMBERS = [Person(Platform.LOCAL, "", f"member{number:02}") for number in range(14)]
STEPS = 5
"""Units of a process: two that gather, and for each member one that claims and one that notes."""


class Doomed:
    """A store whose process is killed at its n-th unit that does anything: before, or once it is durable."""

    def __init__(self, store: ports.Store, last: int, *, after: bool) -> None:
        self.read = store.read
        self._store = store
        self._left = last
        self._after = after

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run the unit, or die; what finds nothing to do is no step."""
        due = False

        def mortal(tx: Tx) -> T:
            nonlocal due
            result = work(tx)
            counts = result != 0
            self._left -= counts
            due = counts and self._left == 0
            if due and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        result = await self._store.transact(mortal)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class Screen:
    """What members see, kept in a file: what is shown outlives who showed it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def told(self) -> list[str]:
        """Letters in the order in which they came."""
        return self._file.read_text().split() if self._file.exists() else []

    async def announce(self, letter: Letter, *, again: bool) -> None:
        """Show it, unless this is another try and it is there."""
        if again and letter.key in self.told:
            return
        with self._file.open("a") as shown:
            shown.write(f"{letter.key}\n")


async def draft(url: str) -> None:
    """Let an announcement be sent to all members."""
    async with await open_store(url, FakeClock()) as store:
        await store.transact(meet)
        announcing = Announcing(store, FakeClock(), CATALOGUE, Mode.TEST, QUICKLY)
        name = await announcing.draft(await announcing.preview(ADA, "Tonight at 8."))
        assert await announcing.confirm(ADA, name)


def meet(tx: Tx) -> None:
    """Let everybody be a member."""
    for person in MEMBERS:
        tx.lock_account(person, NOON)
        tx.set_locale(person, "en")


async def announce(url: str, clock: FakeClock, screen: Screen, last: int, *, after: bool) -> None:
    """What a process does of announcing until it has ended, or its n-th step."""
    async with await open_store(url, clock) as store:
        doomed = Doomed(store, last, after=after)
        announcing = Announcing(doomed, clock, CATALOGUE, Mode.TEST, QUICKLY)
        announcing.criers[Platform.LOCAL] = screen
        while await announcing.gather():
            pass
        while await announcing.work():
            clock.advance(timedelta(seconds=1))


def test_whoever_is_killed_while_announcing_has_each_member_told_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.announcing.AT_ONCE", 8)
    clock, screen = FakeClock(), Screen(tmp_path / "shown")
    asyncio.run(draft(database_url))

    def work(last: int, *, after: bool) -> bool:
        clock.advance(LEASE * 2)
        return dies(lambda: asyncio.run(announce(database_url, clock, screen, last, after=after)))

    killed = [work(last, after=after) for last in range(1, STEPS) for after in (False, True)]
    assert all(killed)
    assert 0 < len(screen.told) < len(MEMBERS)
    assert not work(0, after=False)
    assert set(Counter(screen.told).values()) == {1}
    assert len(screen.told) == len(MEMBERS)
    assert set(rows(database_url, "SELECT state FROM announced")) == {("sent",)}


async def fill(url: str) -> None:
    """An old conversation, and a new one."""
    async with await open_store(url, FakeClock()) as store:
        for name, at in (("old", NOON), ("new", NOON + 8 * DAY)):
            await store.transact(lambda tx, n=name, t=at: talk(tx, n, 6, at=t))  # type: ignore[misc]


async def let_go(url: str, *, last: int, after: bool) -> None:
    """What a process lets go until nothing is due, or its n-th step."""
    clock = FakeClock(NOON + 10 * DAY)
    async with await open_store(url, clock) as store:
        doomed = Doomed(store, last, after=after)
        await Emptying(doomed, clock, Retention(content=5 * DAY)).work()


def test_whoever_is_killed_while_letting_go_leaves_no_conversation_half_there(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What members can go on from is whole; what is not has been closed, and the next process ends it."""
    monkeypatch.setattr("engine.emptying.ROWS", 3)
    asyncio.run(fill(database_url))
    figures = [rows(database_url, query) for query in FIGURES]
    whole = "SELECT c.id FROM conversation c WHERE c.emptied_at IS NULL ORDER BY c.id"
    said = "SELECT conversation, COUNT(*) FROM turn WHERE prompt <> '' GROUP BY conversation ORDER BY 1"
    seen, alive = set(), True
    while alive:
        before = [rows(database_url, query) for query in CONTENT]
        assert dies(lambda: asyncio.run(let_go(database_url, last=1, after=False)))
        assert [rows(database_url, query) for query in CONTENT] == before
        alive = dies(lambda: asyncio.run(let_go(database_url, last=1, after=True)))
        there = {str(name): turns for name, turns in rows(database_url, said)}
        assert all(there.get(str(name)) == 6 for (name,) in rows(database_url, whole))
        assert [rows(database_url, query) for query in FIGURES] == figures
        seen.add(tuple(sorted(there.items())))
        alive = rows(database_url, "SELECT COUNT(*) FROM conversation WHERE content = 1") != [(1,)]
    assert len(seen) > 1
    assert rows(database_url, whole) == [("new",)]
    assert rows(database_url, said) == [("new", 6)]
    assert not dies(lambda: asyncio.run(let_go(database_url, last=1, after=True)))
