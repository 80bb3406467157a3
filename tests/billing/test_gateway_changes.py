"""Changes that take effect now: what they cost, what becomes of them, and that they happen once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import stripe

from billing.gateway import StripeGateway
from engine.domain import TierName
from engine.errors import GoneError, TellOperatorError, TryAgainError
from engine.facts import SubscriptionId
from engine.terms import ChangeKind, ChangeOrder, ChangeResult, ChangeState, Policy, Timing
from tests.billing.conftest import gateway_on
from tests.billing.orders import MONTH, USAGE_CENTS, YEAR, Member, same, seats, switch
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind

UPDATE = "POST /v1/subscriptions/{subscription_exposed_id}"
DONE = ChangeResult(ChangeState.DONE)
OUTDATED = ChangeResult(ChangeState.OUTDATED)


@pytest.fixture
def member(fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str) -> Member:
    return Member(fake, gateway, clock, customer)


async def test_an_upgrade_is_charged_as_it_was_shown_and_takes_effect_at_once(
    fake: FakeStripe, member: Member
) -> None:
    member.subscribes("premium_monthly_v1")
    order, shown = await member.is_shown(switch(TierName.PRO))
    assert (shown.timing, shown.effective_at) == (Timing.NOW, member.clock.now())
    assert 25_000_000 < shown.due_now < 29_000_000
    assert (shown.recurring, shown.currency) == (49_990_000, "usd")
    assert fake.world.rows("subscription")[0]["items"]["data"][0]["price"]["lookup_key"] != "pro_monthly_v1"
    member.clock.advance(timedelta(minutes=4))
    assert await member.gateway.change_subscription(order) == DONE
    after = await member.sees()
    assert (after.tier, after.interval, after.quantity) == (TierName.PRO, MONTH, 1)
    assert fake.world.rows("invoice")[0]["amount_paid"] * 10_000 == shown.due_now
    assert len(fake.world.rows("subscription")) == 1


async def test_from_month_to_year_is_charged_now_less_what_is_left_of_the_month(
    fake: FakeStripe, member: Member
) -> None:
    member.subscribes("premium_monthly_v1")
    order, shown = await member.is_shown(switch(TierName.PREMIUM, YEAR))
    assert (shown.timing, shown.recurring) == (Timing.NOW, 89_000_000)
    assert 80_000_000 < shown.due_now < 84_000_000
    assert await member.gateway.change_subscription(order) == DONE
    assert fake.world.rows("invoice")[0]["amount_paid"] * 10_000 == shown.due_now
    assert (await member.sees()).interval is YEAR


async def test_a_higher_tier_by_the_month_may_credit_what_is_left_of_the_year(member: Member) -> None:
    member.subscribes("premium_yearly_v1")
    _, shown = await member.is_shown(switch(TierName.PRO))
    assert shown.timing is Timing.NOW
    assert shown.due_now < 0


@pytest.mark.parametrize(
    ("price", "least"), [("team_monthly_v1", 9_000_000), ("team_yearly_v1", 100_000_000)]
)
async def test_more_seats_are_paid_at_once_as_shown(
    fake: FakeStripe, member: Member, price: str, least: int
) -> None:
    member.subscribes(price, 5)
    interval = YEAR if "year" in price else MONTH
    order, shown = await member.is_shown(seats(8, interval))
    assert shown.timing is Timing.NOW
    assert shown.due_now > least
    assert await member.gateway.change_subscription(order) == DONE
    assert (await member.sees()).quantity == 8
    assert fake.world.rows("invoice")[0]["amount_paid"] * 10_000 == shown.due_now


async def test_more_seats_wait_for_a_card_that_declines(fake: FakeStripe, member: Member) -> None:
    member.subscribes("team_monthly_v1", 5)
    fake.drive.refuse_cards(member.customer)
    result = await member.gets(seats(8))
    assert result.state is ChangeState.PAYMENT_NEEDED
    assert (await member.sees()).quantity == 5


async def test_a_switch_of_interval_keeps_the_seats(member: Member) -> None:
    member.subscribes("team_monthly_v1", 8)
    assert await member.gets(switch(TierName.TEAM, YEAR, 8)) == DONE
    after = await member.sees()
    assert (after.tier, after.interval, after.quantity) == (TierName.TEAM, YEAR, 8)


async def test_lasting_discounts_are_in_the_recurring_price(fake: FakeStripe, member: Member) -> None:
    member.subscribes("premium_monthly_v1")
    coupon = fake.drive.coupon("forever", percent_off=50.0)
    discount = fake.world.shapes.make(
        "discount",
        {"id": "di_1", "source": {"type": "coupon", "coupon": coupon["id"]}, "start": 0},
    )
    fake.world.tables["discount"]["di_1"] = discount
    fake.world.rows("subscription")[0]["discounts"] = ["di_1"]
    _, shown = await member.is_shown(switch(TierName.PRO))
    assert shown.recurring == 25_000_000


@pytest.mark.parametrize("asks", [True, False])
async def test_a_card_that_does_not_pay_leaves_the_old_tier_and_says_where_to_pay(
    fake: FakeStripe, member: Member, *, asks: bool
) -> None:
    member.subscribes("premium_monthly_v1")
    (fake.drive.authenticate_needed if asks else fake.drive.refuse_cards)(member.customer)
    order, _ = await member.is_shown(switch(TierName.PRO))
    result = await member.gateway.change_subscription(order)
    seen = await member.sees()
    assert (seen.tier, seen.change_pending) == (TierName.PREMIUM, True)
    assert result == ChangeResult(ChangeState.PAYMENT_NEEDED, seen.pay_url)
    assert seen.pay_url is not None
    assert await member.gateway.change_subscription(order) == result
    fake.drive.pay_invoice(seen.open_invoice or "")
    assert (await member.sees()).tier is TierName.PRO
    assert await member.gateway.change_subscription(order) == DONE
    assert len(fake.world.rows("subscription")) == 1


@pytest.mark.parametrize("kind", [FaultKind.LOSE, FaultKind.CUT, FaultKind.STATUS])
async def test_an_order_whose_answer_was_lost_is_done_once_when_it_is_repeated(
    fake: FakeStripe, member: Member, kind: FaultKind
) -> None:
    member.subscribes("premium_monthly_v1")
    order, _ = await member.is_shown(switch(TierName.PRO))
    fake.faults.add(kind, UPDATE, times=3)
    with pytest.raises(TryAgainError):
        await member.gateway.change_subscription(order)
    assert await member.gateway.change_subscription(order) == DONE
    assert await member.gateway.change_subscription(order) == DONE
    assert [invoice["billing_reason"] for invoice in fake.world.rows("invoice")].count(
        "subscription_update"
    ) == 1
    assert {seen.idempotency_key for seen in fake.log if seen.route == UPDATE} == {"chg-1-update"}


async def test_a_limit_on_calls_is_waited_out(fake: FakeStripe, member: Member) -> None:
    member.subscribes("premium_monthly_v1")
    fake.faults.add(FaultKind.STATUS, UPDATE, times=2, status=429)
    assert await member.gets(switch(TierName.PRO)) == DONE


async def test_an_order_for_what_has_changed_meanwhile_is_outdated(fake: FakeStripe, member: Member) -> None:
    member.subscribes("team_monthly_v1", 5)
    order, _ = await member.is_shown(switch(TierName.PRO))
    fake.drive.bill_seats(order.subscription.id, 6)
    assert await member.gateway.change_subscription(order) == OUTDATED
    fake.drive.change_price(order.subscription.id, fake.prices["premium_monthly_v1"], 1)
    assert await member.gateway.change_subscription(order) == OUTDATED
    fake.drive.cancel_subscription(order.subscription.id)
    assert await member.gateway.change_subscription(order) == OUTDATED
    assert not any(seen.route == UPDATE for seen in fake.log)


async def test_an_order_for_what_has_ended_meanwhile_is_outdated(fake: FakeStripe, member: Member) -> None:
    member.subscribes("premium_monthly_v1")
    order, _ = await member.is_shown(switch(TierName.PRO))
    cancel, _ = await member.is_shown(same(ChangeKind.CANCEL, order.subscription))
    fake.drive.cancel_subscription(order.subscription.id)
    assert await member.gateway.change_subscription(order) == OUTDATED
    assert await member.gateway.change_subscription(cancel) == OUTDATED


async def test_an_order_from_before_the_renewal_is_outdated(fake: FakeStripe, member: Member) -> None:
    member.subscribes("premium_monthly_v1")
    order, _ = await member.is_shown(switch(TierName.PRO))
    fake.drive.advance(25 * 86_400)
    assert await member.gateway.change_subscription(order) == OUTDATED


async def test_what_is_wished_already_needs_nothing(fake: FakeStripe, member: Member) -> None:
    member.subscribes("premium_monthly_v1")
    order, _ = await member.is_shown(switch(TierName.PRO))
    fake.drive.change_price(order.subscription.id, fake.prices["pro_monthly_v1"], 1)
    assert await member.gateway.change_subscription(order) == DONE


async def test_nothing_can_be_shown_of_a_subscription_that_is_over_or_never_was(
    fake: FakeStripe, member: Member
) -> None:
    member.subscribes("premium_monthly_v1")
    seen = await member.sees()
    fake.drive.cancel_subscription(seen.id)
    never = replace(seen, id=SubscriptionId("sub_never_was"))
    for each in (seen, never):
        with pytest.raises(GoneError):
            await member.gateway.preview_change(each, switch(TierName.PRO), member.clock.now())
    order = ChangeOrder("chg-1", never, switch(TierName.PRO), Timing.NOW, member.clock.now())
    with pytest.raises(GoneError):
        await member.gateway.change_subscription(order)


async def test_a_change_to_what_has_no_price_is_the_operators_to_mend(
    fake: FakeStripe, member: Member
) -> None:
    member.subscribes("premium_monthly_v1")
    fake.world.tables["price"][fake.prices["pro_monthly_v1"]]["active"] = False
    with pytest.raises(TellOperatorError, match="no price for pro by the month"):
        await member.is_shown(switch(TierName.PRO))


async def test_no_seats_are_sold_beside_a_price_without_steps(fake: FakeStripe, member: Member) -> None:
    fake.drive.flatten(fake.prices["team_monthly_v1"])
    member.subscribes("team_monthly_v1")
    with pytest.raises(TellOperatorError, match="no seats"):
        await member.is_shown(seats(6))


async def test_metered_use_is_added_without_a_quantity_and_taken_off_again(
    fake: FakeStripe, member: Member
) -> None:
    fake.prices |= fake.drive.stock({}, usage_cents=USAGE_CENTS)
    member.subscribes("pro_yearly_v1")
    order, shown = await member.is_shown(same(ChangeKind.METER, await member.sees()))
    assert (shown.timing, shown.due_now, shown.recurring) == (Timing.NOW, 0, 499_000_000)
    assert await member.gateway.change_subscription(order) == DONE
    assert await member.gateway.change_subscription(order) == DONE
    on = await member.sees()
    assert (on.tier, on.interval) == (TierName.PRO, YEAR)
    assert on.mrr * 12 == 499_000_000
    assert on.metered_item is not None
    assert await member.gets(same(ChangeKind.METER, on, 0)) == DONE
    assert (await member.sees()).metered_item is None


async def test_metered_use_can_be_agreed_again_after_its_price_was_replaced(
    fake: FakeStripe, member: Member, sdk: stripe.StripeClient
) -> None:
    fake.prices |= fake.drive.stock({}, usage_cents=USAGE_CENTS)
    member.subscribes("pro_monthly_v1")
    order, _ = await member.is_shown(same(ChangeKind.METER, await member.sees()))
    assert await member.gateway.change_subscription(order) == DONE
    item = (await member.sees()).metered_item or ""
    await sdk.v1.subscriptions.update_async(order.subscription.id, {"items": [{"id": item, "deleted": True}]})
    await another_usage_price(fake, sdk)
    assert await member.gateway.change_subscription(order) == DONE
    assert (await member.sees()).metered_item is not None


async def another_usage_price(fake: FakeStripe, sdk: stripe.StripeClient) -> None:
    old = fake.world.get("price", fake.prices["pro_usage_v1"], "price")
    await sdk.v1.prices.create_async(
        {
            "currency": "usd",
            "product": old["product"],
            "lookup_key": "pro_usage_v1",
            "transfer_lookup_key": True,
            "recurring": {"interval": "month", "usage_type": "metered", "meter": old["recurring"]["meter"]},
            "unit_amount_decimal": Decimal("0.2"),
        }
    )


async def test_metered_use_needs_its_price_and_the_operators_word(
    fake: FakeStripe, clock: FakeClock, member: Member
) -> None:
    member.subscribes("pro_monthly_v1")
    wish = same(ChangeKind.METER, await member.sees())
    with pytest.raises(TellOperatorError, match="pro_usage_v1"):
        await member.gets(wish)
    frugal = gateway_on(fake, clock, policy=Policy())
    with pytest.raises(TellOperatorError, match="metered_markup"):
        await frugal.preview_change(await member.sees(), wish, clock.now())
    await frugal.aclose()


async def test_an_upgrade_in_a_trial_costs_nothing_and_goes_on_trying(member: Member) -> None:
    member.subscribes("premium_monthly_v1", trial_days=30)
    order, shown = await member.is_shown(switch(TierName.PRO))
    assert (shown.due_now, shown.recurring) == (0, 49_990_000)
    assert await member.gateway.change_subscription(order) == DONE
    after = await member.sees()
    assert (after.tier, after.trial_end) == (TierName.PRO, order.subscription.trial_end)
