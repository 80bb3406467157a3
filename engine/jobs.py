"""Due work of every process: customers to read, notices owed, holds to keep and to let go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from engine.chat import Chat
from engine.domain import Platform
from engine.errors import OutsideError, UnreachableError
from engine.facts import Mode
from engine.mending import Mending
from engine.notices import Notice
from engine.ports import Clock, Messenger, Store
from engine.subscriptions import Subscriptions, retry_in
from engine.tracing import traced

log = logging.getLogger("engine.jobs")

LOOK_EVERY = 1.0
"""Seconds between looks for due work; news wakes it at once."""
RENEW_EVERY = 15.0
LOST_AT_ONCE = 100
SWEEP_EVERY = 30.0
NOTICE_LEASE = timedelta(seconds=30)
REMEMBER_KEYS = timedelta(days=7)
BATCH = 1
"""A lease covers one delivery: those waiting behind it would lose theirs, and be delivered twice."""


Queue = Callable[[], Awaitable[int]]
"""Does a little of what is due; how much it was."""


class Bell:
    """Rung when there is news, so that nobody has to wait for the next look."""

    def __init__(self) -> None:
        self._sleepers: set[asyncio.Event] = set()

    def ring(self) -> None:
        """There is news: look for due work now."""
        for sleeper in self._sleepers:
            sleeper.set()

    def sleeper(self) -> asyncio.Event:
        """An event of one's own, set by every ring until it is cleared."""
        event = asyncio.Event()
        self._sleepers.add(event)
        return event


class Notices:
    """Delivers notices owed in its mode, each shown once; those of other modes wait."""

    def __init__(self, store: Store, clock: Clock, mode: Mode) -> None:
        self._store = store
        self._clock = clock
        self._mode = mode
        self.messengers: dict[Platform, Messenger] = {}

    async def work(self) -> int:
        """Deliver what is due longest on the platforms of this process; how many were taken."""
        now, platforms = self._clock.now(), [platform.value for platform in self.messengers]
        if not platforms:
            return 0
        taken = await self._store.transact(
            lambda tx: tx.claim_notices(self._mode, now, now + NOTICE_LEASE, platforms, BATCH)
        )
        for notice in taken:
            await self._deliver(notice)
        return len(taken)

    async def _deliver(self, notice: Notice) -> None:
        messenger = self.messengers[notice.person.platform]
        try:
            async with asyncio.timeout(NOTICE_LEASE.total_seconds() / 2):
                await messenger.deliver(notice, again=notice.attempts > 0)
        except UnreachableError:
            await self._store.transact(lambda tx: tx.keep_notice(notice.id))
        except (OutsideError, TimeoutError) as error:
            log.warning("notice not delivered", extra={"kind": notice.kind.value, "why": str(error)})
            due = self._clock.now() + retry_in(notice.attempts)
            await self._store.transact(lambda tx: tx.notice_later(notice.id, due))
        else:
            now = self._clock.now()
            await self._store.transact(lambda tx: tx.notice_sent(notice.id, now))


class Jobs:
    """The loops of one process; `run` ends when cancelled.

    `queues` are worked until empty and again on news, `rounds` every half minute.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        chat: Chat,
        subscriptions: Subscriptions,
        notices: Notices,
        bell: Bell,
        queues: Sequence[Queue] = (),
        rounds: Sequence[Queue] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._chat = chat
        self._queues = (subscriptions.work, subscriptions.look, *queues)
        self._rounds = tuple(rounds)
        self._notices = notices
        self._bell = bell
        self.mending = Mending(store, clock)
        self.everywhere: list[Queue] = []
        """Queues that every process works, a worker or not: they write to people on its own platforms."""

    async def run(self, *, worker: bool) -> None:
        """Keep this process's holds; a worker also does what any process may do."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(RENEW_EVERY, self._chat.renew))
            group.create_task(self._every(LOOK_EVERY, self._chat.heed))
            group.create_task(self._every(SWEEP_EVERY, self.mending.work))
            for queue in (self._notices.work, *self.everywhere):
                group.create_task(self._look(queue))
            if worker:
                for queue in self._queues:
                    group.create_task(self._look(queue))
                for round_ in (self._sweep, *self._rounds):
                    group.create_task(self._every(SWEEP_EVERY, round_))

    async def _look(self, work: Callable[[], Awaitable[int]]) -> None:
        """Work until nothing is due, then wait for news or a while."""
        news = self._bell.sleeper()
        while True:
            news.clear()
            if await self._guarded(work):
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await news.wait()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            await self._guarded(work)
            await asyncio.sleep(seconds)

    async def _guarded(self, work: Callable[[], Awaitable[object]]) -> object:
        """No failure may end the loop, and with it the process; the work stays due once its lease is over."""
        with traced():
            return await self._in_words(work)

    async def _in_words(self, work: Callable[[], Awaitable[object]]) -> object:
        try:
            return await work()
        except OutsideError as error:
            log.warning("due work failed", extra={"why": str(error)})
        except Exception:
            log.exception("due work is broken")
        await asyncio.sleep(LOOK_EVERY)
        return None

    async def _sweep(self) -> int:
        now = self._clock.now()
        released = await self._store.transact(lambda tx: tx.release_expired(now))
        if released:
            log.warning("released turns of a process that is gone", extra={"turns": released})
        while await self._store.transact(lambda tx: tx.book_lost(now, LOST_AT_ONCE)) == LOST_AT_ONCE:
            pass
        await self._store.transact(lambda tx: tx.forget_claims(now - REMEMBER_KEYS))
        return released
