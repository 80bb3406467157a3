"""The gateway when Stripe is slow, busy, down or cuts its answers off."""

from __future__ import annotations

import asyncio
import time

import pytest
import stripe

from billing.client import Patience
from billing.gateway import StripeGateway
from engine.errors import LateError, TellOperatorError, TryAgainError
from engine.facts import CustomerId
from tests.billing.conftest import gateway_on
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe, FaultKind

CUSTOMERS = "POST /v1/customers"


@pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.HANG_UP, FaultKind.LOSE, FaultKind.CUT])
async def test_two_bad_moments_are_got_over_and_make_one_customer(
    fake: FakeStripe, gateway: StripeGateway, kind: FaultKind
) -> None:
    fake.faults.add(kind, CUSTOMERS, times=2)
    made = await gateway.create_customer("account-1", 0)
    assert [row["id"] for row in fake.world.rows("customer")] == [made]
    assert fake.count(CUSTOMERS) == 3


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.STATUS, 503), (FaultKind.STATUS, 500), (FaultKind.HANG_UP, 0), (FaultKind.CUT, 0)],
)
async def test_a_stripe_that_stays_down_is_to_be_tried_again_later(
    fake: FakeStripe, gateway: StripeGateway, kind: FaultKind, status: int
) -> None:
    fake.faults.add(kind, times=None, status=status)
    with pytest.raises(TryAgainError):
        await gateway.create_customer("account-1", 0)
    assert len(fake.log) == 3


async def test_rate_limits_are_waited_out(fake: FakeStripe, gateway: StripeGateway) -> None:
    fake.faults.add(FaultKind.STATUS, CUSTOMERS, times=3, status=429)
    await gateway.create_customer("account-1", 0)
    assert fake.count(CUSTOMERS) == 4


async def test_a_rate_limit_that_lasts_is_not_waited_out_for_ever(
    fake: FakeStripe, gateway: StripeGateway
) -> None:
    fake.faults.add(FaultKind.STATUS, CUSTOMERS, times=None, status=429)
    with pytest.raises(TryAgainError) as caught:
        await gateway.create_customer("account-1", 0)
    assert caught.value.retry_after is not None
    assert fake.count(CUSTOMERS) == 4


async def test_a_stripe_that_never_answers_is_late_within_our_patience(
    fake: FakeStripe, clock: FakeClock
) -> None:
    held = fake.faults.add(FaultKind.DELAY, times=None)
    held.gate = asyncio.Event()
    gateway = gateway_on(fake, clock, patience=Patience(whole=0.1))
    with pytest.raises(LateError):
        await gateway.create_customer("account-1", 0)
    held.gate.set()
    await gateway.aclose()


async def test_patience_that_runs_out_in_a_busy_moment_is_over_all_the_same(
    fake: FakeStripe, clock: FakeClock
) -> None:
    held = fake.faults.add(FaultKind.DELAY, times=None)
    held.gate = asyncio.Event()
    gateway = gateway_on(fake, clock, patience=Patience(whole=0.1))
    asking = asyncio.create_task(gateway.get_stripe_subscription_status(CustomerId("cus_any")))
    await held.reached.wait()
    time.sleep(0.15)  # noqa: ASYNC251 - the loop is held up until every timer is over
    with pytest.raises(LateError):
        await asking
    assert len(fake.log) == 1
    held.gate.set()
    await gateway.aclose()


async def test_a_click_that_comes_while_the_first_is_still_worked_on_gets_the_same_customer(
    fake: FakeStripe, gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.05)
    fake.faults.add(FaultKind.DELAY, CUSTOMERS).delay = 0.03
    made = await asyncio.gather(*(gateway.create_customer("account-1", 0) for _ in range(3)))
    assert len(set(made)) == 1
    assert 409 in {seen.status for seen in fake.log}


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_the_operators_to_mend_and_is_not_tried_again(
    fake: FakeStripe, gateway: StripeGateway, status: int
) -> None:
    fake.faults.add(FaultKind.STATUS, times=None, status=status)
    with pytest.raises(TellOperatorError):
        await gateway.create_customer("account-1", 0)
    assert len(fake.log) == 1


async def test_nobody_listens(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    unheard = FakeStripe()
    unheard.world.base_url = "http://127.0.0.1:9"
    gateway = gateway_on(unheard, clock)
    with pytest.raises(TryAgainError):
        await gateway.create_customer("account-1", 0)
    await gateway.aclose()


async def test_nothing_is_told_about_us_beyond_the_request(fake: FakeStripe, gateway: StripeGateway) -> None:
    await gateway.create_customer("account-1", 0)
    await gateway.create_customer("account-2", 0)
    assert stripe.enable_telemetry is False
    assert {str(seen.form) for seen in fake.log} == {
        str({"metadata": {"account_id": account, "mode": "test"}}) for account in ("account-1", "account-2")
    }
