"""Several processes on one database, and one that is killed."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from storage.store import Store, open_store
from tests.fakes.clock import NOON, FakeClock
from tests.storage.children import Children, line
from tests.storage.process import ANN, LIMIT, take


async def test_two_processes_together_pass_a_limit_exactly_as_often_as_it_allows(
    children: Children, database_url: str, store: Store
) -> None:
    granted = await children.together("contend", database_url)
    assert sum(map(int, granted)) == LIMIT
    account = await store.read(lambda tx: tx.find_account(ANN))
    assert account
    assert (await store.read(lambda tx: tx.usage(account.id, NOON))).conversations_today == LIMIT


async def test_a_killed_process_loses_nothing_that_it_was_told_is_done(
    children: Children, database_url: str, clock: FakeClock
) -> None:
    process = await children.start("claim", database_url)
    acknowledged = [await line(process) for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    rest, _ = await process.communicate()
    acknowledged += rest.decode().split("\n")[:-1]
    async with await open_store(database_url, clock) as store:
        again = await asyncio.gather(*(store.transact(partial(take, key)) for key in acknowledged))
    assert not any(again)
