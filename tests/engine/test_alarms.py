"""Operators are told what needs them: each thing once, together with what waits beside it."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alarms import AT_ONCE, FLOOD, LATELY, LEASE, REMEMBERED, STALE, Alarms, Audience
from engine.alerts import NEWS, Alert, AlertKind, Bulletin, digest
from engine.channels import Channel
from engine.domain import Person, Platform
from engine.errors import OutsideError, TryAgainError, UnreachableError
from engine.ledger import Tx
from storage.store import Store
from tests.engine.conftest import ALICE, BOB
from tests.fakes.clock import NOON, FakeClock

FAR = Person(Platform.SLACK, "T1", "U1")
LATER = timedelta(minutes=10)


class Pigeonhole:
    """A herald that keeps what it is given."""

    def __init__(self, *errors: OutsideError) -> None:
        self.errors = list(errors)
        self.told: list[tuple[Person | Channel, tuple[str, ...], bool]] = []
        self.bulletins: list[Bulletin] = []
        self.ids: list[str] = []

    async def tell(self, bulletin: Bulletin, *, again: bool) -> None:
        """Keep it, or fail as told."""
        self.ids.append(bulletin.id)
        if self.errors:
            raise self.errors.pop(0)
        self.bulletins.append(bulletin)
        self.told.append((bulletin.to, tuple(alert.key for alert in bulletin.alerts), again))

    async def publish(self, channel: Channel, key: str, text: str, tried_since: datetime | None) -> None:
        """Nothing of this is published."""
        raise NotImplementedError


def house(
    store: Store,
    clock: FakeClock,
    hole: Pigeonhole | None = None,
    people: tuple[Person, ...] = (ALICE,),
    channels: tuple[Channel, ...] = (),
) -> Alarms:
    """The alarms of one process, which has the playground and Discord."""
    alarms = Alarms(store, clock, Audience(people, channels, "de", "https://bot.test"))
    if hole:
        alarms.heralds[Platform.LOCAL] = alarms.heralds[Platform.DISCORD] = hole
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
    assert sorted(str(to) for to, _, _ in hole.told) == ["local:alice", "local:bob"]


async def test_what_waits_together_is_told_in_one_message_oldest_first(
    store: Store, clock: FakeClock
) -> None:
    hole, keys = Pigeonhole(), [f"k{number:02}" for number in range(AT_ONCE + 2)]
    await wrong(store, clock, *keys)
    alarms = house(store, clock, hole)
    while await alarms.address():
        pass
    await settle(alarms)
    assert [told for _, told, _ in hole.told] == [tuple(keys)]


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
    await store.transact(lambda tx: tx.claim_bulletin(now, now + LEASE, [ALICE], FLOOD, now - LATELY))
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
        clock.advance(LATELY)
    told = [key for _, keys, _ in hole.told for key in keys]
    assert len(told) == len(set(told)) == 25
    assert caplog.messages.count("alert") == 25


async def test_an_operator_of_another_platform_is_told_by_the_process_that_has_it(
    store: Store, clock: FakeClock
) -> None:
    here, there = Pigeonhole(), Pigeonhole(TryAgainError("away"))
    elsewhere = Alarms(store, clock, Audience((FAR,)))
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


ROOM = Channel(Platform.DISCORD, "", "77")


async def raised(store: Store, clock: FakeClock, kind: AlertKind, *keys: str) -> None:
    """Raise an alert of that kind for each key."""

    def work(tx: Tx) -> None:
        for key in keys:
            tx.raise_alert(Alert(key, kind, "somebody", clock.now()))

    await store.transact(work)


async def test_a_channel_is_told_beside_the_operators_in_its_own_language(
    store: Store, clock: FakeClock
) -> None:
    hole = Pigeonhole()
    await wrong(store, clock, "k1")
    await settle(house(store, clock, hole, channels=(ROOM,)))
    assert sorted((str(to), keys) for to, keys, _ in hole.told) == [
        ("discord:77", ("k1",)),
        ("local:alice", ("k1",)),
    ]
    assert {str(each.to): each.locale for each in hole.bulletins} == {"discord:77": "de", "local:alice": None}


@pytest.mark.parametrize("kind", sorted(NEWS))
async def test_what_is_only_news_is_told_in_channels_alone(
    store: Store, clock: FakeClock, kind: AlertKind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hole = Pigeonhole()
    await raised(store, clock, kind, "k1")
    await settle(house(store, clock, hole, channels=(ROOM,)))
    assert [to for to, _, _ in hole.told] == [ROOM]
    assert [each.levelno for each in caplog.records if each.message == "alert"] == [logging.INFO]


async def test_a_lost_channel_is_given_up_and_the_operators_are_told_once_a_day(
    store: Store, clock: FakeClock
) -> None:
    hole = Pigeonhole()
    alarms = house(store, clock, hole, channels=(ROOM,))
    for key in ("p1", "p2"):
        hole.errors.append(UnreachableError("gone"))
        await raised(store, clock, AlertKind.PAYMENT, key)
        await settle(alarms)
        clock.advance(LATER)
    ((to, keys, _),) = hole.told
    assert (to, keys) == (ALICE, (f"channel_lost:{ROOM}:{clock.now():%Y-%m-%d}",))
    assert hole.bulletins[0].alerts[0].detail == "gone"
    await raised(store, clock, AlertKind.PAYMENT, "p3")
    await settle(alarms)
    assert hole.told[1:] == [(ROOM, ("p3",), False)]


async def test_a_flood_is_one_message_after_the_first_ten_of_a_minute(store: Store, clock: FakeClock) -> None:
    hole = Pigeonhole()
    alarms = house(store, clock, hole, people=(), channels=(ROOM,))
    for number in range(500):
        await raised(store, clock, AlertKind.PAYMENT_FAILED, f"f{number:03}")
        if number < 30:
            await settle(alarms)
    await raised(store, clock, AlertKind.DISPUTE_OPENED, "d")
    await settle(alarms)
    assert [len(keys) for _, keys, _ in hole.told] == [1] * FLOOD
    clock.advance(LATELY)
    await settle(alarms)
    last = hole.bulletins[-1]
    assert len(hole.told) == FLOOD + 1
    assert len(last.alerts) == 491
    said = digest(last.alerts, 10)
    assert [alert.kind for alert in said.full].count(AlertKind.DISPUTE_OPENED) == 1
    assert said.more == ((AlertKind.PAYMENT_FAILED, 485),)


async def test_a_flood_for_one_channel_keeps_nobody_else_waiting(store: Store, clock: FakeClock) -> None:
    hole = Pigeonhole()
    alarms = house(store, clock, hole, channels=(ROOM,))
    for number in range(FLOOD + 5):
        await raised(store, clock, AlertKind.PAYMENT, f"p{number:02}")
        await settle(alarms)
    await wrong(store, clock, "k1")
    await settle(alarms)
    assert hole.told[-1] == (ALICE, ("k1",), False)


async def test_whoever_is_named_no_more_is_told_nothing_of_what_was_owed_to_them(
    store: Store, clock: FakeClock
) -> None:
    hole = Pigeonhole(*[TryAgainError("away")] * 3)
    alarms = house(store, clock, hole, (ALICE, BOB), (ROOM,))
    await wrong(store, clock, "k1")
    await settle(alarms)
    assert len(hole.ids) == 3
    alarms.audience = Audience((ALICE,))
    await wrong(store, clock, "k2")
    clock.advance(LATER)
    await settle(alarms)
    assert [(to, keys) for to, keys, _ in hole.told] == [(ALICE, ("k1",)), (ALICE, ("k2",))]
    alarms.audience = Audience((ALICE,), (ROOM,))
    await settle(alarms)
    assert hole.told[2:] == [(ROOM, ("k1",), True)], "a channel that is back is told what it is still owed"


async def test_a_process_that_does_not_know_a_channel_yet_leaves_it_to_one_that_does(
    store: Store, clock: FakeClock
) -> None:
    old, new = Pigeonhole(), Pigeonhole()
    before, after = house(store, clock, old), house(store, clock, new, channels=(ROOM,))
    await raised(store, clock, AlertKind.PAYMENT, "a payment")
    await wrong(store, clock, "k1")
    await after.address()
    assert [await before.work(), await before.work()] == [1, 0]
    assert await after.work() == 1
    assert [(to, keys) for to, keys, _ in old.told] == [(ALICE, ("k1",))], "nobody waits behind a stranger"
    assert [(to, keys) for to, keys, _ in new.told] == [(ROOM, ("a payment", "k1"))]


async def test_addresses_of_our_own_are_whole_and_others_are_left(store: Store, clock: FakeClock) -> None:
    hole, now = Pigeonhole(), clock.now()

    def work(tx: Tx) -> None:
        tx.raise_alert(Alert("a", AlertKind.VENDOR_DOWN, "one", now))
        tx.raise_alert(Alert("b", AlertKind.VENDOR_DOWN, "two", now, link="https://elsewhere.test/x"))
        tx.raise_alert(Alert("c", AlertKind.VENDOR_DOWN, "three", now, link=""))

    await store.transact(work)
    await settle(house(store, clock, hole))
    links = [alert.link for alert in hole.bulletins[0].alerts]
    assert links == ["https://bot.test/admin/models", "https://elsewhere.test/x", ""]


@given(st.lists(st.sampled_from(AlertKind), max_size=60), st.integers(1, 12))
def test_a_digest_hides_no_kind_and_counts_all(kinds: list[AlertKind], most: int) -> None:
    alerts = [Alert(str(number), kind, "x", NOON) for number, kind in enumerate(kinds)]
    said = digest(alerts, most)
    assert len(said.full) <= most
    assert len(said.full) + sum(n for _, n in said.more) == len(alerts)
    assert {alert.kind for alert in said.full} | {kind for kind, _ in said.more} == set(kinds)
    if len(alerts) <= most or len(set(kinds)) <= most:
        assert {alert.kind for alert in said.full} == set(kinds)
    assert all(n > 0 for _, n in said.more)


@pytest.mark.parametrize("name", ["discord:77", "slack:T1/C2"])
def test_a_channel_is_read_as_it_is_written(name: str) -> None:
    assert str(Channel.parse(name)) == name


@pytest.mark.parametrize(
    "name", ["", "discord:", "discord:general", "slack:C1", "slack:T1/#general", "local:x", "77"]
)
def test_what_is_no_channel_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="write discord:CHANNEL_ID or slack:TEAM_ID/CHANNEL_ID"):
        Channel.parse(name)
