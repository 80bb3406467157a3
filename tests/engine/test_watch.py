"""What nobody else notices: customers that wait too long, and knocks without a good signature."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from engine.alerts import AlertKind
from engine.domain import Account
from engine.facts import CustomerId, CustomerRecord, Mode
from engine.ledger import Tx
from engine.watch import KNOCKING, KNOCKS, LOOK, SILENCE, Knocks, Watch
from tests.engine.alarms import told
from tests.engine.conftest import ALICE, Hall
from tests.fakes.stores import Counted

PATIENCE = timedelta(minutes=10)
DOOR = "/stripe/webhook"
CUSTOMER = CustomerId("cus_1")


def watch(hall: Hall, mode: Mode = Mode.LIVE) -> Watch:
    return Watch(hall.store, hall.clock, mode, PATIENCE)


async def waiting(hall: Hall, mode: Mode = Mode.LIVE) -> None:
    """A customer is due from now on."""
    now = hall.clock.now()

    def work(tx: Tx) -> Account:
        account = tx.lock_account(ALICE, now)
        tx.save_customer(CustomerRecord(account.id, mode, CUSTOMER, 0))
        tx.mark_dirty(mode, CUSTOMER, now)
        return account

    await hall.store.transact(work)


async def read(hall: Hall, mode: Mode = Mode.LIVE) -> None:
    """Somebody reads the customer."""
    now = hall.clock.now()

    def work(tx: Tx) -> None:
        for dirty in tx.claim_dirty(mode, now, now + LOOK, "token", 1):
            tx.finish_sync(dirty)

    await hall.store.transact(work)


async def looks(hall: Hall, times: int, mode: Mode = Mode.LIVE) -> list[AlertKind]:
    """What is told in so many minutes."""
    found = []
    for _ in range(times):
        await watch(hall, mode).look()
        found += [kind for kind, _, _ in await told(hall)]
        hall.clock.advance(LOOK)
    return found


async def test_a_backlog_is_told_once_when_it_is_too_old_and_once_when_it_is_over(hall: Hall) -> None:
    await waiting(hall)
    assert await looks(hall, 11) == []
    assert await looks(hall, 30) == [AlertKind.BACKLOG]
    await read(hall)
    assert await looks(hall, 30) == [AlertKind.BACKLOG_OVER]
    await waiting(hall)
    assert await looks(hall, 30) == [AlertKind.BACKLOG]


async def test_processes_that_look_together_tell_it_once(hall: Hall) -> None:
    await waiting(hall)
    hall.clock.advance(PATIENCE + LOOK)
    assert sum(await asyncio.gather(*(watch(hall).look() for _ in range(6)))) == 1
    assert [kind for kind, _, _ in await told(hall)] == [AlertKind.BACKLOG]


async def test_customers_of_another_mode_are_nobodys_backlog(hall: Hall) -> None:
    await waiting(hall, Mode.TEST)
    assert await looks(hall, 30) == []


async def test_what_is_not_due_yet_is_no_backlog(hall: Hall) -> None:
    await waiting(hall)
    later = hall.clock.now() + timedelta(hours=2)
    await read(hall)
    await hall.store.transact(lambda tx: tx.mark_dirty(Mode.LIVE, CUSTOMER, later))
    assert await looks(hall, 60) == []


async def knocked(hall: Hall, knocks: Knocks, times: int) -> list[tuple[AlertKind, str, str]]:
    for _ in range(times):
        await knocks.heard(DOOR)
    return await told(hall)


async def test_many_bad_signatures_are_told_at_most_once_an_hour_with_their_number(hall: Hall) -> None:
    knocks = Knocks(hall.store, hall.clock)
    assert await knocked(hall, knocks, KNOCKS) == []
    assert await knocked(hall, knocks, 1) == [(AlertKind.SIGNATURES, DOOR, f"{KNOCKS + 1} in 10 minutes")]
    assert await knocked(hall, knocks, 5000) == []
    hall.clock.advance(SILENCE)
    assert await knocked(hall, knocks, KNOCKS) == []
    assert len(await knocked(hall, knocks, 1)) == 1


async def test_a_few_over_a_long_time_are_not_told(hall: Hall) -> None:
    knocks = Knocks(hall.store, hall.clock)
    for _ in range(10):
        assert await knocked(hall, knocks, KNOCKS // 2) == []
        hall.clock.advance(KNOCKING / 2 + timedelta(seconds=1))


async def test_processes_that_are_attacked_together_tell_it_once(hall: Hall) -> None:
    for _ in range(3):
        await knocked(hall, Knocks(hall.store, hall.clock), KNOCKS)
    found = []
    for _ in range(3):
        found += await knocked(hall, Knocks(hall.store, hall.clock), KNOCKS + 1)
        hall.clock.advance(SILENCE / 4)
    assert len(found) == 1


async def test_an_attack_asks_the_database_once_an_hour_and_none_of_its_failures_comes_out(
    hall: Hall,
) -> None:
    counted = Counted(hall.store)
    knocks = Knocks(counted, hall.clock)
    await knocked(hall, knocks, 3000)
    assert counted.units == ["transact"]
    hall.clock.advance(SILENCE)
    counted.away = True
    await knocked(hall, knocks, KNOCKS + 1)
    counted.away = False
    assert await knocked(hall, knocks, 3000) == []
    hall.clock.advance(LOOK)
    assert len(await knocked(hall, knocks, 1)) == 1, "an alert that the database missed is raised again"


async def test_what_comes_to_one_door_is_not_counted_at_another(hall: Hall) -> None:
    knocks = Knocks(hall.store, hall.clock)
    await knocked(hall, knocks, KNOCKS)
    await knocks.heard("/slack/events")
    assert await told(hall) == []
    for _ in range(KNOCKS):
        await knocks.heard("/slack/events")
    assert [subject for _, subject, _ in await told(hall)] == ["/slack/events"]
    assert [subject for _, subject, _ in await knocked(hall, knocks, 1)] == [DOOR]
