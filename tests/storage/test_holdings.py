"""What an account has is read together, and is what each statement alone says."""

from __future__ import annotations

from itertools import product

from engine.domain import AccountId, TierName
from engine.facts import CustomerId, Dispute, DisputeStage, Mode, Refund
from engine.grants import Grant
from engine.ledger import Tx
from engine.seats import Holdings
from storage.store import Store
from tests.fakes.clock import NOON
from tests.storage.makers import MINUTE, subscription
from tests.storage.test_claims import dispute, refund
from tests.storage.test_teams import accounts

KINDS = ("subscriptions", "dispute", "refund", "grants", "seat")


def give(tx: Tx, owner: AccountId, team: AccountId, has: frozenset[str], mode: Mode = Mode.TEST) -> None:
    """Let an account have some of all that it can."""
    customer, name = CustomerId(f"cus_{owner}"), f"{owner}-{mode}"
    if "subscriptions" in has:
        sold = [subscription(f"sub_{name}_{n}", NOON + n * MINUTE) for n in range(2)]
        tx.replace_subscriptions(owner, mode, sold, NOON)
    if "dispute" in has:
        open_one = Dispute(f"dp_{name}", mode, customer, "ch_1", DisputeStage.OPEN, dispute().amount, NOON)
        tx.save_dispute(owner, open_one, NOON)
    if "refund" in has:
        back = Refund(f"ch_{name}", mode, customer, f"in_{name}", refund().amount, full=True, at=NOON)
        tx.save_refund(owner, back, NOON, revokes=True)
    if "grants" in has:
        tx.add_grant(Grant(owner, mode, 0, TierName.PRO, NOON, NOON + MINUTE, NOON, "console:root", ""))
    if "seat" in has:
        tx.lock_team(team, mode)
        tx.seat(owner, team, mode, NOON)


def apart(tx: Tx, owner: AccountId) -> Holdings:
    """What an account has, each part by its own statement."""
    subscriptions, grants = tx.subscriptions(owner, Mode.TEST), tx.grants(owner, Mode.TEST)
    claims, seat = tx.claims(owner, Mode.TEST), tx.membership(owner, Mode.TEST)
    return Holdings(tuple(subscriptions), claims, tuple(grants), seat)


async def test_whatever_an_account_has_is_read_as_each_statement_alone_reads_it(store: Store) -> None:
    sets = [frozenset(kind for kind, on in zip(KINDS, bits, strict=True) if on)
            for bits in product((False, True), repeat=len(KINDS))]  # fmt: skip
    team, *owners = await accounts(store, "team", *(f"owner {number}" for number in range(len(sets))))

    def work(tx: Tx) -> None:
        for owner, has in zip(owners, sets, strict=True):
            give(tx, owner, team, has)
        for owner, has in zip(owners, sets, strict=True):
            found = tx.holdings(owner, Mode.TEST)
            assert found == apart(tx, owner)
            claims = found.claims
            parts = (found.subscriptions, claims.disputes, claims.revoked, found.grants, found.joined)
            assert frozenset(kind for kind, part in zip(KINDS, parts, strict=True) if part) == has

    await store.transact(work)


async def test_what_an_account_has_in_the_other_mode_is_not_among_it(store: Store) -> None:
    owner, team = await accounts(store, "owner", "team")

    def work(tx: Tx) -> None:
        give(tx, owner, team, frozenset(KINDS), Mode.LIVE)
        assert tx.holdings(owner, Mode.TEST) == Holdings()

    await store.transact(work)
