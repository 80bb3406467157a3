"""What moved the revenue, and how far accounts came."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import partial

from engine.domain import AccountId, TierName
from engine.facts import Mode
from engine.figures import FunnelStep, Movement, MovementKind, Reached
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import ANN, BEN, MINUTE, account

LATER = NOON + MINUTE
THIRD = Fraction(25_000_000, 3)


def movement(owner: AccountId, at: datetime = NOON, after: Fraction = THIRD) -> Movement:
    """A movement without a number."""
    return Movement(
        number=0,
        account=owner,
        mode=Mode.TEST,
        kind=MovementKind.CONTRACTION,
        delta=-THIRD,
        after=after,
        tier=TierName.PREMIUM,
        currency="eur",
        voluntary=True,
        at=at,
    )


def reached(owner: AccountId, step: FunnelStep, at: datetime = NOON, mode: Mode = Mode.TEST) -> Reached:
    """A step of an account."""
    return Reached(owner, mode, step, at)


def note(step: Reached, tx: Tx) -> bool:
    """Note it."""
    return tx.reach(step)


async def test_movements_are_numbered_within_account_and_mode_and_exact(store: Store) -> None:
    def work(tx: Tx) -> None:
        ann, ben = account(tx, ANN), account(tx, BEN)
        assert tx.mrr(ann, Mode.TEST) == 0
        huge = movement(ann, after=Fraction(10**18 + 1, 7))
        wanted = [movement(ann), movement(ben), huge, replace(movement(ann), mode=Mode.LIVE, voluntary=False)]
        added = [tx.add_movement(each) for each in wanted]
        assert added == [replace(each, number=n) for each, n in zip(wanted, (1, 1, 2, 1), strict=True)]
        assert list(tx.account_movements(ann, Mode.TEST)) == [added[0], added[2]]
        assert [tx.mrr(ann, mode) for mode in (Mode.TEST, Mode.LIVE)] == [Fraction(10**18 + 1, 7), THIRD]

    await store.transact(work)


async def test_all_movements_are_read_in_pages_by_time_account_and_number(store: Store) -> None:
    def work(tx: Tx) -> None:
        first, second = sorted((account(tx, ANN), account(tx, BEN)))
        a = tx.add_movement(movement(first, LATER))
        b = tx.add_movement(movement(second, NOON))
        c = tx.add_movement(movement(first, LATER))
        d = tx.add_movement(movement(second, LATER))
        tx.add_movement(replace(movement(first), mode=Mode.LIVE))
        pages, last = [], None
        while page := list(tx.movements(Mode.TEST, last, 2)):
            pages.append(page)
            last = (page[-1].at, page[-1].account, page[-1].number)
        assert pages == [[b, a], [c, d]]

    await store.transact(work)


async def test_a_step_is_reached_once_by_an_account_in_a_mode(store: Store) -> None:
    owner = await store.transact(account)
    tries = [reached(owner, FunnelStep.ACTIVATED, NOON + number * MINUTE) for number in range(20)]
    noted = await asyncio.gather(*(store.transact(partial(note, step)) for step in tries))
    assert sum(noted) == 1
    assert await store.transact(lambda tx: tx.reach(reached(owner, FunnelStep.ACTIVATED, mode=Mode.LIVE)))


async def test_steps_are_counted_in_their_order_by_who_reached_them_in_a_span(store: Store) -> None:
    def work(tx: Tx) -> list[tuple[FunnelStep, int]]:
        ann, ben = account(tx, ANN), account(tx, BEN)
        for owner in (ann, ben):
            tx.reach(reached(owner, FunnelStep.LIMIT_HIT))
        tx.reach(reached(ann, FunnelStep.PAYWALL_SHOWN, LATER))
        tx.reach(reached(ben, FunnelStep.PAYWALL_SHOWN, NOON - MINUTE))
        tx.reach(reached(ben, FunnelStep.RENEWED, NOON))
        tx.reach(reached(ben, FunnelStep.ACTIVATED, mode=Mode.LIVE))
        return list(tx.reached(Mode.TEST, NOON, LATER))

    counts = {FunnelStep.LIMIT_HIT: 2, FunnelStep.RENEWED: 1}
    assert await store.transact(work) == [(step, counts.get(step, 0)) for step in FunnelStep]


async def test_journeys_are_as_long_as_it_took_from_one_step_to_another_shortest_first(store: Store) -> None:
    def work(tx: Tx) -> None:
        ann, ben = account(tx, ANN), account(tx, BEN)
        tx.reach(reached(ann, FunnelStep.LIMIT_HIT, NOON - 9 * MINUTE))
        tx.reach(reached(ben, FunnelStep.LIMIT_HIT, NOON - MINUTE))
        for owner in (ann, ben):
            tx.reach(reached(owner, FunnelStep.ACTIVATED))
        tx.reach(reached(ann, FunnelStep.RENEWED, LATER))
        tx.reach(reached(ann, FunnelStep.PAYWALL_SHOWN, LATER))
        hit, active = FunnelStep.LIMIT_HIT, FunnelStep.ACTIVATED
        assert list(tx.journeys(Mode.TEST, hit, active, NOON, LATER)) == [MINUTE, 9 * MINUTE]
        assert list(tx.journeys(Mode.TEST, hit, active, LATER, LATER + MINUTE)) == []
        assert list(tx.journeys(Mode.TEST, FunnelStep.PAYWALL_SHOWN, active, NOON, LATER)) == []
        assert list(tx.journeys(Mode.LIVE, hit, active, NOON, LATER)) == []
        assert list(tx.journeys(Mode.TEST, hit, FunnelStep.RENEWED, NOON, LATER + MINUTE)) == [10 * MINUTE]

    await store.transact(work)


async def test_accounts_are_counted(store: Store) -> None:
    def work(tx: Tx) -> list[int]:
        none = tx.count_accounts()
        for person in (ANN, BEN, ANN):
            account(tx, person)
        return [none, tx.count_accounts()]

    assert await store.transact(work) == [0, 2]
