"""Changes of subscriptions that were proposed to members."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.domain import AccountId, Interval, Micros, TierName
from engine.facts import Mode, SubscriptionId
from engine.ledger import Tx
from engine.terms import ChangeKind, Preview, Proposal, ProposalId, ProposalState, Timing, Wish
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import BEN, MINUTE, account

ID = ProposalId("proposal")


def proposal(owner: AccountId) -> Proposal:
    """One that was shown."""
    return Proposal(
        id=ID,
        account=owner,
        mode=Mode.TEST,
        person=BEN,
        subscription=SubscriptionId("sub_1"),
        wish=Wish(ChangeKind.SWITCH, TierName.TEAM, Interval.YEAR, 6),
        preview=Preview(Timing.NOW, NOON, Micros(-12_340_000), Micros(250_000_000), "eur"),
        created_at=NOON,
        expires_at=NOON + 5 * MINUTE,
    )


async def test_a_proposal_is_read_back_as_it_was_stored(store: Store) -> None:
    made = await store.transact(lambda tx: proposal(account(tx)))
    await store.transact(lambda tx: tx.save_proposal(made))
    for run in (store.transact, store.read):
        assert await run(lambda tx: tx.proposal(ID)) == made
        assert await run(lambda tx: tx.proposal(ProposalId("another"))) is None


async def test_saving_again_changes_the_state_and_nothing_else(store: Store) -> None:
    def work(tx: Tx) -> bool:
        made = proposal(account(tx))
        tx.save_proposal(made)
        tx.save_proposal(replace(made, state=ProposalState.DONE, subscription=SubscriptionId("sub_2")))
        return tx.proposal(ID) == replace(made, state=ProposalState.DONE)

    assert await store.transact(work)


async def test_of_many_who_confirm_at_once_one_finds_it_open(store: Store) -> None:
    def confirm(tx: Tx) -> bool:
        found = tx.proposal(ID)
        if found is None or found.state is not ProposalState.OPEN:
            return False
        tx.save_proposal(replace(found, state=ProposalState.CONFIRMED))
        return True

    await store.transact(lambda tx: tx.save_proposal(proposal(account(tx))))
    assert sum(await asyncio.gather(*(store.transact(confirm) for _ in range(20)))) == 1
