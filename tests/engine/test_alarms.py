"""Operators are told what needs them: each thing once, together with what waits beside it."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from engine.alarms import LEASE, REMEMBERED, STALE, TOGETHER, Alarms
from engine.alerts import Alert, AlertKind, Bulletin
from engine.domain import Person, Platform
from engine.errors import OutsideError, TryAgainError, UnreachableError
from engine.ledger import Tx
from storage.store import Store
from tests.engine.conftest import ALICE, BOB
from tests.fakes.clock import FakeClock

FAR = Person(Platform.SLACK, "T1", "U1")
LATER = timedelta(minutes=10)


class Pigeonhole:
    """A herald that keeps what it is given."""

    def __init__(self, *errors: OutsideError) -> None:
        self.errors = list(errors)
        self.told: list[tuple[Person, tuple[str, ...], bool]] = []
        self.ids: list[str] = []

    async def tell(self, bulletin: Bulletin, *, again: bool) -> None:
        """Keep it, or fail as told."""
        self.ids.append(bulletin.id)
        if self.errors:
            raise self.errors.pop(0)
        self.told.append((bulletin.person, tuple(alert.key for alert in bulletin.alerts), again))


def house(
    store: Store, clock: FakeClock, hole: Pigeonhole | None = None, people: tuple[Person, ...] = (ALICE,)
) -> Alarms:
    """The alarms of one process, which has the playground alone."""
    alarms = Alarms(store, clock, people)
    if hole:
        alarms.heralds[Platform.LOCAL] = hole
    return alarms


async def wrong(store: Store, clock: FakeClock, *keys: str) -> None:
    """Raise an alert for each key, a second apart."""

    def work(tx: Tx) -> None:
        for number, key in enumerate(keys):
            at = clock.now() + timedelta(seconds=number)
            tx.raise_alert(Alert(key, AlertKind.VENDOR_DOWN, "openai", at, "503"))

    await store.transact(work)


async def settle(alarms: Alarms) -> None:
    """Do all that is due now."""
    while await alarms.address() or await alarms.work():
        pass


async def test_an_alert_is_told_once_however_often_it_is_raised(store: Store, clock: FakeClock) -> None:
    hole = Pigeonhole()
    alarms = house(store, clock, hole)
    for _ in range(3):
        await wrong(store, clock, "openai is down")
        await settle(alarms)
        clock.advance(LATER)
    assert hole.told == [(ALICE, ("openai is down",), False)]


async def test_every_operator_is_told(store: Store, clock: FakeClock) -> None:
    hole = Pigeonhole()
    await wrong(store, clock, "k1")
    await settle(house(store, clock, hole, (ALICE, BOB)))
    assert sorted(person.user for person, _, _ in hole.told) == ["alice", "bob"]


async def test_what_waits_together_is_told_in_one_message_oldest_first(
    store: Store, clock: FakeClock
) -> None:
    hole, keys = Pigeonhole(), [f"k{number:02}" for number in range(TOGETHER + 2)]
    await wrong(store, clock, *keys)
    alarms = house(store, clock, hole)
    while await alarms.address():
        pass
    await settle(alarms)
    assert [told for _, told, _ in hole.told] == [tuple(keys[:TOGETHER]), tuple(keys[TOGETHER:])]


async def test_what_comes_while_a_platform_is_away_gathers_and_is_told_together(
    store: Store, clock: FakeClock
) -> None:
    hole = Pigeonhole(TryAgainError("away"), TryAgainError("away"))
    alarms = house(store, clock, hole)
    for key in ("k1", "k2", "k3"):
        await wrong(store, clock, key)
        await settle(alarms)
        clock.advance(LATER)
    await settle(alarms)
    assert hole.told == [(ALICE, ("k1",), True), (ALICE, ("k2", "k3"), False)]


async def test_a_second_try_tells_the_same_under_the_same_id(store: Store, clock: FakeClock) -> None:
    hole = Pigeonhole(TryAgainError("away"))
    alarms = house(store, clock, hole)
    await wrong(store, clock, "k1")
    await settle(alarms)
    assert hole.told == []
    await wrong(store, clock, "k2")
    clock.advance(LATER)
    await settle(alarms)
    assert hole.told[0] == (ALICE, ("k1",), True)
    assert hole.ids[0] == hole.ids[1]


async def test_a_process_that_died_while_telling_is_followed_by_one_that_looks_first(
    store: Store, clock: FakeClock
) -> None:
    hole, now = Pigeonhole(), clock.now()
    alarms = house(store, clock, hole)
    await wrong(store, clock, "k1")
    await alarms.address()
    await store.transact(lambda tx: tx.claim_bulletin(now, now + LEASE, ["local"], TOGETHER))
    await settle(alarms)
    assert hole.told == []
    clock.advance(LEASE + timedelta(seconds=1))
    await settle(alarms)
    assert hole.told == [(ALICE, ("k1",), True)]


async def test_several_processes_tell_and_log_each_thing_once_between_them(
    store: Store, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    hole = Pigeonhole()
    houses = [house(store, clock, hole) for _ in range(4)]
    await wrong(store, clock, *(f"k{number}" for number in range(25)))
    for _ in range(12):
        await asyncio.gather(*(each.address() for each in houses), *(each.work() for each in houses))
    told = [key for _, keys, _ in hole.told for key in keys]
    assert len(told) == len(set(told)) == 25
    assert caplog.messages.count("alert") == 25


async def test_an_operator_of_another_platform_is_told_by_the_process_that_has_it(
    store: Store, clock: FakeClock
) -> None:
    here, there = Pigeonhole(), Pigeonhole(TryAgainError("away"))
    elsewhere = Alarms(store, clock, (FAR,))
    elsewhere.heralds[Platform.SLACK] = there
    await wrong(store, clock, "k1")
    for alarms in (house(store, clock, here, (FAR,)), elsewhere):
        await settle(alarms)
        clock.advance(LATER)
    await settle(house(store, clock, here, (FAR,)))
    assert here.ids == []
    await settle(elsewhere)
    assert there.told == [(FAR, ("k1",), True)]


async def test_an_operator_who_cannot_be_written_to_is_given_up_and_logged(
    store: Store, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    hole = Pigeonhole(UnreachableError("closed"))
    alarms = house(store, clock, hole)
    await wrong(store, clock, "k1")
    await settle(alarms)
    clock.advance(timedelta(days=1))
    await settle(alarms)
    assert hole.told == []
    assert "an operator cannot be told; see ADMIN_IDS" in caplog.messages


async def test_every_alert_is_logged_once_with_its_kind_and_subject_and_its_weight(
    store: Store, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = house(store, clock, people=()), house(store, clock, people=())
    now = clock.now()

    def work(tx: Tx) -> None:
        tx.raise_alert(Alert("a", AlertKind.CEILING_NEAR, "free_day", now))
        tx.raise_alert(Alert("b", AlertKind.VENDOR_BROKEN, "openai", now, "401"))

    await store.transact(work)
    for alarms in (first, second, first):
        await settle(alarms)
    found = [vars(record) for record in caplog.records if record.name == "engine.alarms"]
    assert [(each["levelno"], each["kind"], each["subject"], each["detail"]) for each in found] == [
        (logging.WARNING, "ceiling_near", "free_day", ""),
        (logging.ERROR, "vendor_broken", "openai", "401"),
    ]


async def test_old_news_is_told_to_nobody(store: Store, clock: FakeClock) -> None:
    hole = Pigeonhole()
    alarms = house(store, clock)
    await wrong(store, clock, "k1")
    await settle(alarms)
    clock.advance(STALE + LATER)
    await alarms.sweep()
    alarms.heralds[Platform.LOCAL] = hole
    await settle(alarms)
    assert hole.told == []


async def test_what_was_told_is_remembered_for_a_season_and_no_longer(store: Store, clock: FakeClock) -> None:
    hole = Pigeonhole()
    alarms = house(store, clock, hole)
    for wait in (REMEMBERED - LATER, LATER + LATER, LATER):
        await wrong(store, clock, "k1")
        await settle(alarms)
        clock.advance(wait)
        await alarms.sweep()
    assert len(hole.told) == 2
