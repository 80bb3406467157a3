"""A tier gets another price: who has it keeps it at the old one, who buys it pays the new one.

Shown elsewhere: how the set-up command makes the new price (tests/billing/test_setup.py), and that a price is
known by its product (tests/billing/test_gateway.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import stripe

from billing.client import StripeCaller
from engine.changes import Proposed
from engine.domain import Interval, TierName
from engine.notices import NoticeKind
from engine.terms import ChangeKind
from tests.billing.conftest import QUICK, gateway_on
from tests.engine.conftest import ALICE, BOB
from tests.money.conftest import Till, open_till
from tests.money.scenarios.people import buys, movements, mrr, notices, subscription

KEY = "premium_monthly_v1"
OLD, NEW = 8_990_000, 10_990_000


@pytest.fixture
async def repriced(till: Till) -> AsyncIterator[Till]:
    """A process started after premium, which Alice has, became dearer and its old price was archived."""
    await buys(till, ALICE)
    caller = StripeCaller("sk_test_fake", till.stripe.base_url, QUICK)
    params: stripe.params.PriceCreateParams = {
        "product": "bot_premium",
        "currency": "usd",
        "unit_amount": NEW // 10_000,
        "recurring": {"interval": "month"},
        "lookup_key": KEY,
        "transfer_lookup_key": True,
    }
    await caller.call(lambda: caller.sdk.v1.prices.create_async(params))
    old = till.stripe.prices[KEY]
    await caller.call(lambda: caller.sdk.v1.prices.update_async(old, {"active": False}))
    await caller.close()
    gateway = gateway_on(till.stripe, till.clock)
    yield open_till(till.store, till.clock, till.stripe, gateway=gateway)
    await gateway.aclose()


async def test_whoever_has_a_tier_keeps_it_at_the_price_they_bought_it_for(repriced: Till) -> None:
    (event,) = [each for each in repriced.stripe.world.rows("event") if each["type"] == "invoice.paid"]
    repriced.stripe.courier.redeliver(event["id"])
    await repriced.pass_time(timedelta(days=32))
    assert await repriced.tier() is TierName.PREMIUM
    assert [each.kind for each in await notices(repriced, ALICE)] == [
        NoticeKind.ACTIVATED,
        NoticeKind.RENEWED,
    ]
    assert repriced.stripe.world.rows("invoice")[0]["amount_paid"] == OLD // 10_000
    assert await mrr(repriced, ALICE) == OLD
    assert len(await movements(repriced, ALICE)) == 1
    assert (await repriced.reconcile.compare()).differences == ()


async def test_whoever_buys_it_now_pays_the_new_price(repriced: Till) -> None:
    name = await buys(repriced, BOB)
    assert await repriced.tier(BOB) is TierName.PREMIUM
    assert subscription(repriced, name)["items"]["data"][0]["price"]["unit_amount"] == NEW // 10_000
    assert [int(await mrr(repriced, each)) for each in (ALICE, BOB)] == [OLD, NEW]


async def test_an_old_price_can_still_be_left_for_another_tier(repriced: Till) -> None:
    found = await repriced.alter.propose(ALICE, ChangeKind.SWITCH, TierName.PRO, Interval.MONTH)
    assert isinstance(found, Proposed)
    await repriced.alter.confirm(ALICE, found.proposal.id)
    assert await repriced.tier() is TierName.PRO
