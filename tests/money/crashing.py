"""Lives of a process that buys a tier and is killed at a chosen transaction."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import main
from engine.checkout import CheckoutLink
from engine.config import Settings, load_settings
from engine.domain import Interval, Person, Platform, TierName
from engine.facts import Mode, SessionId
from engine.ledger import Tx
from engine.ports import Clock
from engine.subscriptions import Subscriptions
from storage.store import Store, open_store
from webhooks.server import serve

T = TypeVar("T")
ALICE = Person(Platform.LOCAL, "", "alice")
LATER = timedelta(minutes=2)
"""The second life begins after every lease of the first has run out."""
MOST_STEPS = 60
PATIENCE = 20.0


class LaterClock:
    """The wall clock, moved on."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        """The moved time."""
        return datetime.now(UTC) + self._by


class MortalStore:
    """A store whose process is killed before or after its n-th transaction."""

    def __init__(self, store: Store, last: int, *, after: bool) -> None:
        self._store = store
        self._left = last
        self._after = after
        self.read = store.read
        self.close = store.close

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run the unit, or die."""
        self._left -= 1
        if self._left == 0 and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = await self._store.transact(work)
        if self._left == 0 and self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


async def live(settings: Settings, last: int, *, after: bool, later: timedelta) -> None:
    """Buy, pay, and stay until the notice is shown; `last` = 0 is a life without an end before that."""

    async def opened(url: str, clock: Clock, *, prepared_statements: bool) -> MortalStore:
        store = await open_store(url, clock, prepared_statements=prepared_statements)
        return MortalStore(store, last, after=after)

    vars(main)["open_store"] = opened
    vars(main)["SystemClock"] = partial(LaterClock, later)
    vars(main)["Subscriptions"] = partial(Subscriptions, debounce=timedelta(0))
    roles = frozenset({"web", "worker"})
    async with main.open_house(settings) as house, asyncio.timeout(PATIENCE):
        surfaces = main.open_surfaces(house, roles)
        site = main.site_of(house, surfaces, ())
        async with serve(site, "127.0.0.1", 0) as port, asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in main.duties(house, surfaces, roles, port)]
            await buy(house)
            while not await done(house):  # noqa: ASYNC110 - what is waited for is in the database
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()


async def buy(house: main.House) -> None:
    """What a member does who clicks again after every disappointment."""
    outcome = await house.front.affairs.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    if isinstance(outcome, CheckoutLink) and house.till.simulated:
        await house.till.simulated.pay(SessionId(outcome.url.rpartition("/")[2]))


async def done(house: main.House) -> bool:
    """Whether the notice is on the member's screen and nothing is owed any more."""
    now = house.clock.now()

    def work(tx: Tx) -> bool:
        waiting, _ = tx.queue_depth(now + timedelta(hours=1))
        told = [message for message in tx.local_messages(ALICE.user, 100) if message.room == "dm"]
        return bool(told) and waiting == 0 and not tx.objects("event")

    return await house.store.read(work)


async def outcome(settings: Settings) -> dict[str, int]:
    """What is to be found afterwards."""
    async with main.open_house(settings) as house:

        def work(tx: Tx) -> dict[str, int]:
            account = tx.find_account(ALICE)
            if account is None:
                return {}
            return {
                "changes": len(tx.tier_changes(account.id)),
                "notices": len(tx.notices(account.id)),
                "shown": len([each for each in tx.local_messages(ALICE.user, 100) if each.room == "dm"]),
                "subscriptions": len(tx.subscriptions(account.id, Mode.SIMULATED)),
                "sold": len(tx.objects("subscription")),
            }

        return await house.store.read(work)


def in_a_process(work: Callable[[], object]) -> int:
    """Run it in a fork; how the fork ended, negative for the signal that killed it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def two_lives(folder: Path, last: int, *, after: bool) -> dict[str, object]:
    """A life that is killed and one that goes on; how the first ended and what is found after the second."""
    url = f"sqlite:///{folder}/{last}-{after}.db"
    settings = load_settings({"DATABASE_URL": url, "PORT": "0"})
    ended = in_a_process(lambda: asyncio.run(live(settings, last, after=after, later=timedelta(0))))
    went_on = in_a_process(lambda: asyncio.run(live(settings, 0, after=after, later=LATER)))
    return {
        "last": last,
        "after": after,
        "ended": ended,
        "went_on": went_on,
        **asyncio.run(outcome(settings)),
    }


def every_crash(folder: Path) -> None:
    """Kill before and after the first transaction, the second, ..., until a life outlives its crash."""
    for last in range(1, MOST_STEPS):
        found = [two_lives(folder, last, after=after) for after in (False, True)]
        for each in found:
            print(json.dumps(each), flush=True)  # noqa: T201 - the test reads it
        if all(each["ended"] == 0 for each in found):
            return


if __name__ == "__main__":
    every_crash(Path(sys.argv[1]))
