"""Changes for the end of the paid period: planned, replaced, taken back, and carried out by time."""

from __future__ import annotations

import json

import pytest

from billing.gateway import StripeGateway
from billing.orders import swap
from billing.schedules import preview_of
from engine.domain import Interval, TierName
from engine.errors import TryAgainError
from engine.facts import PaymentStatus, Planned
from engine.terms import ChangeKind, ChangeOrder, ChangeResult, ChangeState, Timing
from tests.billing.orders import MONTH, USAGE_CENTS, YEAR, Member, same, seats, switch
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind
from tests.fakes.stripe.wire import Json

DONE = ChangeResult(ChangeState.DONE)
PLANNED = ChangeResult(ChangeState.PLANNED)
SCHEDULES = "POST /v1/subscription_schedules"
DAY = 86_400


@pytest.fixture
def member(fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str) -> Member:
    return Member(fake, gateway, clock, customer)


async def test_a_downgrade_waits_for_the_end_of_the_period_and_costs_nothing_now(
    fake: FakeStripe, member: Member
) -> None:
    member.subscribes("pro_monthly_v1")
    order, shown = await member.is_shown(switch(TierName.PREMIUM))
    before = order.subscription
    assert (shown.timing, shown.effective_at) == (Timing.PERIOD_END, before.period_end)
    assert (shown.due_now, shown.recurring) == (0, 8_990_000)
    assert await member.gateway.change_subscription(order) == PLANNED
    planned = await member.sees()
    assert (planned.tier, planned.price) == (TierName.PRO, before.price)
    assert planned.planned == Planned(TierName.PREMIUM, MONTH, 1, shown.effective_at)
    assert await member.gateway.change_subscription(order) == PLANNED
    assert (fake.count(SCHEDULES), fake.count(f"{SCHEDULES}/{{schedule}}")) == (1, 1)
    fake.drive.advance(25 * DAY)
    after = await member.sees()
    assert (after.tier, after.quantity, after.planned) == (TierName.PREMIUM, 1, None)
    assert await member.gateway.change_subscription(order) == DONE
    fake.drive.advance(32 * DAY)
    assert (await member.sees()).schedule is None
    assert fake.world.rows("invoice")[0]["total"] == 899


@pytest.mark.parametrize(
    ("lookup_key", "quantity", "tier", "interval", "wished"),
    [
        ("premium_yearly_v1", 1, TierName.PREMIUM, MONTH, 1),
        ("pro_monthly_v1", 1, TierName.PREMIUM, YEAR, 1),
        ("team_monthly_v1", 9, TierName.TEAM, MONTH, 6),
    ],
)
async def test_what_the_member_gives_up_is_kept_until_it_is_paid_for(
    member: Member, lookup_key: str, quantity: int, tier: TierName, interval: Interval, wished: int
) -> None:
    member.subscribes(lookup_key, quantity)
    before = await member.sees()
    is_seats = before.tier is tier and before.interval is interval
    assert await member.gets(seats(wished) if is_seats else switch(tier, interval, wished)) == PLANNED
    seen = await member.sees()
    assert (seen.tier, seen.interval, seen.quantity) == (before.tier, before.interval, quantity)
    assert before.period_end is not None
    assert seen.planned == Planned(tier, interval, wished, before.period_end)


@pytest.mark.parametrize("route", [SCHEDULES, f"{SCHEDULES}/{{schedule}}"])
@pytest.mark.parametrize("kind", [FaultKind.LOSE, FaultKind.HANG_UP])
async def test_a_plan_that_was_half_made_is_finished_by_repeating_the_order(
    fake: FakeStripe, member: Member, route: str, kind: FaultKind
) -> None:
    member.subscribes("pro_monthly_v1")
    order, _ = await member.is_shown(switch(TierName.PREMIUM))
    fake.faults.add(kind, route, times=3)
    with pytest.raises(TryAgainError):
        await member.gateway.change_subscription(order)
    assert await member.gateway.change_subscription(order) == PLANNED
    assert (await member.sees()).planned is not None
    assert len(fake.world.rows("subscription_schedule")) == 1
    keys = {seen.idempotency_key for seen in fake.log if seen.route.startswith(SCHEDULES)}
    assert keys == {"chg-1-schedule", "chg-1-phases"}


async def test_another_plan_takes_the_place_of_the_first(fake: FakeStripe, member: Member) -> None:
    member.subscribes("pro_monthly_v1")
    await member.gets(switch(TierName.PREMIUM))
    assert await member.gets(switch(TierName.TEAM, MONTH, 7)) == PLANNED
    planned = (await member.sees()).planned
    assert planned is not None
    assert (planned.tier, planned.quantity) == (TierName.TEAM, 7)
    fake.drive.advance(25 * DAY)
    assert (await member.sees()).tier is TierName.TEAM


async def test_resuming_takes_a_plan_back(fake: FakeStripe, member: Member) -> None:
    member.subscribes("pro_monthly_v1")
    await member.gets(switch(TierName.PREMIUM))
    seen = await member.sees()
    order, shown = await member.is_shown(same(ChangeKind.RESUME, seen))
    assert (shown.timing, shown.due_now, shown.recurring) == (Timing.NOW, 0, 49_990_000)
    assert await member.gateway.change_subscription(order) == DONE
    assert await member.gateway.change_subscription(order) == DONE
    kept = await member.sees()
    assert (kept.schedule, kept.planned) == (None, None)
    fake.drive.advance(25 * DAY)
    assert (await member.sees()).tier is TierName.PRO


async def test_discounts_and_trials_outlive_a_plan(fake: FakeStripe, member: Member) -> None:
    member.subscribes("pro_monthly_v1", trial_days=20)
    coupon = fake.drive.coupon("forever", percent_off=50.0)
    held = {"id": "di_1", "source": {"type": "coupon", "coupon": coupon["id"]}, "start": 0}
    fake.world.tables["discount"]["di_1"] = fake.world.shapes.make("discount", held)
    fake.world.rows("subscription")[0]["discounts"] = ["di_1"]
    assert await member.gets(switch(TierName.PREMIUM)) == PLANNED
    [update] = [seen.form for seen in fake.log if seen.route == f"{SCHEDULES}/{{schedule}}"]
    sent = json.dumps(update["phases"])
    assert sent.count('"discounts": {"0": {"discount": "di_1"}}') == 2
    assert sent.count('"trial_end"') == 1
    seen = await member.sees()
    assert (seen.status, seen.tier) == (PaymentStatus.TRIALING, TierName.PRO)


async def test_a_cancellation_leaves_the_paid_period_and_can_be_taken_back(
    fake: FakeStripe, member: Member
) -> None:
    member.subscribes("premium_yearly_v1")
    order, shown = await member.is_shown(same(ChangeKind.CANCEL, await member.sees()))
    before = order.subscription
    assert (shown.timing, shown.effective_at) == (Timing.PERIOD_END, before.period_end)
    assert (shown.due_now, shown.recurring) == (0, 89_000_000)
    assert await member.gateway.change_subscription(order) == PLANNED
    assert await member.gateway.change_subscription(order) == PLANNED
    pending = await member.sees()
    assert (pending.status, pending.cancel_at) == (PaymentStatus.ACTIVE, before.period_end)
    assert await member.gets(same(ChangeKind.RESUME, pending)) == DONE
    assert (await member.sees()).cancel_at is None
    fake.drive.cancel_subscription(before.id, at_period_end=True)
    assert await member.gets(same(ChangeKind.RESUME, await member.sees())) == DONE
    assert (await member.sees()).cancel_at is None


async def test_a_year_with_metered_use_ends_with_the_year_and_not_with_the_month(
    fake: FakeStripe, member: Member
) -> None:
    fake.prices |= fake.drive.stock({}, usage_cents=USAGE_CENTS)
    member.subscribes("pro_yearly_v1")
    await member.gets(same(ChangeKind.METER, await member.sees()))
    before = await member.sees()
    assert await member.gets(same(ChangeKind.CANCEL, before)) == PLANNED
    assert (await member.sees()).cancel_at == before.period_end
    assert await member.gets(same(ChangeKind.RESUME, before)) == DONE
    assert (await member.sees()).cancel_at is None


async def test_a_cancellation_takes_the_place_of_a_plan(fake: FakeStripe, member: Member) -> None:
    member.subscribes("pro_monthly_v1")
    await member.gets(switch(TierName.PREMIUM))
    order, _ = await member.is_shown(same(ChangeKind.CANCEL, await member.sees()))
    fake.faults.add(FaultKind.HANG_UP, "POST /v1/subscriptions/", times=3)
    with pytest.raises(TryAgainError):
        await member.gateway.change_subscription(order)
    assert await member.gateway.change_subscription(order) == PLANNED
    seen = await member.sees()
    assert (seen.schedule, seen.cancel_at) == (None, seen.period_end)


async def test_a_plan_takes_the_place_of_a_cancellation(member: Member) -> None:
    member.subscribes("pro_monthly_v1")
    await member.gets(same(ChangeKind.CANCEL, await member.sees()))
    assert await member.gets(switch(TierName.PREMIUM)) == PLANNED
    seen = await member.sees()
    assert seen.cancel_at is None
    assert seen.planned is not None


async def test_an_upgrade_takes_the_place_of_a_plan(fake: FakeStripe, member: Member) -> None:
    member.subscribes("team_monthly_v1", 5)
    await member.gets(switch(TierName.PREMIUM))
    order = ChangeOrder("chg-9", await member.sees(), switch(TierName.PRO), Timing.NOW, member.clock.now())
    assert await member.gateway.change_subscription(order) == DONE
    seen = await member.sees()
    assert (seen.tier, seen.schedule, seen.planned) == (TierName.PRO, None, None)
    assert len(fake.world.rows("subscription")) == 1


async def test_under_a_plan_a_change_is_previewed_as_one_of_its_running_phase(
    fake: FakeStripe, member: Member
) -> None:
    member.subscribes("team_monthly_v1", 5)
    await member.gets(switch(TierName.PREMIUM))
    seen = await member.sees()
    [row], [schedule] = fake.world.rows("subscription"), fake.world.rows("subscription_schedule")
    price = fake.prices["pro_monthly_v1"]
    params = preview_of(row | {"schedule": schedule}, swap(seen, price, 1, keeps_meter=False))
    [phase] = params["schedule_details"]["phases"]
    assert (params["schedule"], "subscription" in params) == (seen.schedule, False)
    assert params["schedule_details"]["proration_behavior"] == "always_invoice"
    assert phase["items"] == [{"price": price, "quantity": 1}]
    assert phase["end_date"] == schedule["current_phase"]["end_date"]


async def test_under_a_plan_a_change_is_charged_as_it_was_previewed(fake: FakeStripe, member: Member) -> None:
    member.subscribes("team_monthly_v1", 5)
    await member.gets(switch(TierName.PREMIUM))
    order, shown = await member.is_shown(switch(TierName.PRO))
    assert shown.due_now > 10_000_000
    assert await member.gateway.change_subscription(order) == ChangeResult(ChangeState.DONE)
    assert fake.world.rows("invoice")[0]["amount_paid"] * 10_000 == shown.due_now


async def test_leaving_pro_leaves_metered_use_and_staying_keeps_it(fake: FakeStripe, member: Member) -> None:
    fake.prices |= fake.drive.stock({}, usage_cents=USAGE_CENTS)
    member.subscribes("pro_yearly_v1")
    await member.gets(same(ChangeKind.METER, await member.sees()))
    assert await member.gets(switch(TierName.PRO, MONTH)) == PLANNED
    assert _planned_prices(fake) == {fake.prices["pro_monthly_v1"], fake.prices["pro_usage_v1"]}
    assert await member.gets(switch(TierName.PREMIUM)) == PLANNED
    assert _planned_prices(fake) == {fake.prices["premium_monthly_v1"]}
    assert (await member.sees()).metered_item is not None


def _planned_prices(fake: FakeStripe) -> set[str]:
    [schedule] = fake.world.rows("subscription_schedule")
    return {item["price"] for item in schedule["phases"][-1]["items"]}


async def test_metered_use_is_changed_within_a_plan(fake: FakeStripe, member: Member) -> None:
    fake.prices |= fake.drive.stock({}, usage_cents=USAGE_CENTS)
    member.subscribes("pro_yearly_v1")
    await member.gets(switch(TierName.PRO, MONTH))
    assert await member.gets(same(ChangeKind.METER, await member.sees())) == DONE
    on = await member.sees()
    assert (on.metered_item is not None, on.planned is not None) == (True, True)
    assert _planned_prices(fake) == {fake.prices["pro_monthly_v1"], fake.prices["pro_usage_v1"]}
    assert await member.gets(same(ChangeKind.METER, on, 0)) == DONE
    assert (await member.sees()).metered_item is None
    assert _planned_prices(fake) == {fake.prices["pro_monthly_v1"]}


@pytest.mark.parametrize("taxed", [True, False])
async def test_a_plan_taxes_what_was_taxed(fake: FakeStripe, member: Member, *, taxed: bool) -> None:
    member.subscribes("pro_monthly_v1")
    fake.world.rows("subscription")[0]["automatic_tax"]["enabled"] = taxed
    assert await member.gets(switch(TierName.PREMIUM)) == PLANNED
    [planned] = [seen for seen in fake.log if seen.route == "POST /v1/subscription_schedules/{schedule}"]
    form: Json = dict(planned.form)
    wanted = [{"enabled": "true"}] * 2 if taxed else [None] * 2
    assert [phase.get("automatic_tax") for phase in form["phases"].values()] == wanted
