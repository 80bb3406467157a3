"""Several processes on one database, and one that is killed."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from engine.facts import CustomerId, Mode
from engine.ledger import Tx
from engine.rules import Rules
from engine.spending import FREE
from storage.store import Store, open_store
from tests.fakes.clock import NOON, FakeClock
from tests.storage.children import Children, line
from tests.storage.makers import MINUTE, account, duty, report, seal
from tests.storage.process import ANN, CEILINGS, LIMIT, PLACE, take

LATER = NOON + MINUTE


async def test_two_processes_together_pass_a_limit_exactly_as_often_as_it_allows(
    children: Children, database_url: str, store: Store
) -> None:
    granted = await children.together("contend", database_url)
    assert sum(map(int, granted)) == LIMIT
    account = await store.read(lambda tx: tx.find_account(ANN))
    assert account
    assert (await store.read(lambda tx: tx.usage(account.id, NOON))).conversations_today == LIMIT


async def test_of_fifty_who_ask_two_processes_at_once_a_pool_lets_in_exactly_its_size(
    children: Children, database_url: str, store: Store
) -> None:
    def seven(tx: Tx) -> None:
        tx.lock_rules(PLACE)
        tx.save_rules(PLACE, Rules(pool=7))

    await store.transact(seven)
    let_in = await children.together("drain", database_url)
    assert sum(map(int, let_in)) == 7
    assert await store.read(lambda tx: tx.pooled(PLACE, NOON.date())) == 7


async def test_two_processes_hold_no_more_than_a_ceiling_of_the_house(
    children: Children, database_url: str, store: Store
) -> None:
    let_in = await children.together("spend", database_url)
    held = await store.read(lambda tx: tx.purse(FREE, NOON).held)
    each = held // sum(map(int, let_in))
    assert CEILINGS.free_day
    assert held <= CEILINGS.free_day < held + each


async def test_two_processes_share_turns_jobs_duties_reports_and_customers_without_taking_any_twice(
    children: Children, database_url: str, store: Store
) -> None:
    def fill(tx: Tx) -> None:
        owner = account(tx)
        for number in range(60):
            tx.owe_duty(duty(f"duty {number}"), NOON)
            seal(tx, report(owner, f"report {number}"))
            tx.mark_dirty(Mode.TEST, CustomerId(f"cus {number}"), NOON)

    await store.transact(fill)
    taken = [name for names in await children.together("share", database_url) for name in names.split(",")]
    assert len(taken) == len(set(taken))
    assert {f"turn {number}" for number in range(120)} | {"job"} <= set(taken)
    left = await store.transact(
        lambda tx: (
            [each.id for each in tx.claim_duties(Mode.TEST, NOON, LATER, 60)],
            [each.identifier for each in tx.claim_reports(Mode.TEST, NOON, LATER, 60)],
            [each.customer for each in tx.claim_dirty(Mode.TEST, NOON, LATER, "rest", 60)],
        )
    )
    everything = sorted(f"{kind} {number}" for kind in ("duty", "report", "cus") for number in range(60))
    claimed = [name for name in taken if not name.startswith("turn") and name != "job"]
    assert sorted([*claimed, *(name for some in left for name in some)]) == everything


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
