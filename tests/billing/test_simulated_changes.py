"""Changes of simulated subscriptions: when they take effect, what they cost, and what happens unpaid."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from billing.simulated import SimulatedBilling
from engine.domain import Interval, TierName
from engine.errors import GoneError, TellOperatorError
from engine.facts import PaymentStatus, Planned
from engine.ports import Store
from engine.simulated import SimulatedDeed
from engine.terms import ChangeKind, ChangeOrder, ChangeState, Timing, Wish
from tests.billing.inbox import Inbox
from tests.billing.simulated_till import ANNA, PRICED, SimulatedTill, opened_till
from tests.fakes.clock import NOON, FakeClock

UPDATED = "customer.subscription.updated"
HALF = timedelta(days=15)
"""Of the thirty days from noon on."""
MONTH_ON = datetime(2026, 12, 24, 12, tzinfo=UTC)


@pytest.fixture
async def till(store: Store, clock: FakeClock, inbox: Inbox) -> AsyncIterator[SimulatedTill]:
    async with opened_till(store, clock, inbox) as opened:
        yield opened


async def test_a_higher_tier_comes_at_once_for_the_difference_of_the_time_left(till: SimulatedTill) -> None:
    await till.buy()
    await till.passes(days=15)
    preview, result = await till.change(ChangeKind.SWITCH, TierName.PRO)
    assert (preview.timing, preview.effective_at) == (Timing.NOW, NOON + HALF)
    assert (preview.due_now, preview.recurring) == (20_500_000, 50_000_000)
    assert (result.state, result.pay_url) == (ChangeState.DONE, None)
    await till.hears("invoice.paid", UPDATED)
    sub = await till.sub()
    assert (sub.tier, sub.period_end, sub.status) == (TierName.PRO, MONTH_ON, PaymentStatus.ACTIVE)
    assert (await till.billing.invoice(sub.latest_invoice or "")).amount == 20_500_000


async def test_a_year_in_place_of_a_month_begins_at_once(till: SimulatedTill) -> None:
    await till.buy()
    await till.passes(days=15)
    preview, _ = await till.change(ChangeKind.SWITCH, TierName.PREMIUM, Interval.YEAR)
    assert (preview.timing, preview.due_now, preview.recurring) == (Timing.NOW, 85_500_000, 90_000_000)
    sub = await till.sub()
    assert (sub.interval, sub.period_end) == (Interval.YEAR, datetime(2027, 12, 9, 12, tzinfo=UTC))
    await till.passes(days=366)
    assert (await till.sub()).period_end == datetime(2028, 12, 9, 12, tzinfo=UTC)


async def test_more_seats_come_at_once_and_fewer_with_the_next_period(till: SimulatedTill) -> None:
    await till.buy(TierName.TEAM, quantity=5)
    await till.passes(days=15)
    preview, _ = await till.change(ChangeKind.SEATS, TierName.TEAM, quantity=7)
    assert (preview.timing, preview.due_now, preview.recurring) == (Timing.NOW, 5_000_000, 40_000_000)
    assert (await till.sub()).quantity == 7
    preview, result = await till.change(ChangeKind.SEATS, TierName.TEAM, quantity=6)
    assert (preview.timing, preview.due_now, preview.recurring) == (Timing.PERIOD_END, 0, 35_000_000)
    assert (result.state, (await till.sub()).quantity) == (ChangeState.PLANNED, 7)
    await till.passes(days=15)
    assert ((await till.sub()).quantity, (await till.sub()).planned) == (6, None)


@pytest.mark.parametrize(
    ("tier", "interval", "end"),
    [
        (TierName.PREMIUM, Interval.YEAR, datetime(2028, 11, 24, 12, tzinfo=UTC)),
        (TierName.PRO, Interval.MONTH, datetime(2027, 12, 24, 12, tzinfo=UTC)),
    ],
)
async def test_a_lower_tier_or_shorter_interval_waits_for_the_period_to_end(
    till: SimulatedTill, tier: TierName, interval: Interval, end: datetime
) -> None:
    bought = await till.buy(TierName.PRO, interval=Interval.YEAR)
    preview, result = await till.change(ChangeKind.SWITCH, tier, interval)
    assert bought.period_end
    assert (preview.timing, preview.effective_at) == (Timing.PERIOD_END, bought.period_end)
    assert (preview.due_now, result.state) == (0, ChangeState.PLANNED)
    await till.hears(UPDATED, "subscription_schedule.updated")
    sub = await till.sub()
    assert (sub.tier, sub.interval, sub.planned) == (
        TierName.PRO,
        Interval.YEAR,
        Planned(tier, interval, 1, bought.period_end),
    )
    assert sub.schedule
    await till.passes(days=365)
    await till.hears(UPDATED, "invoice.paid")
    sub = await till.sub()
    assert (sub.tier, sub.interval, sub.planned, sub.period_end) == (tier, interval, None, end)


async def test_a_cancellation_is_for_the_end_of_the_period_and_can_be_taken_back(till: SimulatedTill) -> None:
    await till.buy()
    preview, result = await till.change(ChangeKind.CANCEL, TierName.PREMIUM)
    assert (preview.timing, preview.effective_at, preview.recurring) == (Timing.PERIOD_END, MONTH_ON, 0)
    assert (result.state, (await till.sub()).cancel_at) == (ChangeState.PLANNED, MONTH_ON)
    _, result = await till.change(ChangeKind.RESUME, TierName.PREMIUM)
    assert (result.state, (await till.sub()).cancel_at) == (ChangeState.DONE, None)
    await till.change(ChangeKind.CANCEL, TierName.PREMIUM)
    await till.passes(days=30)
    await till.hears(UPDATED, UPDATED, UPDATED, "customer.subscription.deleted")
    sub = await till.sub()
    assert (sub.status, sub.ended_at, sub.end_reason) == (
        PaymentStatus.CANCELED,
        MONTH_ON,
        "cancellation_requested",
    )


async def test_resuming_takes_a_planned_change_back(till: SimulatedTill) -> None:
    await till.buy(TierName.PRO)
    await till.change(ChangeKind.SWITCH, TierName.PREMIUM)
    await till.change(ChangeKind.RESUME, TierName.PRO)
    assert (await till.sub()).planned is None
    await till.passes(days=30)
    assert (await till.sub()).tier is TierName.PRO


async def test_metered_use_is_switched_on_and_off_for_nothing(till: SimulatedTill) -> None:
    await till.buy(TierName.PRO)
    preview, _ = await till.change(ChangeKind.METER, TierName.PRO, quantity=1)
    assert (preview.timing, preview.due_now, preview.recurring) == (Timing.NOW, 0, 50_000_000)
    assert (await till.sub()).metered_item
    await till.passes(minutes=1)
    await till.change(ChangeKind.METER, TierName.PRO, quantity=0)
    assert (await till.sub()).metered_item is None


@pytest.mark.parametrize("tier", [TierName.TEAM, TierName.PREMIUM])
async def test_metered_use_ends_with_its_tier(till: SimulatedTill, tier: TierName) -> None:
    await till.buy(TierName.PRO)
    await till.change(ChangeKind.METER, TierName.PRO, quantity=1)
    await till.change(ChangeKind.SWITCH, tier, quantity=5 if tier is TierName.TEAM else 1)
    await till.passes(days=30)
    assert ((await till.sub()).tier, (await till.sub()).metered_item) == (tier, None)


async def test_metered_use_that_is_not_sold_is_the_operators_to_mend(
    store: Store, clock: FakeClock, till: SimulatedTill
) -> None:
    sub = await till.buy(TierName.PRO)
    unmetered = SimulatedBilling(store, clock, "http://127.0.0.1", PRICED)
    wish = Wish(ChangeKind.METER, TierName.PRO, Interval.MONTH, 1)
    with pytest.raises(TellOperatorError, match="metered_markup"):
        await unmetered.preview_change(sub, wish, NOON)


async def test_a_declined_card_leaves_the_old_tier_until_the_invoice_is_paid(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.EXPIRE_CARD)
    await till.passes(days=15)
    preview, result = await till.change(ChangeKind.SWITCH, TierName.PRO)
    await till.hears("customer.updated", "invoice.payment_failed", UPDATED)
    sub = await till.sub()
    assert (result.state, result.pay_url) == (ChangeState.PAYMENT_NEEDED, sub.pay_url)
    assert (sub.tier, sub.status, sub.change_pending) == (TierName.PREMIUM, PaymentStatus.ACTIVE, True)
    assert (sub.past_due_since, bool(sub.open_invoice)) == (None, True)
    shown = await till.billing.invoice(sub.open_invoice or "")
    assert (shown.amount, shown.tier) == (preview.due_now, TierName.PRO)
    await till.billing.pay_invoice(shown.id)
    await till.hears("invoice.paid", "customer.subscription.pending_update_applied", UPDATED)
    sub = await till.sub()
    assert (sub.tier, sub.change_pending, sub.open_invoice) == (TierName.PRO, False, None)


async def test_a_change_that_nobody_pays_for_is_forgotten_after_23_hours(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.EXPIRE_CARD)
    await till.passes(days=15)
    await till.change(ChangeKind.SWITCH, TierName.PRO)
    invoice = (await till.sub()).open_invoice or ""
    await till.hears("customer.updated", "invoice.payment_failed", UPDATED)
    await till.passes(hours=23)
    await till.hears("customer.subscription.pending_update_expired", "invoice.voided")
    sub = await till.sub()
    assert (sub.tier, sub.change_pending, sub.pay_url) == (TierName.PREMIUM, False, None)
    assert not (await till.billing.invoice(invoice)).open


async def test_another_change_takes_the_place_of_one_that_waits_for_its_payment(till: SimulatedTill) -> None:
    await till.buy()
    await till.simulation.do(ANNA, SimulatedDeed.EXPIRE_CARD)
    await till.passes(days=15)
    await till.change(ChangeKind.SWITCH, TierName.PRO)
    _, result = await till.change(ChangeKind.SWITCH, TierName.TEAM, quantity=5)
    assert result.state is ChangeState.PAYMENT_NEEDED
    await till.simulation.do(ANNA, SimulatedDeed.RECOVER)
    assert (await till.sub()).tier is TierName.TEAM


async def test_what_an_earlier_change_gave_back_is_taken_off_the_next_bill(till: SimulatedTill) -> None:
    await till.buy(TierName.PRO, interval=Interval.YEAR)
    sub, at = await till.sub(), till.clock.now()
    wish = Wish(ChangeKind.SWITCH, TierName.PREMIUM, Interval.YEAR, 1)
    await till.billing.change_subscription(ChangeOrder("dashboard", sub, wish, Timing.NOW, at))
    preview, _ = await till.change(ChangeKind.SWITCH, TierName.TEAM, Interval.YEAR, 5)
    assert preview.due_now == 0
    await till.passes(days=365)
    assert (await till.billing.invoice((await till.sub()).latest_invoice or "")).amount == 100_000_000


async def test_a_change_in_a_trial_costs_nothing_and_keeps_the_trial(till: SimulatedTill) -> None:
    bought = await till.buy(trial_days=7)
    preview, _ = await till.change(ChangeKind.SWITCH, TierName.PRO, Interval.YEAR)
    assert preview.due_now == 0
    sub = await till.sub()
    assert (sub.tier, sub.status, sub.trial_end) == (TierName.PRO, PaymentStatus.TRIALING, bought.trial_end)
    await till.passes(days=7)
    assert (await till.billing.invoice((await till.sub()).latest_invoice or "")).amount == 500_000_000


async def test_the_same_key_changes_once_and_gives_the_same_answer(till: SimulatedTill) -> None:
    sub = await till.buy()
    wish = Wish(ChangeKind.SWITCH, TierName.PRO, Interval.MONTH, 1)
    order = ChangeOrder("proposal-1", sub, wish, Timing.NOW, NOON)
    answers = {await till.billing.change_subscription(order) for _ in range(3)}
    assert {answer.state for answer in answers} == {ChangeState.DONE}
    await till.hears("invoice.paid", UPDATED)
    await till.passes(days=1)
    assert len(till.inbox.taken) == till.heard


async def test_what_changed_since_the_proposal_is_not_changed_by_it(till: SimulatedTill) -> None:
    sub = await till.buy()
    await till.billing.cancel_at_period_end(await till.portal(), pending=True)
    wish = Wish(ChangeKind.SWITCH, TierName.PRO, Interval.MONTH, 1)
    result = await till.billing.change_subscription(ChangeOrder("late", sub, wish, Timing.NOW, NOON))
    assert (result.state, (await till.sub()).tier) == (ChangeState.OUTDATED, TierName.PREMIUM)


async def test_what_is_not_sold_or_no_more_there_is_refused(till: SimulatedTill) -> None:
    sub = await till.buy()
    free = Wish(ChangeKind.SWITCH, TierName.FREE, Interval.MONTH, 1)
    with pytest.raises(TellOperatorError):
        await till.billing.preview_change(sub, free, NOON)
    with pytest.raises(TellOperatorError):
        await till.buy(TierName.FREE)
    await till.simulation.do(ANNA, SimulatedDeed.EXPIRE)
    more = Wish(ChangeKind.SWITCH, TierName.PRO, Interval.MONTH, 1)
    with pytest.raises(GoneError):
        await till.billing.preview_change(sub, more, NOON)
    result = await till.billing.change_subscription(ChangeOrder("over", sub, more, Timing.NOW, NOON))
    assert result.state is ChangeState.OUTDATED
