"""An upgrade that the card does not pay leaves what there was, says where to pay, and never sells twice.

Shown elsewhere: what each surface says of it (tests/bot/test_affairs.py, tests/local/test_changes.py), and
the same over a simulated Stripe (tests/engine/test_changes.py) and at the gateway
(tests/billing/test_gateway_changes.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from engine.changes import Confirmed, Proposed
from engine.domain import Interval, TierName
from engine.notices import NoticeKind
from engine.terms import ChangeKind, ChangeState
from tests.engine.conftest import ALICE
from tests.fakes.stripe.driver import Driver
from tests.fakes.stripe.wire import Json
from tests.money.conftest import Till
from tests.money.scenarios.people import buys, customer, mrr, notices

Trouble = Callable[[Driver, str], Json]
REFUSED: Trouble = Driver.refuse_cards
ASKED: Trouble = Driver.authenticate_needed
PREMIUM_A_MONTH, PRO_A_MONTH = 8_990_000, 49_990_000


async def upgrade(till: Till, trouble: Trouble) -> Confirmed:
    """Alice has premium and confirms an upgrade to pro, for which her card does not stand."""
    await buys(till, ALICE)
    trouble(till.stripe.drive, await customer(till, ALICE))
    found = await till.alter.propose(ALICE, ChangeKind.SWITCH, TierName.PRO, Interval.MONTH)
    assert isinstance(found, Proposed)
    result = await till.alter.confirm(ALICE, found.proposal.id)
    again = await till.alter.confirm(ALICE, found.proposal.id)
    assert isinstance(result, Confirmed)
    assert isinstance(again, Confirmed)
    assert again.result == result.result
    await till.settle()
    return result


@pytest.mark.parametrize("trouble", [REFUSED, ASKED])
async def test_an_upgrade_that_is_not_paid_keeps_the_old_tier_and_says_where_to_pay(
    till: Till, trouble: Trouble
) -> None:
    done = await upgrade(till, trouble)
    (waiting,) = [row for row in till.stripe.world.rows("invoice") if row["status"] == "open"]
    assert done.result.state is ChangeState.PAYMENT_NEEDED
    assert done.result.pay_url == waiting["hosted_invoice_url"]
    (known,) = await till.facts()
    assert (known.tier, known.change_pending, known.pay_url) == (TierName.PREMIUM, True, done.result.pay_url)
    assert await till.tier() is TierName.PREMIUM
    assert await mrr(till, ALICE) == PREMIUM_A_MONTH
    assert len(till.stripe.world.rows("subscription")) == 1
    assert len(till.stripe.world.rows("checkout.session")) == 1


async def test_paying_what_waits_brings_the_new_tier_once(till: Till) -> None:
    await upgrade(till, REFUSED)
    (waiting,) = [row for row in till.stripe.world.rows("invoice") if row["status"] == "open"]
    till.stripe.drive.pay_invoice(waiting["id"])
    await till.settle()
    assert await till.tier() is TierName.PRO
    assert await mrr(till, ALICE) == PRO_A_MONTH
    assert [each.kind for each in await notices(till, ALICE)] == [NoticeKind.ACTIVATED, NoticeKind.CHANGED]
    assert [row["status"] for row in till.stripe.world.rows("subscription")] == ["active"]


async def test_an_upgrade_that_nobody_pays_for_is_forgotten_and_premium_goes_on(till: Till) -> None:
    await upgrade(till, REFUSED)
    await till.pass_time(timedelta(hours=24))
    (known,) = await till.facts()
    assert (known.tier, known.change_pending, known.pay_url) == (TierName.PREMIUM, False, None)
    assert await till.tier() is TierName.PREMIUM
    found = await till.alter.propose(ALICE, ChangeKind.SWITCH, TierName.PRO, Interval.MONTH)
    assert isinstance(found, Proposed)
