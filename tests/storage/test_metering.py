"""Metered use from a member's word to the seal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from engine.domain import AccountId, Micros
from engine.facts import Mode
from engine.ledger import Tx
from engine.terms import Metering, UsageEvent, UsageHour
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account, report

ONE = NOON + 60 * MINUTE
END = NOON + timedelta(days=1)


def use(owner: AccountId, turn: str, at: datetime = NOON, cost: int = 1_500) -> UsageEvent:
    """What a turn used."""
    return UsageEvent(turn, owner, Mode.TEST, Micros(cost), at)


def hour(owner: AccountId, begin: datetime, cost: int) -> UsageHour:
    """Unsealed use of an hour."""
    return UsageHour(owner, Mode.TEST, begin, Micros(cost))


def metering(owner: AccountId, *, on: bool = True) -> Metering:
    """What a member said."""
    return Metering(owner, Mode.TEST, on, Micros(5_000_000), NOON, BEN)


async def test_the_last_word_of_a_member_about_metered_use_counts(store: Store) -> None:
    def work(tx: Tx) -> None:
        owner = account(tx)
        assert tx.metering(owner, Mode.TEST) is None
        yes, no = (
            metering(owner),
            replace(metering(owner, on=False), cap=Micros(0), agreed_at=ONE, person=ANN),
        )
        for word in (yes, no):
            tx.save_metering(word)
            assert tx.metering(owner, Mode.TEST) == word
        assert tx.metering(owner, Mode.LIVE) is None

    await store.transact(work)


async def test_metered_accounts_are_those_with_use_and_those_that_agreed(store: Store) -> None:
    def work(tx: Tx) -> list[set[AccountId]]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        seen = [set(tx.metered_accounts(Mode.TEST))]
        for step in (
            lambda: tx.save_metering(metering(ann)),
            lambda: tx.save_metering(metering(ann, on=False)),
            lambda: (tx.add_usage(use(ben, "1")), tx.add_usage(use(ben, "2"))),
        ):
            step()
            seen.append(set(tx.metered_accounts(Mode.TEST)))
        assert len(tx.metered_accounts(Mode.TEST)) == 1
        assert seen == [set(), {ann}, set(), {ben}]
        return seen

    await store.transact(work)


async def test_the_use_of_a_turn_is_written_down_once(store: Store) -> None:
    owner = await store.transact(account)
    added = await asyncio.gather(
        *(store.transact(lambda tx: tx.add_usage(use(owner, "t"))) for _ in range(20))
    )
    assert sum(added) == 1
    assert await store.read(lambda tx: tx.usage_cost(owner, Mode.TEST, NOON)) == 1_500


async def test_the_cost_of_use_is_summed_from_a_moment_on(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        for event in (
            use(ann, "1"),
            use(ann, "2", ONE),
            use(ben, "3"),
            replace(use(ann, "4"), mode=Mode.LIVE),
        ):
            tx.add_usage(event)
        return [tx.usage_cost(ann, Mode.TEST, since) for since in (NOON, NOON + MINUTE, END)]

    assert await store.transact(work) == [3_000, 1_500, 0]


async def test_unsealed_use_is_summed_by_account_and_hour_oldest_first(store: Store) -> None:
    def work(tx: Tx) -> None:
        ann, ben = sorted((account(tx, ANN), account(tx, BEN)))
        for number, (owner, at) in enumerate(
            [(ben, ONE), (ann, NOON), (ann, NOON + 59 * MINUTE), (ben, NOON), (ann, ONE)]
        ):
            tx.add_usage(use(owner, f"{number}", at))
        everything = [
            hour(ann, NOON, 3_000),
            hour(ben, NOON, 1_500),
            hour(ann, ONE, 1_500),
            hour(ben, ONE, 1_500),
        ]
        assert list(tx.unsealed(Mode.TEST, END, 9)) == everything
        assert list(tx.unsealed(Mode.TEST, END, 3)) == everything[:3]
        assert list(tx.unsealed(Mode.TEST, END, 9, ben)) == everything[1::2]
        assert list(tx.unsealed(Mode.TEST, NOON + 59 * MINUTE, 9)) == [
            hour(ann, NOON, 1_500),
            hour(ben, NOON, 1_500),
        ]
        assert list(tx.unsealed(Mode.LIVE, END, 9)) == []

    await store.transact(work)


async def test_a_seal_takes_what_was_summed_and_leaves_what_came_meanwhile(store: Store) -> None:
    def work(tx: Tx) -> None:
        ann, ben = account(tx, ANN), account(tx, BEN)
        for number, minutes in enumerate((0, 10, 20, 70)):
            tx.add_usage(use(ann, f"{number}", NOON + minutes * MINUTE))
        tx.add_usage(use(ben, "ben's"))
        before = NOON + 20 * MINUTE
        (summed,) = tx.unsealed(Mode.TEST, before, 9, ann)
        tx.seal(summed, before, replace(report(ann), units=3))
        assert tx.sealed_totals(ann, Mode.TEST) == (3_000, 3)
        assert list(tx.unsealed(Mode.TEST, END, 9, ann)) == [hour(ann, NOON, 1_500), hour(ann, ONE, 1_500)]
        assert list(tx.unsealed(Mode.TEST, END, 9, ben)) == [hour(ben, NOON, 1_500)]
        assert tx.sealed_totals(ben, Mode.TEST) == (0, 0)

    await store.transact(work)


async def test_sealed_use_that_makes_no_unit_waits_for_more(store: Store) -> None:
    def work(tx: Tx) -> list[tuple[int, int]]:
        owner = account(tx)
        tx.add_usage(use(owner, "1", cost=900))
        tx.seal(hour(owner, NOON, 900), END, None)
        seen = [tx.sealed_totals(owner, Mode.TEST)]
        tx.add_usage(use(owner, "2", ONE, cost=900))
        tx.seal(hour(owner, ONE, 900), END, replace(report(owner, "second", ONE), units=1))
        return [*seen, tx.sealed_totals(owner, Mode.TEST), tx.sealed_totals(owner, Mode.LIVE)]

    assert await store.transact(work) == [(900, 0), (1_800, 1), (0, 0)]


async def test_units_told_again_for_those_that_stripe_lost_are_no_use_of_their_own(store: Store) -> None:
    def work(tx: Tx) -> tuple[int, int]:
        owner = account(tx)
        tx.seal(hour(owner, NOON, 0), NOON, report(owner))
        tx.seal(hour(owner, ONE, 0), NOON, replace(report(owner, "again", ONE), makes_good=NOON))
        return tx.sealed_totals(owner, Mode.TEST)[1], tx.usage_revenue_units(Mode.TEST, NOON, END)

    assert await store.transact(work) == (7, 7)


async def test_many_who_seal_at_once_lose_no_use_and_tell_none_twice(store: Store) -> None:
    owner = await store.transact(account)

    def use_some(tx: Tx, turn: str) -> None:
        tx.lock_account_id(owner)
        tx.add_usage(use(owner, turn))

    def seal_it(tx: Tx, name: str) -> None:
        tx.lock_account_id(owner)
        for found in tx.unsealed(Mode.TEST, END, 9, owner):
            cost, units = tx.sealed_totals(owner, Mode.TEST)
            more = (cost + found.cost) // 1_000 - units
            tx.seal(found, END, replace(report(owner, name), units=more) if more else None)

    async def one(number: int) -> None:
        await store.transact(lambda tx: use_some(tx, f"{number}"))
        await store.transact(lambda tx: seal_it(tx, f"{number}"))

    await asyncio.gather(*(one(number) for number in range(21)))
    assert await store.read(lambda tx: tx.sealed_totals(owner, Mode.TEST)) == (21 * 1_500, 31)
    assert await store.read(lambda tx: tx.unsealed(Mode.TEST, END, 9)) == []
