"""The fake Stripe's events: signed as the SDK checks them, repeated, scattered, lost and brought again."""

from __future__ import annotations

import json
import time

import pytest
import stripe

from tests.billing.inbox import Inbox
from tests.fakes.stripe import FakeStripe, Plan


async def test_the_sdk_accepts_the_signature_and_reads_the_event(
    fake: FakeStripe, inbox: Inbox, customer: str
) -> None:
    fake.world.wall = time.time
    fake.deliver_to(inbox.url)
    sub = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    await fake.courier.settled()
    body, header = inbox.taken[0]
    event = stripe.Webhook.construct_event(body, header, "whsec_fake", api_key="sk_test_fake")
    assert event.type == "customer.subscription.created"
    assert event.api_version == stripe.api_version
    assert event.data.object["id"] == sub["id"]
    assert event.data.object["items"]["data"][0]["current_period_end"] > event.created


async def test_an_event_comes_again_until_it_is_acknowledged(
    fake: FakeStripe, inbox: Inbox, customer: str
) -> None:
    fake.deliver_to(inbox.url)
    inbox.answers.extend([500, 503, 400])
    fake.courier.plan = Plan(first_retry=0.01, slowest_retry=0.02)
    event = fake.drive.emit("customer.updated", {"id": customer, "object": "customer"})
    await fake.courier.settled()
    assert [one.status for one in fake.courier.deliveries] == [500, 503, 400, 200]
    assert event["pending_webhooks"] == 0


async def test_an_event_waits_for_a_receiver_that_is_down(fake: FakeStripe, inbox: Inbox) -> None:
    fake.deliver_to("http://127.0.0.1:9/stripe/webhook")
    fake.courier.plan = Plan(first_retry=0.01, slowest_retry=0.01)
    fake.drive.emit("customer.updated", {"object": "customer"})
    await fake.courier.missed.wait()
    fake.world.rows("webhook_endpoint")[0]["url"] = inbox.url
    await fake.courier.settled()
    assert fake.courier.deliveries[0].status is None
    assert inbox.types() == ["customer.updated"]


async def test_held_events_come_shuffled_twice_and_with_gaps(fake: FakeStripe, inbox: Inbox) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.hold()
    sent = [fake.drive.emit(f"test.{number}", {"object": "customer"})["type"] for number in range(8)]
    fake.courier.release(shuffle=True, copies=2, drop=["test.3"])
    await fake.courier.settled()
    assert sorted(inbox.types()) == sorted([kind for kind in sent if kind != "test.3"] * 2)


async def test_a_rolled_secret_signs_beside_the_old_one_until_that_is_dropped(
    fake: FakeStripe, inbox: Inbox
) -> None:
    fake.deliver_to(inbox.url, "whsec_old")
    fake.drive.roll_secret("whsec_new")
    fake.drive.emit("both", {"object": "customer"})
    await fake.courier.settled()
    fake.drive.roll_secret("whsec_new", keep_old=False)
    fake.drive.emit("new", {"object": "customer"})
    await fake.courier.settled()
    (both, header), (new, new_header) = inbox.taken
    for secret in ("whsec_old", "whsec_new"):
        assert stripe.WebhookSignature.verify_header(both, header, secret)
    assert stripe.WebhookSignature.verify_header(new, new_header, "whsec_new")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(new, new_header, "whsec_old")


async def test_an_endpoint_made_through_the_api_gets_the_types_it_asked_for(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox
) -> None:
    made = await sdk.v1.webhook_endpoints.create_async(
        {"url": inbox.url, "enabled_events": ["customer.created"], "api_version": "2026-10-28.endive"}
    )
    assert made.secret
    await sdk.v1.customers.create_async({})
    fake.drive.emit("invoice.paid", {"object": "invoice"})
    await fake.courier.settled()
    assert inbox.types() == ["customer.created"]
    body, header = inbox.taken[0]
    assert stripe.WebhookSignature.verify_header(body, header, made.secret)


async def test_events_can_be_listed_by_type_and_by_what_was_not_delivered(
    fake: FakeStripe, sdk: stripe.StripeClient, inbox: Inbox, customer: str
) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.plan = Plan(drop=frozenset({"invoice.paid"}))
    fake.drive.add_subscription(customer, fake.prices["pro_monthly_v1"])
    await fake.courier.settled()
    wanted = ["invoice.paid", "customer.subscription.created"]
    missed = await sdk.v1.events.list_async({"types": wanted, "delivery_success": False})
    assert [event.type for event in missed.data] == ["invoice.paid"]
    assert json.loads(inbox.taken[0][0])["type"] == "customer.subscription.created"
