"""Lives of a process that buys a tier and is killed at a chosen write, over simulated payments or a Stripe.

What is not written down dies with its process, so a unit that writes nothing needs no crash of its own.
Where money is simulated, what is found after one commit is what is found before the next; Stripe may have
been told something in between.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp

import billing.gateway  # noqa: F401 - once, and not in every life
from billing import money, till
from engine.checkout import CheckoutLink
from engine.domain import Interval, Person, Platform, TierName
from engine.facts import SessionId
from engine.ledger import Tx
from engine.pace import Pace
from engine.ports import Clock
from engine.subscriptions import Subscriptions
from gate import house as building
from gate.house import House, open_house
from gate.running import duties, open_doors, site_of
from storage.store import open_store
from tests.fakes.pulse import PATIENCE
from tests.money.doom import LaterClock, Life, MortalStore, Setting
from webhooks.server import serve

ALICE = Person(Platform.LOCAL, "", "alice")
LATER = timedelta(minutes=2)
"""The second life begins after every lease of the first has run out."""
TOMORROW = timedelta(days=1)
MOST_WRITES = 80


async def live(setting: Setting, name: str, life: Life) -> None:
    """Buy, pay, and stay until the notice is shown."""

    async def opened(url: str, clock: Clock, *, prepared_statements: bool, forced: bool) -> MortalStore:
        store = await open_store(url, clock, prepared_statements=prepared_statements, forced=forced)
        return MortalStore(store, life.last, setting.aside, after=life.after)

    vars(building)["open_store"] = opened
    vars(building)["SystemClock"] = partial(LaterClock, life.later)
    vars(money)["Subscriptions"] = partial(Subscriptions, debounce=timedelta(0))
    vars(till)["Pace"] = partial(Pace, spacing=timedelta(milliseconds=1))
    roles = frozenset({"web", "worker"})
    async with open_house(setting.settings(name)) as house, asyncio.timeout(PATIENCE):
        surfaces = open_doors(house, roles)
        site = site_of(house, surfaces, ())
        async with serve(site, "127.0.0.1", setting.port) as port, asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in duties(house, surfaces, roles, port)]
            await buy(house, setting, name)
            while not await done(house):  # noqa: ASYNC110 - what is waited for is in the database
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()


async def buy(house: House, setting: Setting, name: str) -> None:
    """What a member does: click again after every disappointment, and wait once they have paid."""
    if setting.has_paid(name):
        return
    outcome = await house.front.affairs.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    if isinstance(outcome, CheckoutLink) and house.till.simulated:
        await house.till.simulated.pay(SessionId(outcome.url.rpartition("/")[2]))
    elif isinstance(outcome, CheckoutLink):
        async with aiohttp.ClientSession() as browser, browser.post(outcome.url, allow_redirects=False):
            pass
    setting.note_paid(name)


async def done(house: House) -> bool:
    """Whether the notice is on the member's screen and nothing is owed any more."""
    now = house.clock.now()

    def work(tx: Tx) -> bool:
        waiting, _ = tx.queue_depth(now + timedelta(hours=1))
        return bool(shown(tx)) and waiting == 0 and not tx.objects("event")

    return await house.store.read(work)


def shown(tx: Tx) -> int:
    """How many notices are on the member's screen."""
    return len([message for message in tx.local_messages(ALICE.user, 100) if message.room == "dm"])


async def outcome(setting: Setting, name: str) -> dict[str, object]:
    """What is to be found afterwards."""

    def work(tx: Tx) -> dict[str, object]:
        account = tx.find_account(ALICE)
        if account is None:
            return {}
        return {
            "account": account.id,
            "changes": len(tx.tier_changes(account.id)),
            "movements": len(tx.account_movements(account.id, setting.mode)),
            "notices": len(tx.notices(account.id)),
            "shown": shown(tx),
            "subscriptions": len(tx.subscriptions(account.id, setting.mode)),
            "sold": len(tx.objects("subscription")),
        }

    async with await open_store(setting.url(name), LaterClock(LATER)) as store:
        return await store.read(work)


async def prepare(setting: Setting) -> None:
    """Make the database that every life begins with; where Stripe tells everything, nobody looks for it."""
    clock = LaterClock(timedelta(0))
    jobs = [f"{setting.mode}:{name}" for name in ("quarter", "hour", "night") if setting.stripe]

    def put_off(tx: Tx) -> None:
        for job in jobs:
            tx.begin_job(job, clock.now(), clock.now() + TOMORROW)
            tx.end_job(job, "", clock.now() + TOMORROW)

    async with await open_store(setting.url("new"), clock) as store:
        await store.transact(put_off)


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


def two_lives(setting: Setting, last: int, *, after: bool) -> dict[str, object]:
    """A life that is killed and one that goes on; how the first ended and what is found after the second."""
    name = f"{last}-{after}"
    shutil.copy(setting.folder / "new.db", setting.folder / f"{name}.db")
    first, second = Life(last, after), Life(0, after, LATER)
    ended = in_a_process(lambda: asyncio.run(live(setting, name, first)))
    went_on = in_a_process(lambda: asyncio.run(live(setting, name, second)))
    found = asyncio.run(outcome(setting, name))
    return {"last": last, "after": after, "ended": ended, "went_on": went_on, **found}


def every_crash(setting: Setting) -> None:
    """Kill at the first write, the second, ..., until a life outlives its crash or nothing mends it."""
    moments = (False, True) if setting.stripe else (False,)
    asyncio.run(prepare(setting))
    gc.freeze()
    for last in range(1, MOST_WRITES):
        found = [two_lives(setting, last, after=after) for after in moments]
        for each in found:
            print(json.dumps(each), flush=True)  # noqa: T201 - the test reads it
        if all(each["ended"] == 0 for each in found) or any(each["went_on"] for each in found):
            return


if __name__ == "__main__":
    folder, *stripe = sys.argv[1:]
    every_crash(Setting(Path(folder), stripe[0], int(stripe[1])) if stripe else Setting(Path(folder)))
