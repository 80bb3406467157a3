"""Disputes and refunds, and what of them stands against an account."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.domain import AccountId, Micros
from engine.facts import Claims, CustomerId, Dispute, DisputeStage, Mode, Refund
from engine.ledger import Tx
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import BEN, MINUTE, account

LATER = NOON + MINUTE
CUSTOMER = CustomerId("cus_1")


def dispute(name: str = "dp_1", stage: DisputeStage = DisputeStage.OPEN) -> Dispute:
    """A disputed payment."""
    return Dispute(name, Mode.TEST, CUSTOMER, "ch_1", stage, Micros(10_000_000), NOON)


def refund(charge: str = "ch_1", *, full: bool = True, invoice: str | None = "in_1") -> Refund:
    """A payment given back."""
    return Refund(charge, Mode.TEST, CUSTOMER, invoice, Micros(10_000_000), full, NOON)


async def test_a_dispute_is_replaced_by_its_id_and_what_was_known_comes_back(store: Store) -> None:
    def work(tx: Tx) -> None:
        owner, won = account(tx), dispute(stage=DisputeStage.WON)
        assert tx.save_dispute(owner, dispute(), NOON) is None
        assert tx.save_dispute(owner, won, LATER) == dispute()
        assert tx.save_dispute(owner, dispute("dp_2"), LATER) is None
        assert tx.claims(owner, Mode.TEST) == Claims((won, dispute("dp_2")))

    await store.transact(work)


async def test_what_was_read_earlier_does_not_replace_what_was_read_later(store: Store) -> None:
    def work(tx: Tx) -> Claims:
        owner, won = account(tx), dispute(stage=DisputeStage.WON)
        tx.save_dispute(owner, won, LATER)
        assert tx.save_dispute(owner, dispute(), NOON) == dispute()
        tx.save_refund(owner, refund(full=False), LATER, revokes=False)
        assert tx.save_refund(owner, refund(), NOON, revokes=True) == refund()
        return tx.claims(owner, Mode.TEST)

    assert await store.transact(work) == Claims((dispute(stage=DisputeStage.WON),))


async def test_claims_are_those_of_the_account_and_the_mode(store: Store) -> None:
    def work(tx: Tx) -> list[Claims]:
        ann, ben = account(tx), account(tx, BEN)
        tx.save_dispute(ann, replace(dispute(), mode=Mode.LIVE), NOON)
        tx.save_refund(ann, replace(refund(), mode=Mode.LIVE), NOON, revokes=True)
        tx.save_dispute(ben, dispute(), NOON)
        tx.save_refund(ben, refund(), NOON, revokes=True)
        return [tx.claims(ann, Mode.TEST), tx.claims(ben, Mode.TEST)]

    assert await store.transact(work) == [Claims(), Claims((dispute(),), frozenset({"in_1"}))]


async def test_forgiven_disputes_count_no_more_whatever_is_read_of_them_later(store: Store) -> None:
    def work(tx: Tx) -> tuple[list[int], Claims]:
        owner = account(tx)
        tx.save_dispute(owner, dispute(), NOON)
        tx.save_dispute(owner, dispute("dp_2"), NOON)
        forgiven = [tx.forgive(owner, mode, LATER) for mode in (Mode.LIVE, Mode.TEST, Mode.TEST)]
        assert tx.save_dispute(owner, dispute(stage=DisputeStage.LOST), LATER) == dispute()
        tx.save_dispute(owner, dispute("dp_3"), LATER)
        return forgiven, tx.claims(owner, Mode.TEST)

    assert await store.transact(work) == ([0, 2, 0], Claims((dispute("dp_3"),)))


async def test_a_refund_is_replaced_by_its_charge_and_what_was_known_comes_back(store: Store) -> None:
    def work(tx: Tx) -> None:
        owner, partial = account(tx), refund(full=False)
        assert tx.save_refund(owner, partial, NOON, revokes=False) is None
        assert tx.save_refund(owner, refund(), LATER, revokes=True) == partial
        assert tx.save_refund(owner, refund(), LATER, revokes=True) == refund()
        assert tx.save_refund(owner, refund("ch_2", invoice=None), LATER, revokes=True) is None

    await store.transact(work)


def revoked_after(tx: Tx, owner: AccountId, *readings: tuple[bool, bool]) -> bool:
    """Whether an invoice is revoked after these (full, revokes) readings of its refund."""
    charge = f"ch of {readings}"
    for full, revokes in readings:
        tx.save_refund(owner, refund(charge, full=full, invoice=charge), NOON, revokes=revokes)
    return charge in tx.claims(owner, Mode.TEST).revoked


async def test_what_a_whole_refund_meant_at_first_stays_for_as_long_as_it_is_whole(store: Store) -> None:
    def work(tx: Tx) -> list[bool]:
        owner, partial = account(tx), (False, False)
        return [
            revoked_after(tx, owner, partial),
            revoked_after(tx, owner, partial, (True, True)),
            revoked_after(tx, owner, (True, True), (True, False)),
            revoked_after(tx, owner, (True, False), (True, True)),
            revoked_after(tx, owner, (True, True), partial),
        ]

    assert await store.transact(work) == [False, True, True, False, False]


async def test_of_many_who_save_the_same_at_once_one_hears_that_it_is_new(store: Store) -> None:
    owner = await store.transact(account)

    def save(tx: Tx) -> tuple[bool, bool]:
        known = tx.save_dispute(owner, dispute(), NOON)
        given_back = tx.save_refund(owner, refund(), NOON, revokes=True)
        return known is None, given_back is None

    fresh = await asyncio.gather(*(store.transact(save) for _ in range(20)))
    assert [sum(each) for each in zip(*fresh, strict=True)] == [1, 1]
