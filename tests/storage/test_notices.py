"""Notices owed to people."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.facts import Notice, NoticeId
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, notice

LATER = NOON + MINUTE


def take(tx: Tx, now: datetime, platforms: Sequence[str] = ("local",), limit: int = 10) -> list[Notice]:
    """Claim due notices for a minute."""
    return list(tx.claim_notices(now, now + MINUTE, platforms, limit))


async def test_a_notice_is_owed_once_by_its_key(store: Store) -> None:
    owed = await asyncio.gather(*(store.transact(lambda tx: tx.owe(notice(account(tx)))) for _ in range(20)))
    assert sum(owed) == 1


async def test_a_notice_is_read_back_as_it_was_stored(store: Store) -> None:
    def work(tx: Tx) -> bool:
        owed = [
            notice(account(tx)),
            replace(notice(account(tx), "second", at=LATER), until=None, simulated=False),
        ]
        for each in owed:
            tx.owe(each)
        return list(tx.notices(account(tx))) == owed

    assert await store.transact(work)


async def test_a_notice_is_claimed_by_one_until_its_lease_runs_out_and_counts_its_claims(
    store: Store,
) -> None:
    def work(tx: Tx) -> list[list[int]]:
        tx.owe(notice(account(tx)))
        return [[each.attempts for each in take(tx, now)] for now in (NOON - MINUTE, NOON, NOON, LATER)]

    assert await store.transact(work) == [[], [0], [], [1]]


async def test_notices_are_claimed_for_the_platforms_that_are_on(store: Store) -> None:
    def work(tx: Tx) -> list[list[str]]:
        tx.owe(notice(account(tx, ANN), "for ann"))
        tx.owe(notice(account(tx, BEN), "for ben", BEN))
        tries: tuple[list[str], ...] = ([], ["discord"], ["slack", "discord"], ["local", "slack"])
        return [[each.key for each in take(tx, NOON, platforms)] for platforms in tries]

    assert await store.transact(work) == [[], [], ["for ben"], ["for ann"]]


async def test_many_who_claim_at_once_take_each_notice_once(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for number in range(20):
            tx.owe(notice(account(tx), f"{number}"))

    await store.transact(fill)
    taken = await asyncio.gather(*(store.transact(lambda tx: take(tx, NOON, limit=4)) for _ in range(12)))
    keys = [each.key for some in taken for each in some]
    assert len(keys) == len(set(keys))
    keys += [each.key for each in await store.transact(lambda tx: take(tx, NOON, limit=20))]
    assert len(keys) == len(set(keys)) == 20


async def test_a_notice_that_was_sent_is_never_claimed_or_put_off_again(store: Store) -> None:
    def work(tx: Tx) -> list[Notice]:
        owed = notice(account(tx))
        tx.owe(owed)
        take(tx, NOON)
        tx.notice_sent(owed.id, NOON)
        tx.notice_later(owed.id, NOON)
        tx.keep_notice(owed.id)
        assert not tx.has_kept(account(tx))
        return take(tx, NOON + 9 * MINUTE)

    assert await store.transact(work) == []


async def test_a_notice_can_be_put_off(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        owed = notice(account(tx))
        tx.owe(owed)
        take(tx, NOON)
        tx.notice_later(owed.id, NOON + 5 * MINUTE)
        return [len(take(tx, NOON + minutes * MINUTE)) for minutes in (2, 5)]

    assert await store.transact(work) == [0, 1]


async def test_kept_notices_are_taken_once_oldest_first_and_claimed_no_more(store: Store) -> None:
    def work(tx: Tx) -> tuple[bool, list[str], list[Notice], bool]:
        owner = account(tx)
        for key, at in (("new", LATER), ("old", NOON)):
            tx.owe(notice(owner, key, at=at))
            tx.keep_notice(NoticeId(f"notice of {key}"))
        has_some, claimed = tx.has_kept(owner), take(tx, NOON + 9 * MINUTE)
        keys = [each.key for each in tx.take_kept(owner, NOON)]
        return has_some, keys, [*claimed, *tx.take_kept(owner, NOON)], tx.has_kept(owner)

    assert await store.transact(work) == (True, ["old", "new"], [], False)
