"""Events about what is not ours, and every event there is: each is acknowledged, and none can harm.

What the triggers of the official command line make is made here with the SDK: customers, products and
subscriptions that carry nothing of ours. Shown elsewhere: bodies that are no events, and signatures that do
not fit (tests/web/test_stripe_route.py, tests/billing/test_webhook.py).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import stripe

from billing.webhook import SNAPSHOT_EVENTS, THIN_EVENTS
from engine.domain import TierName
from engine.facts import Mode
from tests.engine.conftest import ALICE
from tests.fakes.stripe import SECRET, sign
from tests.fakes.stripe.wire import Json
from tests.money.conftest import Till
from tests.money.scenarios.people import buys, customer, tier_changes
from tests.storage.makers import rows

UNASKED = (
    *("account.updated", "balance.available", "charge.succeeded", "charge.failed", "charge.refund.updated"),
    *("customer.created", "customer.discount.created", "customer.source.created", "customer.tax_id.created"),
    *("invoice.created", "invoice.finalized", "invoice.upcoming", "invoice_payment.paid", "payout.paid"),
    *("payment_intent.succeeded", "payment_method.attached", "price.updated", "product.deleted"),
    *("subscription_schedule.created", "setup_intent.succeeded", "a.word.that.stripe.invents"),
)
KINDS = sorted({*SNAPSHOT_EVENTS, *THIN_EVENTS, *UNASKED})
ODD_OBJECTS: tuple[Any, ...] = (
    {},
    {"object": "subscription", "id": "sub_odd", "customer": None},
    {"object": "charge", "id": "ch_never", "customer": {"id": "cus_never", "object": "customer"}},
    {"object": "refund", "id": "re_never", "charge": "ch_never"},
    {"object": "dispute", "id": "du_never", "charge": None},
    {"object": "customer", "id": "cus_never", "deleted": True},
)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Whoever posts to the webhook route."""
    async with aiohttp.ClientSession() as session:
        yield session


async def taken(till: Till, client: aiohttp.ClientSession, event: Json) -> int:
    """The status that a signed event is answered with."""
    body = json.dumps(event).encode()
    headers = {"Stripe-Signature": sign(body, [SECRET], int(till.clock.now().timestamp()))}
    url = f"http://127.0.0.1:{till.port}/stripe/webhook"
    async with client.post(url, data=body, headers=headers) as answer:
        return answer.status


def objects(till: Till) -> list[Json]:
    """Every object of Alice's at Stripe, of each kind one."""
    world = till.stripe.world
    kinds = ("customer", "subscription", "invoice", "checkout.session", "charge", "payment_method", "price")
    return [world.rows(kind)[0] for kind in kinds]


async def test_every_kind_of_event_about_anything_is_acknowledged_and_changes_nothing(
    till: Till, client: aiohttp.ClientSession
) -> None:
    await buys(till, ALICE)
    subjects = [*objects(till), *ODD_OBJECTS]
    for number, kind in enumerate(KINDS * 3):
        subject = subjects[(number + number // len(KINDS)) % len(subjects)]
        fields = {"id": f"evt_{number}", "object": "event", "type": kind, "livemode": False}
        fields |= {"created": int(till.clock.now().timestamp()), "data": {"object": subject}}
        assert await taken(till, client, fields) == 200, (kind, subject)
    await till.settle()
    await till.reconcile.run()
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    assert len(await tier_changes(till, ALICE)) == 1
    assert await till.store.read(lambda tx: tx.dead_letters(Mode.TEST)) == []


async def triggered(till: Till) -> str:
    """What triggers leave behind: a customer of nobody's, who subscribes to nothing of ours."""
    http = stripe.AIOHTTPClient(timeout=5.0)
    sdk = stripe.StripeClient(
        "sk_test_fake", http_client=http, base_addresses={"api": till.stripe.base_url}
    ).v1
    made = await sdk.customers.create_async({"description": "(created by Stripe CLI)"})
    product = await sdk.products.create_async({"name": "myproduct"})
    price = await sdk.prices.create_async(
        {"product": product.id, "unit_amount": 1500, "currency": "usd", "recurring": {"interval": "month"}}
    )
    session = await sdk.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://example.com/",
        }
    )
    await http.close_async()  # type: ignore[no-untyped-call]
    sub = till.stripe.drive.add_subscription(made.id, price.id)
    till.stripe.drive.fail_renewal(sub["id"])
    till.stripe.drive.pay(session.id)
    till.stripe.drive.dispute(till.stripe.drive.charge_of(sub["id"])["id"])
    till.stripe.drive.delete_customer(made.id)
    return made.id


async def test_purchases_that_are_not_ours_are_taken_counted_and_left_alone(
    till: Till, database_url: str
) -> None:
    await buys(till, ALICE)
    ours = till.stripe.log.copy()
    await triggered(till)
    await till.settle()
    assert {each.status for each in till.stripe.courier.deliveries} == {200}
    kept = rows(database_url, "SELECT stripe_customer_id, status, length(payload) FROM stripe_event")
    mine = await customer(till, ALICE)
    foreign = [(status, length) for about, status, length in kept if about not in (mine, None)]
    assert len(foreign) > 5
    assert set(foreign) == {("ignored", 0)}
    read = [seen for seen in till.stripe.log[len(ours) :] if seen.route == "GET /v1/subscriptions"]
    assert read == []
    assert await till.store.read(lambda tx: tx.queue_depth(till.clock.now())) == (0, None)
    found = await till.reconcile.run()
    assert found.differences == ()
    assert len(await tier_changes(till, ALICE)) == 1


async def test_a_customer_that_says_it_is_of_an_account_that_never_was_is_not_taken_in(till: Till) -> None:
    await buys(till, ALICE)
    row = till.stripe.world.rows("customer")[0]
    stray = row | {"id": "cus_stray", "metadata": {"account_id": "nobody", "mode": "test"}}
    till.stripe.world.tables["customer"]["cus_stray"] = stray
    assert (await till.reconcile.run()).differences == ()
    await till.settle()
    assert await customer(till, ALICE) == row["id"]
    assert await till.tier() is TierName.PREMIUM
