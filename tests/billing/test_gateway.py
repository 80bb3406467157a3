"""The gateway through the real SDK: customers, checkout, portal, subscriptions and tiers."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from fractions import Fraction

import pytest
import stripe

from billing.gateway import StripeGateway, is_stripe_configured
from billing.snapshots import Findings, subscription
from engine.domain import AccountId, Interval, TierName
from engine.errors import GiveUpError, GoneError, TellOperatorError
from engine.facts import (
    CheckoutRequest,
    CustomerId,
    Mode,
    PaymentStatus,
    SessionId,
    SessionStatus,
    Subscription,
)
from tests.billing.conftest import gateway_on
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind
from tests.fakes.stripe.wire import Json

PREMIUM_MONTH = (TierName.PREMIUM, Interval.MONTH)


def wish(clock: FakeClock, customer: str, attempt: str = "attempt-1") -> CheckoutRequest:
    return CheckoutRequest(
        attempt=attempt,
        account=AccountId("account-1"),
        customer=CustomerId(customer),
        tier=TierName.PREMIUM,
        interval=Interval.MONTH,
        quantity=1,
        expires_at=clock.now() + timedelta(hours=1),
        success_url="http://127.0.0.1/billing/success?session={CHECKOUT_SESSION_ID}",
        cancel_url="http://127.0.0.1/billing/cancel",
    )


async def only(gateway: StripeGateway, customer: str) -> Subscription:
    found = (await gateway.get_stripe_subscription_status(CustomerId(customer))).subscriptions
    assert len(found) == 1
    return found[0]


async def test_an_account_has_one_customer_however_often_it_is_made(
    fake: FakeStripe, gateway: StripeGateway
) -> None:
    made = await asyncio.gather(*(gateway.create_customer("account-1", 0) for _ in range(5)))
    assert len(set(made)) == 1
    [customer] = fake.world.rows("customer")
    assert customer["metadata"] == {"account_id": "account-1", "mode": "test"}
    assert await gateway.create_customer("account-1", 1) != made[0]


async def test_one_attempt_has_one_session_however_often_it_is_clicked(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    request = wish(clock, customer)
    made = await asyncio.gather(*(gateway.create_checkout_session(request) for _ in range(5)))
    assert len({session.id for session in made}) == 1
    [session] = fake.world.rows("checkout.session")
    assert (session["client_reference_id"], session["metadata"]["attempt"]) == ("account-1", "attempt-1")
    assert made[0].url == session["url"]
    assert made[0].expires_at == request.expires_at.replace(microsecond=0)
    assert made[0].status is SessionStatus.OPEN


async def test_the_same_attempt_with_other_wishes_is_refused(
    gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    await gateway.create_checkout_session(wish(clock, customer))
    clock.advance(timedelta(minutes=1))
    with pytest.raises(GiveUpError):
        await gateway.create_checkout_session(wish(clock, customer))


async def test_paying_gives_an_active_subscription_of_the_tier(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    session = await gateway.create_checkout_session(wish(clock, customer))
    assert (await gateway.get_stripe_subscription_status(CustomerId(customer))).subscriptions == ()
    fake.drive.pay(session.id)
    found = await only(gateway, customer)
    assert (found.status, found.tier, found.mode) == (PaymentStatus.ACTIVE, TierName.PREMIUM, Mode.TEST)
    assert (found.price, found.interval, found.quantity) == (
        fake.prices["premium_monthly_v1"],
        Interval.MONTH,
        1,
    )
    assert found.period_end is not None
    assert timedelta(days=27) < found.period_end - clock.now() < timedelta(days=32)
    assert (await gateway.get_checkout_session(session.id)).status is SessionStatus.COMPLETE
    assert fake.world.rows("subscription")[0]["metadata"]["account_id"] == "account-1"


async def test_a_session_is_closed_once_and_again_without_complaint(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    session = await gateway.create_checkout_session(wish(clock, customer))
    await gateway.expire_checkout_session(session.id)
    await gateway.expire_checkout_session(session.id)
    await gateway.expire_checkout_session(SessionId("cs_test_never_was"))
    assert fake.world.rows("checkout.session")[0]["status"] == "expired"
    with pytest.raises(GoneError):
        await gateway.get_checkout_session(SessionId("cs_test_never_was"))


async def test_the_portal_is_a_fresh_address_each_time(gateway: StripeGateway, customer: str) -> None:
    first = await gateway.create_customer_portal_session(CustomerId(customer), "http://127.0.0.1/back")
    second = await gateway.create_customer_portal_session(CustomerId(customer), "http://127.0.0.1/back")
    assert first != second


def portals(fake: FakeStripe) -> list[Json]:
    """The configurations of ours, oldest first."""
    rows = fake.world.rows("billing_portal.configuration")
    return [row for row in rows[::-1] if not row["is_default"]]


async def test_the_portal_that_sells_nothing_is_made_where_there_is_none_and_only_once(
    fake: FakeStripe, gateway: StripeGateway, customer: str, clock: FakeClock
) -> None:
    """As in an account that was set up before there was one; whoever is blocked must still get away."""
    other = gateway_on(fake, clock)
    for each in (gateway, gateway, other):
        url = await each.create_customer_portal_session(CustomerId(customer), "http://x/", sells=False)
        session = fake.world.get("billing_portal.session", url.rpartition("/")[2], "id")
        assert [session["configuration"]] == [row["id"] for row in portals(fake)]
    await other.aclose()
    (made,) = portals(fake)
    assert made["features"]["subscription_cancel"]["enabled"]
    assert not made["features"]["subscription_update"]["enabled"]
    await gateway.create_customer_portal_session(CustomerId(customer), "http://x/")
    assert len(portals(fake)) == 1
    assert fake.rejections == []


@pytest.mark.parametrize(("active", "sells"), [(False, False), (True, True)])
async def test_the_portal_that_sells_nothing_does_so_whatever_became_of_it_at_stripe(
    fake: FakeStripe, gateway: StripeGateway, customer: str, *, active: bool, sells: bool
) -> None:
    await gateway.create_customer_portal_session(CustomerId(customer), "http://x/", sells=False)
    (row,) = portals(fake)
    row["active"] = active
    row["features"]["subscription_update"]["enabled"] = sells
    await gateway.create_customer_portal_session(CustomerId(customer), "http://x/", sells=False)
    (row,) = portals(fake)
    assert (row["active"], row["features"]["subscription_update"]["enabled"]) == (True, False)


async def test_a_deleted_customer_is_gone_for_checkout_and_portal_and_has_only_ended_subscriptions(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, customer: str
) -> None:
    fake.drive.add_subscription(customer, fake.prices["pro_yearly_v1"])
    fake.drive.delete_customer(customer)
    with pytest.raises(GoneError):
        await gateway.create_checkout_session(wish(clock, customer))
    with pytest.raises(GoneError):
        await gateway.create_customer_portal_session(CustomerId(customer), "http://127.0.0.1/back")
    assert (await only(gateway, customer)).status is PaymentStatus.CANCELED
    assert (await gateway.get_stripe_subscription_status(CustomerId("cus_never_was"))).subscriptions == ()


async def test_every_page_of_a_customers_subscriptions_is_read(
    fake: FakeStripe, gateway: StripeGateway, customer: str
) -> None:
    made = [fake.drive.add_subscription(customer, fake.prices["pro_yearly_v1"])["id"] for _ in range(130)]
    fake.drive.cancel_subscription(made[0])
    found = (await gateway.get_stripe_subscription_status(CustomerId(customer))).subscriptions
    assert [each.id for each in found] == made[::-1]
    assert fake.count("GET /v1/subscriptions") == 2
    assert fake.count("GET /v1/prices") == 1


async def test_a_cancellation_in_the_portal_shows_when_it_ends(
    fake: FakeStripe, gateway: StripeGateway, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["team_monthly_v1"], quantity=5)
    fake.drive.cancel_subscription(sub["id"], at_period_end=True)
    pending = await only(gateway, customer)
    assert (pending.cancel_at, pending.quantity) == (pending.period_end, 5)
    fake.drive.resume_subscription(sub["id"])
    assert (await only(gateway, customer)).cancel_at is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("past_due", PaymentStatus.PAST_DUE),
        ("paused", PaymentStatus.PAUSED),
        ("unpaid", PaymentStatus.UNPAID),
        ("incomplete_expired", PaymentStatus.INCOMPLETE_EXPIRED),
    ],
)
async def test_statuses_are_stripes_own(
    fake: FakeStripe, gateway: StripeGateway, customer: str, word: str, status: PaymentStatus
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    fake.drive.set_status(sub["id"], word)
    assert (await only(gateway, customer)).status is status


async def test_a_status_that_nobody_knows_is_unknown(fake: FakeStripe, customer: str) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    unheard = Findings(tiers=[TierName.PRO], mrr=Fraction(0))
    found = subscription(sub | {"status": "hibernating"}, Mode.TEST, unheard)
    assert found.status is PaymentStatus.UNKNOWN


async def test_a_replaced_price_keeps_its_tier_by_its_product(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, customer: str
) -> None:
    old = fake.prices["premium_monthly_v1"]
    fake.drive.add_subscription(customer, old)
    product = fake.world.get("price", old, "price")["product"]
    await sdk.v1.prices.create_async(
        {
            "currency": "usd",
            "product": product,
            "unit_amount": 999,
            "recurring": {"interval": "month"},
            "lookup_key": "premium_monthly_v1",
            "transfer_lookup_key": True,
        }
    )
    found = await only(gateway, customer)
    assert (found.tier, found.price) == (TierName.PREMIUM, old)


async def test_a_price_of_another_product_has_the_tier_of_its_metadata_or_none(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient, customer: str
) -> None:
    recurring: stripe.params.PriceCreateParamsRecurring = {"interval": "week"}
    for metadata in ({"tier": "pro"}, {"tier": "platinum"}, {}):
        product = await sdk.v1.products.create_async({"name": "Else", "metadata": metadata})
        price = await sdk.v1.prices.create_async(
            {"currency": "usd", "product": product.id, "unit_amount": 100, "recurring": recurring}
        )
        fake.drive.add_subscription(customer, price.id)
    found = (await gateway.get_stripe_subscription_status(CustomerId(customer))).subscriptions
    assert [each.tier for each in found] == [None, None, TierName.PRO]
    assert {each.interval for each in found} == {None}


async def test_prices_can_be_named_by_variables(fake: FakeStripe, clock: FakeClock, customer: str) -> None:
    named = fake.prices["team_yearly_v1"]
    gateway = gateway_on(fake, clock, {PREMIUM_MONTH: named})
    session = await gateway.create_checkout_session(wish(clock, customer))
    fake.drive.pay(session.id)
    found = await only(gateway, customer)
    await gateway.aclose()
    assert (found.price, found.tier) == (named, TierName.PREMIUM)
    assert fake.count("GET /v1/prices") == 0


async def test_a_price_that_is_not_there_is_the_operators_to_mend_and_makes_nothing(
    clock: FakeClock,
) -> None:
    async with FakeStripe(stocked=False) as bare:
        gateway = gateway_on(bare, clock)
        customer = await gateway.create_customer("account-1", 0)
        with pytest.raises(
            TellOperatorError, match="premium_monthly_v1, or name one in STRIPE_PRICE_PREMIUM"
        ):
            await gateway.create_checkout_session(wish(clock, customer))
        await gateway.aclose()
        wrong = gateway_on(bare, clock, {PREMIUM_MONTH: "price_of_another_account"})
        with pytest.raises(TellOperatorError, match="No such price"):
            await wrong.create_checkout_session(wish(clock, customer))
        await wrong.aclose()
        assert bare.world.rows("checkout.session") == []


async def test_every_request_fits_stripes_document_with_one_version_and_a_key_for_each_post(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock
) -> None:
    customer = await gateway.create_customer("account-1", 0)
    session = await gateway.create_checkout_session(wish(clock, customer))
    await gateway.create_customer_portal_session(customer, "http://127.0.0.1/back")
    await gateway.get_stripe_subscription_status(customer)
    await gateway.expire_checkout_session(session.id)
    await gateway.verify_stripe_config()
    keys = [seen.idempotency_key for seen in fake.log if seen.method == "POST"]
    assert keys[:2] == ["cust-test-account-1-0", "co-attempt-1"]
    assert all(keys)
    assert {seen.version for seen in fake.log} == {stripe.api_version}
    assert fake.rejections == []


async def test_the_key_says_which_world_it_opens(fake: FakeStripe, clock: FakeClock) -> None:
    modes = {}
    for key in ("sk_test_fake", "rk_test_fake", "sk_live_fake", "rk_live_fake"):
        gateway = gateway_on(fake, clock, key=key)
        modes[key] = gateway.mode
        await gateway.aclose()
    assert list(modes.values()) == [Mode.TEST, Mode.TEST, Mode.LIVE, Mode.LIVE]
    assert not is_stripe_configured(None)


async def test_a_refused_key_and_a_silent_stripe_are_told_apart(
    fake: FakeStripe, gateway: StripeGateway
) -> None:
    fake.faults.add(FaultKind.HANG_UP, times=None)
    assert "Check the network" in "".join(await gateway.verify_stripe_config())
    fake.faults.clear()
    fake.api.keys = {"sk_test_other"}
    assert "Check STRIPE_SECRET_KEY" in "".join(await gateway.verify_stripe_config())
