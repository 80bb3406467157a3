"""Metered use on a fake Stripe: agreed before it is charged, reported once, compared and made good."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import pytest

from engine.catalogue import Catalogue
from engine.dispatch import Dispatch
from engine.domain import AccountId, Micros, TierName
from engine.errors import TryAgainError
from engine.facts import CustomerId, Mode
from engine.ledger import Tx
from engine.metering import Meter, MeteringRefused, MeteringStatus
from engine.overage import MeterOffer
from engine.sealing import UNIT
from engine.terms import DifferenceKind, Policy, UsageEvent
from tests.billing.conftest import TIERS
from tests.engine.conftest import ALICE, BOB
from tests.fakes.stripe.faults import FaultKind
from tests.fakes.stripe.meters import USAGE
from tests.money.conftest import Till
from tests.money.mortal import Dying, dying_store

T = TypeVar("T")
CAP = Micros(20_000_000)
REPORTS = "POST /v1/billing/meter_events"
PRO = replace(TIERS[TierName.PRO], cost_ceiling_month=Micros(30_000_000))
CATALOGUE = Catalogue({**TIERS, TierName.PRO: PRO}, ())


@dataclass(slots=True)
class Shop:
    """A till whose pro has an included amount and a metered price."""

    till: Till
    meter: Meter
    dispatch: Dispatch
    account: AccountId
    customer: CustomerId
    uses: int = 0

    async def use(self, micros: int, at: datetime | None = None) -> None:
        """Write vendor cost beyond the included amount down, as the settlement of a turn does."""
        self.uses += 1
        when = at or self.till.clock.now()
        event = UsageEvent(f"turn-{self.uses}", self.account, Mode.TEST, Micros(micros), when)
        await self.till.store.transact(lambda tx: tx.add_usage(event))

    async def status(self) -> MeteringStatus:
        """How it stands with Alice."""
        status = await self.meter.status(ALICE)
        assert status is not None
        return status

    def told(self) -> int:
        """Units that Stripe has."""
        return self.till.stripe.drive.metered(self.customer)

    def identifiers(self) -> list[str]:
        """What was reported, by identifier."""
        return [row["event"]["identifier"] for row in self.till.stripe.world.tables[USAGE].values()]

    def items(self) -> int:
        """Items on the subscription at Stripe."""
        return len(self.till.stripe.world.rows("subscription")[0]["items"]["data"])

    def lose(self, number: int) -> None:
        """Have Stripe forget what it accepted."""
        list(self.till.stripe.world.tables[USAGE].values())[number]["canceled"] = True

    async def hour_passes(self) -> None:
        """Until the present hour is sealed and sent."""
        now = self.till.clock.now()
        left = timedelta(hours=1) - (now - now.replace(minute=0, second=0, microsecond=0))
        await self.till.pass_time(left + timedelta(minutes=6))


@pytest.fixture
def policy() -> Policy:
    """A dollar of vendor cost costs 1.25."""
    return Policy(metered_markup=Decimal("1.25"))


@pytest.fixture
async def shop(till: Till, policy: Policy) -> Shop:
    """Alice has pro."""
    till.stripe.prices |= till.stripe.drive.stock({}, usage_cents="0.125")
    await till.paid(TierName.PRO)

    def known(tx: Tx) -> tuple[AccountId, CustomerId]:
        account = tx.find_account(ALICE)
        record = tx.customer(account.id, Mode.TEST) if account else None
        assert account
        assert record
        assert record.customer
        return account.id, record.customer

    account, customer = await till.store.read(known)
    meter = Meter(till.store, till.clock, till.gateway, CATALOGUE, till.subscriptions, policy)
    return Shop(till, meter, till.dispatch, account, customer)


async def test_saying_yes_puts_the_metered_item_on_the_subscription_and_then_switches_on(shop: Shop) -> None:
    before = await shop.status()
    assert (before.offer, before.on, before.cap) == (MeterOffer.OFFERED, False, None)
    after = await shop.meter.agree(ALICE, CAP)
    assert isinstance(after, MeteringStatus)
    assert (after.on, after.cap, after.included) == (True, CAP, 30_000_000)
    assert shop.items() == 2
    facts = await shop.till.facts()
    assert facts[0].metered_item
    assert facts[0].quantity == 1


async def test_saying_yes_twice_at_once_adds_one_item(shop: Shop) -> None:
    outcomes = await asyncio.gather(*(shop.meter.agree(ALICE, CAP) for _ in range(3)), return_exceptions=True)
    assert any(isinstance(each, MeteringStatus) for each in outcomes)
    assert shop.items() == 2


async def test_saying_yes_again_changes_the_cap_alone(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    again = await shop.meter.agree(ALICE, Micros(5_000_000))
    assert isinstance(again, MeteringStatus)
    assert again.cap == 5_000_000
    assert shop.items() == 2


async def test_a_crash_between_the_item_and_the_switch_is_mended_by_saying_yes_again(
    shop: Shop, policy: Policy
) -> None:
    till = shop.till
    for last in range(1, 8):
        store = dying_store(shop.till.store, last, after=last % 2 == 0)
        meter = Meter(store, till.clock, till.gateway, CATALOGUE, till.subscriptions, policy)
        try:
            await meter.agree(ALICE, CAP)
        except Dying:
            continue
        break
    assert (await shop.status()).on
    assert shop.items() == 2


async def test_whoever_has_no_pro_is_told_so_and_nothing_is_changed(shop: Shop) -> None:
    assert await shop.meter.agree(BOB, CAP) == MeteringRefused(MeterOffer.NEEDS_PRO)
    with pytest.raises(ValueError, match="above 0"):
        await shop.meter.agree(ALICE, Micros(0))
    assert shop.items() == 1


async def test_saying_no_is_at_once_and_use_so_far_is_still_reported(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(12_345)
    status = await shop.meter.stop(ALICE)
    assert status is not None
    assert not status.on
    await shop.hour_passes()
    assert shop.told() == 12
    assert shop.items() == 2


async def test_the_status_tells_what_it_costs_the_member_exactly(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(1_000_001)
    status = await shop.status()
    assert status.beyond == 1_000_001
    assert status.cost == Decimal("1250001.25")
    assert status.cost_shown == 1_260_000


async def test_an_hour_is_sealed_five_minutes_after_its_end_and_late_use_has_a_report_of_its_own(
    shop: Shop,
) -> None:
    await shop.meter.agree(ALICE, CAP)
    began = shop.till.clock.now()
    await shop.use(1500)
    await shop.use(1600)
    await shop.till.pass_time(timedelta(minutes=62))
    assert shop.told() == 0
    await shop.till.pass_time(timedelta(minutes=4))
    assert shop.told() == 3
    await shop.use(900, began)
    await shop.till.pass_time(timedelta(minutes=1))
    assert shop.told() == 4
    hour = began.replace(minute=0, second=0, microsecond=0)
    (sub,) = await shop.till.facts()
    assert shop.identifiers() == [f"test:{sub.metered_item}:{hour:%Y-%m-%dT%H}:{n}" for n in (0, 1)]
    assert [row["event"]["timestamp"] for row in shop.till.stripe.world.tables[USAGE].values()] == [
        int(hour.timestamp()) + 3599
    ] * 2


async def test_parts_of_a_unit_wait_until_they_make_one(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    for micros in (999, 999, 1):
        await shop.use(micros)
        await shop.hour_passes()
    assert shop.told() == 1
    await shop.use(1)
    await shop.hour_passes()
    assert shop.told() == 2


async def test_before_a_change_everything_is_reported_now(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(7000)
    fault = shop.till.stripe.faults.storm(503, REPORTS)
    with pytest.raises(TryAgainError):
        await shop.dispatch.flush(shop.account)
    shop.till.stripe.faults.lift(fault)
    await shop.dispatch.flush(shop.account)
    assert shop.told() == 7
    await shop.use(2000)
    await shop.dispatch.flush(shop.account)
    assert shop.told() == 9


async def test_use_shortly_before_a_subscription_ends_is_reported_before_it_does(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    (sub,) = await shop.till.facts()
    shop.till.stripe.drive.cancel_subscription(sub.id, at_period_end=True)
    await shop.till.settle()
    (ending,) = await shop.till.facts()
    assert ending.cancel_at
    await shop.till.pass_time(ending.cancel_at - shop.till.clock.now() - timedelta(minutes=14))
    await shop.use(4000)
    await shop.till.settle()
    assert shop.told() == 4
    assert (await shop.status()).offer is MeterOffer.ENDING


async def test_a_thousand_uses_are_billed_once_though_answers_are_lost_and_the_worker_is_killed(
    shop: Shop,
) -> None:
    await shop.meter.agree(ALICE, CAP)
    dice, spent = random.Random(14), 0
    fault = shop.till.stripe.faults.add(FaultKind.LOSE, REPORTS, times=None)
    fault.share = 0.3
    for hour in range(20):
        for _ in range(50):
            micros = dice.randrange(1, 40_000)
            spent += micros
            await shop.use(micros)
        if hour in (5, 11):
            shop.till.clock.advance(timedelta(hours=1, minutes=6))
            store = dying_store(shop.till.store, 2 + hour // 4, after=hour == 5)
            with pytest.raises(Dying):
                await work_to_the_end(Dispatch(store, shop.till.clock, shop.till.gateway))
        await shop.hour_passes()
    shop.till.stripe.faults.clear()
    for _ in range(3):
        await shop.till.pass_time(timedelta(minutes=10))
    assert shop.told() == spent // UNIT
    assert len(set(shop.identifiers())) == len(shop.identifiers())


async def test_what_may_have_arrived_yesterday_is_looked_for_and_not_told_again(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    shop.till.stripe.faults.add(FaultKind.LOSE, REPORTS, times=9)
    await shop.hour_passes()
    assert shop.told() == 5
    shop.till.stripe.faults.clear()
    outage = shop.till.stripe.faults.storm(503)
    await shop.till.pass_time(timedelta(hours=25))
    shop.till.stripe.faults.lift(outage)
    await shop.till.pass_time(timedelta(minutes=10))
    assert shop.told() == 5
    assert await owed(shop) == 0


async def test_what_never_arrived_is_told_after_an_outage_of_a_day(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(5000)
    outage = shop.till.stripe.faults.storm(503)
    await shop.hour_passes()
    await shop.till.pass_time(timedelta(hours=25))
    shop.till.stripe.faults.lift(outage)
    await shop.till.pass_time(timedelta(minutes=10))
    assert shop.told() == 5
    assert await owed(shop) == 0


async def test_of_two_doubtful_reports_of_an_hour_the_missing_one_is_made_good(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    began = shop.till.clock.now()
    await shop.use(10_000)
    outage = shop.till.stripe.faults.storm(503, REPORTS)
    await shop.hour_passes()
    shop.till.stripe.faults.lift(outage)
    shop.till.stripe.faults.add(FaultKind.LOSE, REPORTS, times=9)
    await shop.use(12_000, began)
    with pytest.raises(TryAgainError):
        await shop.dispatch.flush(shop.account)
    shop.till.stripe.faults.clear()
    accepted = shop.told()
    assert accepted in {10, 12}
    outage = shop.till.stripe.faults.storm(503)
    await shop.till.pass_time(timedelta(hours=25))
    shop.till.stripe.faults.lift(outage)
    for _ in range(4):
        await shop.till.pass_time(timedelta(minutes=10))
    await shop.hour_passes()
    assert shop.told() == 22
    assert await owed(shop) == 0


async def test_units_that_stripe_lost_are_found_after_a_day_and_reported_again_once(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(8000)
    await shop.hour_passes()
    await shop.use(3000)
    await shop.hour_passes()
    shop.lose(0)
    assert await shop.dispatch.differences() == []
    await shop.till.pass_time(timedelta(hours=27))
    (found,) = await shop.dispatch.differences()
    assert (found.kind, found.customer) == (DifferenceKind.METER, shop.customer)
    assert shop.told() == 3
    await shop.dispatch.mend()
    await shop.dispatch.mend()
    await shop.till.settle()
    assert shop.told() == 11
    assert await shop.dispatch.differences() == []
    await shop.use(1000)
    await shop.hour_passes()
    assert shop.told() == 12
    await shop.till.pass_time(timedelta(hours=27))
    assert await shop.dispatch.mend() == []


async def test_what_was_reported_late_is_compared_a_day_later(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(8000)
    outage = shop.till.stripe.faults.storm(503, REPORTS)
    await shop.till.pass_time(timedelta(hours=27))
    shop.till.stripe.faults.lift(outage)
    await shop.till.pass_time(timedelta(minutes=10))
    assert shop.told() == 8
    shop.lose(0)
    assert await shop.dispatch.differences() == []
    await shop.till.pass_time(timedelta(hours=24))
    assert len(await shop.dispatch.differences()) == 1


async def test_more_at_stripe_than_was_used_is_told_and_left_to_the_operator(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    await shop.use(8000)
    await shop.hour_passes()
    rows = shop.till.stripe.world.tables[USAGE]
    (row,) = rows.values()
    rows["mevt_extra"] = {**row, "event": {**row["event"], "identifier": "extra"}}
    await shop.till.pass_time(timedelta(hours=27))
    (found,) = await shop.dispatch.mend()
    assert "16 at Stripe" in found.detail
    await shop.till.settle()
    assert shop.told() == 16


async def test_an_item_that_is_gone_is_found_and_the_member_has_to_say_yes_again(shop: Shop) -> None:
    await shop.meter.agree(ALICE, CAP)
    (sub,) = await shop.till.facts()
    bare, now = replace(sub, metered_item=None), shop.till.clock.now()
    await shop.till.store.transact(lambda tx: tx.replace_subscriptions(shop.account, Mode.TEST, [bare], now))
    assert not (await shop.status()).on
    assert [each.kind for each in await shop.dispatch.differences()] == [DifferenceKind.ITEM_MISSING]
    assert [each.kind for each in await shop.dispatch.mend()] == [DifferenceKind.ITEM_MISSING]
    assert await shop.dispatch.differences() == []
    assert isinstance(await shop.meter.agree(ALICE, CAP), MeteringStatus)
    assert (await shop.status()).on
    assert shop.items() == 2


async def owed(shop: Shop) -> int:
    """Reports that Stripe is not known to have."""
    now = shop.till.clock.now()
    since, until = now - timedelta(days=30), now + timedelta(hours=1)
    reports = await shop.till.store.read(lambda tx: tx.usage_reports(shop.account, Mode.TEST, since, until))
    return sum(report.sent_at is None for report in reports)


async def work_to_the_end(dispatch: Dispatch) -> None:
    """Work until the process dies."""
    while True:
        await dispatch.seal()
        await dispatch.work()
