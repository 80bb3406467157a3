"""Notices are shown once, whatever breaks on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from engine import jobs
from engine.domain import Platform, TierName
from engine.errors import OutsideError, TryAgainError, UnreachableError
from engine.facts import Mode
from engine.jobs import NOTICE_LEASE, Bell, Jobs, Notices
from engine.ledger import Tx
from engine.members import Members
from engine.notices import Notice, NoticeId, NoticeKind
from engine.subscriptions import Subscriptions
from storage.store import Store
from tests.engine.conftest import ALICE, CATALOGUE, Hall
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE


class Broken:
    """A messenger whose library stumbles, as over a session that was closed meanwhile."""

    def __init__(self) -> None:
        self.tried = asyncio.Event()

    async def deliver(self, notice: Notice, *, again: bool) -> None:
        """Fail in a way that nobody foresaw."""
        self.tried.set()
        raise RuntimeError(f"Session is closed: {notice.key} {again}")


class Letterbox:
    """A messenger that keeps what it was given."""

    def __init__(self, *errors: OutsideError) -> None:
        self.errors = list(errors)
        self.delivered: list[tuple[str, bool]] = []

    async def deliver(self, notice: Notice, *, again: bool) -> None:
        """Keep it, or fail as told."""
        if self.errors:
            raise self.errors.pop(0)
        self.delivered.append((notice.key, again))


async def owing(store: Store, clock: FakeClock, letterbox: Letterbox, *keys: str) -> Notices:
    """Notices owed to Alice."""
    now = clock.now()

    def owe(tx: Tx) -> None:
        account = tx.lock_account(ALICE, now).id
        for key in keys:
            name, kind = NoticeId(f"id-{key}"), NoticeKind.ENDED
            tx.owe(Notice(name, key, account, Mode.TEST, ALICE, kind, TierName.PREMIUM, now))

    await store.transact(owe)
    notices = Notices(store, clock, Mode.TEST)
    notices.messengers[Platform.LOCAL] = letterbox
    return notices


async def test_a_notice_is_delivered_once(store: Store, clock: FakeClock) -> None:
    letterbox = Letterbox()
    notices = await owing(store, clock, letterbox, "k1")
    assert await notices.work() == 1
    clock.advance(timedelta(hours=1))
    assert await notices.work() == 0
    assert letterbox.delivered == [("k1", False)]


async def test_two_processes_do_not_both_deliver_it(store: Store, clock: FakeClock) -> None:
    letterbox = Letterbox()
    first = await owing(store, clock, letterbox, "k1", "k2")
    second = Notices(store, clock, Mode.TEST)
    second.messengers[Platform.LOCAL] = letterbox
    assert await first.work() + await second.work() == 2
    assert sorted(letterbox.delivered) == [("k1", False), ("k2", False)]


async def test_a_platform_that_is_away_is_tried_again_and_told_that_it_is_again(
    store: Store, clock: FakeClock
) -> None:
    letterbox = Letterbox(TryAgainError("away"))
    notices = await owing(store, clock, letterbox, "k1")
    await notices.work()
    assert await notices.work() == 0
    clock.advance(timedelta(seconds=10))
    await notices.work()
    assert letterbox.delivered == [("k1", True)]


async def test_a_process_that_died_while_sending_is_followed_by_one_that_looks_first(
    store: Store, clock: FakeClock
) -> None:
    letterbox = Letterbox()
    notices = await owing(store, clock, letterbox, "k1")
    now = clock.now()
    await store.transact(lambda tx: tx.claim_notices(Mode.TEST, now, now + NOTICE_LEASE, ["local"], 10))
    assert await notices.work() == 0
    clock.advance(NOTICE_LEASE + timedelta(seconds=1))
    await notices.work()
    assert letterbox.delivered == [("k1", True)]


async def test_a_person_who_cannot_be_written_to_keeps_the_notice(store: Store, clock: FakeClock) -> None:
    letterbox = Letterbox(UnreachableError("closed"))
    notices = await owing(store, clock, letterbox, "k1")
    await notices.work()
    clock.advance(timedelta(days=1))
    assert await notices.work() == 0
    members = Members(store, clock, CATALOGUE, Mode.TEST)
    assert [notice.key for notice in await members.kept_notices(ALICE)] == ["k1"]
    assert await members.kept_notices(ALICE) == ()


async def test_after_the_cut_over_a_notice_of_test_mode_is_not_delivered_and_waits(
    store: Store, clock: FakeClock
) -> None:
    letterbox = Letterbox()
    trying = await owing(store, clock, letterbox, "k1")
    live = Notices(store, clock, Mode.LIVE)
    live.messengers[Platform.LOCAL] = letterbox
    assert await live.work() == 0
    assert letterbox.delivered == []
    assert await trying.work() == 1
    assert letterbox.delivered == [("k1", False)]


async def test_after_the_cut_over_a_kept_notice_of_test_mode_is_not_shown_and_waits(
    store: Store, clock: FakeClock
) -> None:
    await (await owing(store, clock, Letterbox(UnreachableError("closed")), "k1")).work()
    assert await Members(store, clock, CATALOGUE, Mode.LIVE).kept_notices(ALICE) == ()
    trying = Members(store, clock, CATALOGUE, Mode.TEST)
    assert [notice.key for notice in await trying.kept_notices(ALICE)] == ["k1"]


async def test_a_notice_waits_for_a_process_that_serves_its_platform(store: Store, clock: FakeClock) -> None:
    await owing(store, clock, Letterbox(), "k1")
    elsewhere = Notices(store, clock, Mode.TEST)
    elsewhere.messengers[Platform.DISCORD] = Letterbox()
    assert await elsewhere.work() == 0


async def test_a_notice_that_waits_behind_another_is_not_claimed_yet(store: Store, clock: FakeClock) -> None:
    slow, quick = Letterbox(), Letterbox()
    first = await owing(store, clock, slow, "k1", "k2")
    second = Notices(store, clock, Mode.TEST)
    second.messengers[Platform.LOCAL] = quick
    assert await first.work() == 1
    clock.advance(NOTICE_LEASE + timedelta(seconds=1))
    assert await second.work() == 1
    assert [again for _, again in (*slow.delivered, *quick.delivered)] == [False, False]


async def test_one_broken_delivery_ends_no_loop(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LOOK_EVERY", 0.01)
    broken, letterbox, bell = Broken(), Letterbox(), Bell()
    notices = await owing(hall.store, hall.clock, letterbox, "k1")
    notices.messengers[Platform.LOCAL] = broken
    subscriptions = Subscriptions(hall.store, hall.clock, None)
    work = Jobs(hall.store, hall.clock, hall.chat(), subscriptions, notices, bell)
    running = asyncio.create_task(work.run(worker=True))
    await broken.tried.wait()
    notices.messengers[Platform.LOCAL] = letterbox
    hall.clock.advance(NOTICE_LEASE + timedelta(seconds=1))
    async with asyncio.timeout(PATIENCE):
        while not letterbox.delivered:  # noqa: ASYNC110 - what is waited for is another task's doing
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert letterbox.delivered == [("k1", True)]
