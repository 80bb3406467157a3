"""Payments, renewals, faults and pages of the fake Stripe."""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
import pytest
import stripe

from tests.billing.test_fake_requests import checkout
from tests.fakes.stripe import FakeStripe, FaultKind

MONTH = 32 * 86_400


async def new_session(fake: FakeStripe, sdk: stripe.StripeClient, customer: str) -> str:
    params = checkout(fake, customer)
    del params["subscription_data"]["trial_period_days"]
    return (await sdk.v1.checkout.sessions.create_async(params)).id  # type: ignore[arg-type]


async def test_paying_makes_the_subscription_and_closes_the_session(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    session = await new_session(fake, sdk, customer)
    assert (await sdk.v1.subscriptions.list_async({"customer": customer, "status": "all"})).data == []
    fake.drive.pay(session)
    paid = await sdk.v1.checkout.sessions.retrieve_async(session, {"expand": ["subscription"]})
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert isinstance(paid.subscription, stripe.Subscription)
    assert paid.subscription.status == "active"
    assert "current_period_end" not in paid.subscription
    with pytest.raises(stripe.InvalidRequestError, match="Only open"):
        await sdk.v1.checkout.sessions.expire_async(session)


async def test_a_declined_card_leaves_the_session_open_and_nothing_else(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    session = await new_session(fake, sdk, customer)
    fake.drive.decline(session)
    assert (await sdk.v1.checkout.sessions.retrieve_async(session)).status == "open"
    assert fake.world.rows("subscription") == []


async def test_time_renews_a_subscription_and_a_declining_card_makes_it_past_due(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    end = sub["items"]["data"][0]["current_period_end"]
    fake.drive.advance(MONTH)
    renewed = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert (renewed.status, renewed["items"].data[0].current_period_start) == ("active", end)
    fake.drive.fail_renewal(sub["id"])
    assert (await sdk.v1.subscriptions.retrieve_async(sub["id"])).status == "past_due"
    fake.drive.recover(sub["id"])
    invoices = await sdk.v1.invoices.list_async({"customer": customer, "subscription": sub["id"]})
    assert [invoice.status for invoice in invoices.data] == ["paid", "paid", "paid"]


async def test_the_portal_cancels_by_cancel_at_alone_and_time_ends_it(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    fake.drive.cancel_subscription(sub["id"], at_period_end=True)
    pending = await sdk.v1.subscriptions.retrieve_async(sub["id"])
    assert pending.cancel_at == pending["items"].data[0].current_period_end
    assert pending.cancel_at_period_end is False
    fake.drive.advance(MONTH)
    assert (await sdk.v1.subscriptions.retrieve_async(sub["id"])).status == "canceled"


async def test_a_changed_price_puts_the_quantity_back_to_one_unless_it_is_sent(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["team_monthly_v1"], quantity=5)
    item = sub["items"]["data"][0]["id"]
    change = {"id": item, "price": fake.prices["team_yearly_v1"]}
    kept = await sdk.v1.subscriptions.update_async(sub["id"], {"items": [change | {"quantity": 5}]})  # type: ignore[arg-type]
    assert kept["items"].data[0].quantity == 5
    back = change | {"price": fake.prices["team_monthly_v1"]}
    lost = await sdk.v1.subscriptions.update_async(sub["id"], {"items": [back]})  # type: ignore[arg-type]
    assert lost["items"].data[0].quantity == 1


async def test_a_deleted_customer_has_its_subscriptions_canceled_and_buys_nothing_more(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    sub = fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    fake.drive.delete_customer(customer)
    assert (await sdk.v1.subscriptions.retrieve_async(sub["id"])).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await new_session(fake, sdk, customer)
    assert (caught.value.code, caught.value.param) == ("resource_missing", "customer")


async def test_sessions_run_out(fake: FakeStripe, sdk: stripe.StripeClient, customer: str) -> None:
    session = await new_session(fake, sdk, customer)
    fake.drive.advance(86_400)
    assert (await sdk.v1.checkout.sessions.retrieve_async(session)).status == "expired"


async def test_an_answer_that_is_lost_leaves_its_work_done(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    fake.faults.add(FaultKind.LOSE, "POST /v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        await sdk.v1.customers.create_async({}, {"idempotency_key": "k"})
    assert len(fake.world.rows("customer")) == 1
    again = await sdk.v1.customers.create_async({}, {"idempotency_key": "k"})
    assert again.id == fake.world.rows("customer")[0]["id"]


async def test_a_key_that_is_still_being_worked_on_is_a_conflict(
    fake: FakeStripe, sdk: stripe.StripeClient
) -> None:
    held = fake.faults.add(FaultKind.DELAY, "POST /v1/customers")
    held.gate = asyncio.Event()
    first = asyncio.create_task(sdk.v1.customers.create_async({}, {"idempotency_key": "k"}))
    await held.reached.wait()
    with pytest.raises(stripe.APIError) as caught:
        await sdk.v1.customers.create_async({}, {"idempotency_key": "k"})
    assert caught.value.http_status == 409
    held.gate.set()
    assert (await first).id == fake.world.rows("customer")[0]["id"]


async def test_the_hosted_page_can_be_paid_by_a_browser(
    fake: FakeStripe, sdk: stripe.StripeClient, customer: str
) -> None:
    session = await new_session(fake, sdk, customer)
    url = fake.world.get("checkout.session", session, "session")["url"]
    async with aiohttp.ClientSession() as browser:
        page = await (await browser.get(url)).text()
        assert "8.99 usd" in page
        declined = await browser.post(f"{url}/decline")
        assert declined.status == 402
        paid = await browser.post(url, allow_redirects=False)
        assert (paid.status, paid.headers["Location"]) == (303, f"http://127.0.0.1/success?session={session}")
        assert (await browser.post(url, allow_redirects=False)).status == 410


async def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.fakes.stripe", "--port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    base = (await process.stdout.readline()).decode().strip()
    async with aiohttp.ClientSession() as browser:
        headers = {"Authorization": "Bearer sk_test_fake", "Idempotency-Key": "k"}
        made = await browser.post(f"{base}/v1/customers", headers=headers)
        customer = (await made.json())["id"]
        prices = await (await browser.get(f"{base}/_control/objects/price")).json()
        body = {"customer": customer, "price": prices[0]["id"]}
        sub = await (await browser.post(f"{base}/_control/add-subscription", json=body)).json()
        assert sub["status"] == "active"
        assert (await browser.post(f"{base}/_control/pay", json={"session": "cs_no"})).status == 400
        log = json.loads(await (await browser.get(f"{base}/_control/log")).text())
        assert [seen["route"] for seen in log["requests"]] == ["POST /v1/customers"]
    process.terminate()
    assert await process.wait() == 0
