"""The long lists that reconciliation reads: page by page, in the same shape as everything else."""

from __future__ import annotations

import json
from datetime import timedelta

import stripe

from billing.gateway import StripeGateway
from billing.webhook import SNAPSHOT_EVENTS
from engine.facts import CustomerId
from tests.billing.inbox import Inbox
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe


async def test_events_that_were_not_taken_are_found_with_what_they_said(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, inbox: Inbox, customer: str
) -> None:
    before = fake.drive.add_subscription(customer, fake.prices["premium_monthly_v1"])
    clock.advance(timedelta(hours=2))
    since = clock.now()
    fake.deliver_to(inbox.url)
    lost = fake.drive.charge_of(before["id"])["id"]
    fake.courier.hold()
    fake.drive.refund(lost)
    fake.drive.cancel_subscription(before["id"])
    found = {event.type: event async for event in gateway.undelivered_events(since)}
    assert found["charge.refunded"].subject == lost
    ended = found["customer.subscription.deleted"]
    assert (ended.customer, ended.relevant, ended.created_at) == (customer, True, since)
    assert json.loads(ended.payload)["data"]["object"]["status"] == "canceled"
    assert found.keys() <= SNAPSHOT_EVENTS
    fake.courier.release()
    await fake.courier.settled()
    assert [event async for event in gateway.undelivered_events(since)] == []


async def test_no_list_of_events_asks_for_more_types_than_stripe_lets_it(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock
) -> None:
    assert [event async for event in gateway.undelivered_events(clock.now())] == []
    asked = [seen.form["types"] for seen in fake.log if seen.route == "GET /v1/events"]
    assert all(isinstance(types, dict) and len(types) <= 20 for types in asked)
    assert {kind for types in asked if isinstance(types, dict) for kind in types.values()} == SNAPSHOT_EVENTS


async def test_every_page_of_events_is_read(
    fake: FakeStripe, gateway: StripeGateway, clock: FakeClock, inbox: Inbox, customer: str
) -> None:
    fake.deliver_to(inbox.url)
    fake.courier.hold()
    for _ in range(150):
        fake.drive.emit("customer.updated", fake.world.get("customer", customer, "id"))
    ids = [event.id async for event in gateway.undelivered_events(clock.now())]
    assert len(ids) == len(set(ids)) == 150


async def test_every_subscription_is_read_in_the_shape_of_a_customers(
    fake: FakeStripe, gateway: StripeGateway
) -> None:
    facts = {}
    for number in range(3):
        customer = await gateway.create_customer(f"account-{number}", 0)
        for _ in range(40):
            fake.drive.add_subscription(customer, fake.prices["team_yearly_v1"], 6)
        facts[customer] = customer
    fake.drive.cancel_subscription(fake.world.rows("subscription")[50]["id"])
    fake.drive.fail_renewal(fake.world.rows("subscription")[60]["id"])
    listed = [each async for each in gateway.all_subscriptions()]
    assert len(listed) == 120
    for customer in facts:
        own = (await gateway.get_stripe_subscription_status(CustomerId(customer))).subscriptions
        assert own == tuple(each for each in listed if each.customer == customer)


async def test_our_customers_are_told_by_the_account_and_mode_they_carry(
    fake: FakeStripe, gateway: StripeGateway, sdk: stripe.StripeClient
) -> None:
    ours = {
        await gateway.create_customer(f"account-{number}", 0): f"account-{number}" for number in range(120)
    }
    for metadata in ({}, {"account_id": "account-9"}, {"account_id": "account-9", "mode": "live"}):
        await sdk.v1.customers.create_async({"metadata": metadata})
    fake.drive.delete_customer((await sdk.v1.customers.create_async({})).id)
    assert dict([each async for each in gateway.customers()]) == ours
    assert fake.count("GET /v1/customers") == 2
