"""One reading of a customer: every fact that the engine decides on, as Stripe has it now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
import stripe

from billing.gateway import StripeGateway
from engine.domain import Interval, TierName
from engine.errors import TryAgainError
from engine.facts import CustomerId, PaymentStatus, Planned, Subscription
from tests.billing.conftest import gateway_on
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind

DAY = 86_400


async def only(gateway: StripeGateway, customer: str) -> Subscription:
    found = (await gateway.get_stripe_subscription_status(CustomerId(customer))).subscriptions
    assert len(found) == 1
    return found[0]


async def test_a_healthy_subscription_has_nothing_owed_planned_or_pending(
    fake: FakeStripe, gateway: StripeGateway, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_yearly_v1"])
    found = await only(gateway, customer)
    assert (found.item, found.metered_item) == (sub["items"]["data"][0]["id"], None)
    assert (found.past_due_since, found.open_invoice, found.pay_url) == (None, None, None)
    assert (found.schedule, found.planned, found.change_pending) == (None, None, False)
    assert (found.trialed, found.ended_at, found.end_reason) == (False, None, None)
    assert (found.mrr, found.currency) == (Fraction(89_000_000, 12), "usd")
    assert fake.count("GET /v1/invoices") == 0


async def test_past_due_counts_from_the_oldest_open_invoice_and_no_later_failure_moves_it(
    fake: FakeStripe, gateway: StripeGateway, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.drive.dunning_ends_with("past_due")
    fake.drive.fail_renewal(sub["id"])
    first = await only(gateway, customer)
    oldest = fake.world.get("invoice", first.open_invoice or "", "invoice")
    assert first.status is PaymentStatus.PAST_DUE
    assert first.past_due_since == datetime.fromtimestamp(
        oldest["status_transitions"]["finalized_at"], tz=UTC
    )
    assert first.pay_url == oldest["hosted_invoice_url"]
    fake.drive.advance(3 * DAY)
    fake.drive.retry_fails(sub["id"])
    fake.drive.advance(40 * DAY)
    later = await only(gateway, customer)
    assert later.latest_invoice != first.latest_invoice
    assert (later.past_due_since, later.open_invoice) == (first.past_due_since, first.open_invoice)
    fake.drive.recover(sub["id"])
    assert (await only(gateway, customer)).past_due_since is None


async def test_a_trial_and_how_a_subscription_ended_are_remembered(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"], trial_days=7)
    tried = await only(gateway, customer)
    assert (tried.trialed, tried.trial_end) == (True, clock.now() + timedelta(days=7))
    fake.drive.give_up(sub["id"])
    ended = await only(gateway, customer)
    assert (ended.trialed, ended.ended_at, ended.end_reason) == (True, clock.now(), "payment_failed")


@pytest.mark.parametrize(
    ("month", "year", "expires"), [(11, 2027, (2027, 12)), (12, 2026, (2027, 1)), (2, 2028, (2028, 3))]
)
async def test_a_card_is_good_to_the_end_of_its_month(
    fake: FakeStripe,
    gateway: StripeGateway,
    customer: str,
    month: int,
    year: int,
    expires: tuple[int, int],
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    fake.drive.replace_card(customer)
    fake.drive.expire_card(customer, month, year)
    assert (await only(gateway, customer)).card_expires == datetime(*expires, 1, tzinfo=UTC)
    fake.world.get("subscription", sub["id"], "id")["default_payment_method"] = None
    assert (await only(gateway, customer)).card_expires == datetime(*expires, 1, tzinfo=UTC)
    fake.drive.remove_card(customer)
    assert (await only(gateway, customer)).card_expires is None


@pytest.mark.parametrize(
    ("duration", "terms", "left"),
    [
        ("forever", {"percent_off": 50.0}, 4_495_000),
        ("forever", {"amount_off": 100}, 7_990_000),
        ("repeating", {"percent_off": 50.0, "duration_in_months": 3}, 4_495_000),
        ("once", {"percent_off": 50.0}, 8_990_000),
    ],
)
async def test_what_a_subscription_brings_in_is_less_its_lasting_discounts(
    fake: FakeStripe,
    gateway: StripeGateway,
    sdk: stripe.StripeClient,
    customer: str,
    duration: str,
    terms: dict[str, float],
    left: int,
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    coupon = fake.drive.coupon(duration, **terms)
    await sdk.v1.subscriptions.update_async(sub["id"], {"discounts": [{"coupon": coupon["id"]}]})
    assert (await only(gateway, customer)).mrr == left


async def test_a_repeating_discount_that_ran_out_counts_no_more(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, clock: FakeClock, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_yearly_v1"])
    coupon = fake.drive.coupon("repeating", percent_off=50.0, duration_in_months=2)
    await sdk.v1.subscriptions.update_async(sub["id"], {"discounts": [{"coupon": coupon["id"]}]})
    assert (await only(gateway, customer)).mrr == Fraction(44_500_000, 12)
    clock.advance(timedelta(days=63))
    assert (await only(gateway, customer)).mrr == Fraction(89_000_000, 12)


async def test_seats_beyond_the_included_ones_bring_more_in(
    fake: FakeStripe, gateway: StripeGateway, customer: str
) -> None:
    for seats in (5, 8):
        fake.drive.add_subscription(customer, fake.prices["team_monthly_v1"], quantity=seats)
    found = (await gateway.get_stripe_subscription_status(CustomerId(customer))).subscriptions
    assert {each.quantity: int(each.mrr) for each in found} == {8: 44_990_000, 5: 29_990_000}
    assert (fake.count("GET /v1/prices"), fake.count("GET /v1/prices/{price}")) == (1, 1)


async def test_metered_use_is_another_item_and_no_recurring_revenue(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, customer: str
) -> None:
    usage = fake.drive.stock({}, usage_cents="0.12")["pro_usage_v1"]
    sub = fake.drive.add_subscription(customer, fake.prices["pro_yearly_v1"])
    await sdk.v1.subscriptions.update_async(sub["id"], {"items": [{"price": usage}]})
    found = await only(gateway, customer)
    assert (found.tier, found.interval, found.quantity) == (TierName.PRO, Interval.YEAR, 1)
    assert found.metered_item is not None
    assert found.metered_item != found.item
    assert found.period_end is not None
    assert found.period_end - NOON > timedelta(days=360)
    assert found.mrr == Fraction(499_000_000, 12)


async def test_a_planned_change_is_the_next_phase_of_the_schedule(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    schedule = await sdk.v1.subscription_schedules.create_async({"from_subscription": sub["id"]})
    made = await only(gateway, customer)
    assert (made.schedule, made.planned) == (schedule.id, None)
    phase = schedule.phases[0]
    now: stripe.params.SubscriptionScheduleUpdateParamsPhase = {
        "items": [{"price": fake.prices["pro_monthly_v1"], "quantity": 1}],
        "start_date": phase.start_date,
        "end_date": phase.end_date,
    }
    then: stripe.params.SubscriptionScheduleUpdateParamsPhase = {
        "items": [{"price": fake.prices["team_yearly_v1"], "quantity": 7}]
    }
    await sdk.v1.subscription_schedules.update_async(schedule.id, {"phases": [now, then]})
    found = await only(gateway, customer)
    assert found.period_end is not None
    assert found.planned == Planned(TierName.TEAM, Interval.YEAR, 7, found.period_end)
    fake.drive.advance(40 * DAY)
    entered = await only(gateway, customer)
    assert (entered.tier, entered.quantity, entered.planned) == (TierName.TEAM, 7, None)


async def test_a_change_that_waits_for_its_payment_says_where_to_pay(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.drive.refuse_cards(customer)
    item = sub["items"]["data"][0]["id"]
    await sdk.v1.subscriptions.update_async(
        sub["id"],
        {
            "items": [{"id": item, "price": fake.prices["pro_monthly_v1"], "quantity": 1}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    found = await only(gateway, customer)
    assert (found.change_pending, found.tier, found.status) == (True, TierName.PREMIUM, PaymentStatus.ACTIVE)
    assert found.open_invoice == found.latest_invoice
    assert found.pay_url == f"{fake.base_url}/i/{found.open_invoice}"
    assert found.past_due_since is None
    fake.drive.pay_invoice(found.open_invoice or "")
    paid = await only(gateway, customer)
    assert (paid.change_pending, paid.tier, paid.pay_url) == (False, TierName.PRO, None)


async def test_a_deleted_customer_is_gone_and_keeps_its_ended_subscriptions(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, customer: str
) -> None:
    fake.drive.add_subscription(customer, fake.prices["pro_yearly_v1"])
    other = (await sdk.v1.customers.create_async({})).id
    for each in (customer, other):
        assert not (await gateway.get_stripe_subscription_status(CustomerId(each))).gone
        fake.drive.delete_customer(each)
    ended = await gateway.get_stripe_subscription_status(CustomerId(customer))
    assert ended.gone
    assert [each.status for each in ended.subscriptions] == [PaymentStatus.CANCELED]
    never_bought = await gateway.get_stripe_subscription_status(CustomerId(other))
    assert (never_bought.gone, never_bought.subscriptions) == (True, ())
    unheard_of = await gateway.get_stripe_subscription_status(CustomerId("cus_never_was"))
    assert (unheard_of.gone, unheard_of.subscriptions) == (True, ())


async def test_every_read_waits_its_turn_each_time_it_is_repeated_and_no_write_does(
    fake: FakeStripe, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    turns = 0

    async def take_turn() -> None:
        nonlocal turns
        turns += 1

    gateway = gateway_on(fake, clock, pace=take_turn)
    customer = await gateway.create_customer("account-1", 0)
    assert turns == 0
    fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.faults.add(FaultKind.STATUS, "GET /v1/subscriptions", status=429)
    fake.faults.add(FaultKind.STATUS, "GET /v1/subscriptions", status=503)
    await gateway.get_stripe_subscription_status(customer)
    assert turns == sum(seen.method == "GET" for seen in fake.log) == 4
    fake.faults.add(FaultKind.STATUS, "GET /v1/subscriptions", times=None, status=429)
    with pytest.raises(TryAgainError):
        await gateway.get_stripe_subscription_status(customer)
    await gateway.aclose()
