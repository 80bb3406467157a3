"""The regular looks are done by one process, however long they take, and again soon if they fail."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from engine.catalogue import Catalogue
from engine.domain import TierName
from engine.errors import OutsideError
from engine.facts import AccessReason, Mode, TierChange
from engine.ledger import Tx
from engine.members import Members
from tests.billing.conftest import TIERS
from tests.engine.conftest import ALICE
from tests.fakes.stripe import FaultKind
from tests.money.conftest import Till, open_till


async def test_a_night_that_takes_long_is_not_begun_by_another_process(till: Till) -> None:
    await till.paid()
    slow = till.stripe.faults.add(FaultKind.DELAY, "GET /v1/subscriptions", times=1)
    slow.gate = asyncio.Event()
    night = asyncio.create_task(till.regular_looks())
    await slow.reached.wait()
    till.clock.advance(timedelta(minutes=31))
    other = open_till(till.store, till.clock, till.stripe)
    assert await other.regular_looks() == 1, "the quarter of an hour alone"
    slow.gate.set()
    assert await night == 3
    await other.gateway.aclose()


async def test_a_night_that_failed_is_tried_again_within_the_hour(till: Till) -> None:
    await till.paid()
    till.stripe.faults.add(FaultKind.STATUS, "GET /v1/customers", times=None)
    with pytest.raises(OutsideError):
        await till.regular_looks()
    till.stripe.faults.clear()
    till.clock.advance(timedelta(minutes=31))
    assert await till.regular_looks() == 2


async def test_what_changed_in_another_world_is_no_part_of_a_members_history(till: Till) -> None:
    await till.paid()
    now = till.clock.now()

    def simulated(tx: Tx) -> None:
        account = tx.lock_account(ALICE, now).id
        reason = AccessReason.ACTIVE
        tx.add_tier_change(TierChange(0, account, Mode.SIMULATED, TierName.FREE, TierName.PRO, reason, now))

    await till.store.transact(simulated)
    overview = await Members(till.store, till.clock, Catalogue(TIERS, ()), Mode.TEST).overview(ALICE)
    assert [each.after for each in overview.changes] == [TierName.PREMIUM]
