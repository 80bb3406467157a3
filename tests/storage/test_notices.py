"""Notices owed to people."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from engine.facts import Mode
from engine.ledger import Tx
from engine.notices import Notice, NoticeId
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, notice

LATER = NOON + MINUTE


def take(tx: Tx, now: datetime, platforms: Sequence[str] = ("local",), limit: int = 10) -> list[Notice]:
    """Claim due notices for a minute."""
    return list(tx.claim_notices(Mode.TEST, now, now + MINUTE, platforms, limit))


async def test_a_notice_is_owed_once_by_its_key(store: Store) -> None:
    owed = await asyncio.gather(*(store.transact(lambda tx: tx.owe(notice(account(tx)))) for _ in range(20)))
    assert sum(owed) == 1


async def test_a_notice_is_read_back_as_it_was_stored(store: Store) -> None:
    def work(tx: Tx) -> bool:
        owed = [
            notice(account(tx)),
            replace(notice(account(tx), "second", at=LATER), until=None, mode=Mode.SIMULATED),
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
        assert not tx.has_kept(account(tx), Mode.TEST)
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
        has_some, claimed = tx.has_kept(owner, Mode.TEST), take(tx, NOON + 9 * MINUTE)
        keys = [each.key for each in tx.take_kept(owner, Mode.TEST, NOON)]
        again = tx.take_kept(owner, Mode.TEST, NOON)
        return has_some, keys, [*claimed, *again], tx.has_kept(owner, Mode.TEST)

    assert await store.transact(work) == (True, ["old", "new"], [], False)


@pytest.mark.parametrize("other", [mode for mode in Mode if mode is not Mode.TEST])
async def test_an_owed_notice_of_another_mode_waits(store: Store, other: Mode) -> None:
    def work(tx: Tx) -> list[list[str]]:
        for mode in (Mode.TEST, other):
            tx.owe(replace(notice(account(tx), mode), mode=mode))
        tries = (Mode.TEST, Mode.TEST, other)
        taken = [tx.claim_notices(mode, NOON, LATER, ["local"], 10) for mode in tries]
        return [[each.key for each in some] for some in taken]

    assert await store.transact(work) == [["test"], [], [other]]


@pytest.mark.parametrize("other", [mode for mode in Mode if mode is not Mode.TEST])
async def test_a_kept_notice_of_another_mode_waits(store: Store, other: Mode) -> None:
    def work(tx: Tx) -> tuple[bool, list[Notice], bool, list[Notice]]:
        owner, owed = account(tx), notice(account(tx))
        tx.owe(owed)
        tx.keep_notice(owed.id)
        seen, taken = tx.has_kept(owner, other), list(tx.take_kept(owner, other, NOON))
        return seen, taken, tx.has_kept(owner, Mode.TEST), list(tx.take_kept(owner, Mode.TEST, NOON))

    seen, taken, waits, shown = await store.transact(work)
    assert (seen, taken, waits) == (False, [], True)
    assert [each.key for each in shown] == ["key"]
