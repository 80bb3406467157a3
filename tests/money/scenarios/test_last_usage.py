"""Metered use of the last minutes of a period reaches the bill of that period.

Shown elsewhere: a thousand uses are billed once though answers are lost and the worker is killed, identifiers
that Stripe knows already count as sent, and all else about metered use (tests/money/test_metering.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.catalogue import Catalogue
from engine.domain import Micros, TierName
from engine.facts import Mode
from engine.metering import Meter, MeteringStatus
from engine.terms import Policy, UsageEvent
from tests.billing.conftest import TIERS
from tests.engine.conftest import ALICE
from tests.fakes.stripe.meters import USAGE
from tests.money.conftest import Till
from tests.money.scenarios.people import account, buys

CAP = Micros(20_000_000)
AN_HOUR = 3600
PRO = replace(TIERS[TierName.PRO], cost_ceiling_month=Micros(30_000_000))
CATALOGUE = Catalogue({**TIERS, TierName.PRO: PRO}, ())


@pytest.fixture
def policy() -> Policy:
    """A dollar of vendor cost costs 1.25."""
    return Policy(metered_markup=Decimal("1.25"))


async def test_what_is_used_a_minute_before_the_renewal_reaches_the_bill_of_that_month_before_it_is_sent(
    till: Till, policy: Policy
) -> None:
    till.stripe.prices |= till.stripe.drive.stock({}, usage_cents="0.125")
    till.stripe.drive.drafts_last(AN_HOUR)
    name = await buys(till, ALICE, TierName.PRO)
    meter = Meter(till.store, till.clock, till.gateway, CATALOGUE, till.subscriptions, policy)
    assert isinstance(await meter.agree(ALICE, CAP), MeteringStatus)
    await till.settle()
    (known,) = await till.facts()
    assert known.period_end
    await till.pass_time(known.period_end - till.clock.now() - timedelta(minutes=1))
    who, now = await account(till, ALICE), till.clock.now()
    used = UsageEvent("turn-1", who, Mode.TEST, Micros(8_000_000), now)
    await till.store.transact(lambda tx: tx.add_usage(used))
    await till.pass_time(timedelta(minutes=7))
    (told,) = till.stripe.world.tables[USAGE].values()
    bill = till.stripe.world.rows("invoice")[0]
    assert bill["parent"]["subscription_details"]["subscription"] == name
    assert bill["status"] == "draft"
    assert bill["period_start"] <= told["event"]["timestamp"] < bill["period_end"]
    assert told["event"]["payload"]["value"] == "8000"
