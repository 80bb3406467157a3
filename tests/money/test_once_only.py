"""What is given or told once, although what was read before has been overtaken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.domain import AccountId
from engine.facts import CustomerId, CustomerRecord, Mode
from engine.ledger import Tx
from engine.notices import NoticeKind
from engine.reconcile import Findings
from engine.terms import Difference, DifferenceKind, Policy
from tests.engine.conftest import ALICE
from tests.money.conftest import Till


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Policy:
    """With trials, where a test is about one."""
    return Policy(trial_days=7 if "trial" in request.node.name else 0)


async def test_a_trial_that_no_event_told_of_is_not_given_again(till: Till) -> None:
    till.stripe.courier.stop()
    assert (await till.buy()).trial_days == 7
    till.stripe.drive.pay(till.session())
    till.stripe.drive.cancel_subscription(till.stripe.world.rows("subscription")[0]["id"])
    assert (await till.buy()).trial_days == 0


async def test_a_lost_customer_that_is_adopted_keeps_that_its_account_had_a_trial(till: Till) -> None:
    now = till.clock.now()

    def before(tx: Tx) -> AccountId:
        account = tx.lock_account(ALICE, now).id
        tx.save_customer(CustomerRecord(account, Mode.TEST, None, 1, now))
        return account

    account = await till.store.transact(before)
    lost = Difference(DifferenceKind.UNKNOWN_CUSTOMER, account, CustomerId("cus_lost"), "lost")
    await till.reconcile.mend(Findings(1, (lost,)))
    record = await till.store.read(lambda tx: tx.customer(account, Mode.TEST))
    assert record == CustomerRecord(account, Mode.TEST, CustomerId("cus_lost"), 1, now)


async def test_a_trial_that_is_cancelled_is_not_said_to_be_charged_at_its_end(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.cancel_subscription(subscription, at_period_end=True)
    await till.settle()
    await till.pass_time(timedelta(days=5))
    assert NoticeKind.TRIAL_ENDING not in [each.kind for each in await till.notices()]
