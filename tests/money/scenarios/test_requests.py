"""Everything that is asked of Stripe in a whole life is asked in Stripe's own shape.

Shown elsewhere: the same of each call of the gateway (tests/billing/test_gateway*.py) and of the set-up
command (tests/billing/test_setup.py); no till of these tests ends well after a request
that Stripe would refuse.
"""

from __future__ import annotations

from collections import defaultdict

import stripe

from tests.money.conftest import Till
from tests.money.scenarios.life import live, open_shop, story

ASKED = {
    "POST /v1/customers",
    "POST /v1/checkout/sessions",
    "POST /v1/checkout/sessions/{session}/expire",
    "POST /v1/billing_portal/sessions",
    "POST /v1/invoices/create_preview",
    "POST /v1/subscriptions/{subscription_exposed_id}",
    "POST /v1/subscription_schedules",
    "POST /v1/subscription_schedules/{schedule}",
    "POST /v1/subscription_schedules/{schedule}/release",
    "POST /v1/billing/meter_events",
    "POST /v1/refunds",
    "DELETE /v1/subscriptions/{subscription_exposed_id}",
}
REPEATABLE = ("cust-", "co-", "chg-", "meter-", "duty-")
"""How our own keys begin: what a crash must not do twice."""
HARMLESS_TWICE = {
    "POST /v1/billing_portal/sessions",
    "POST /v1/checkout/sessions/{session}/expire",
    "POST /v1/invoices/create_preview",
}


async def test_a_whole_life_has_no_request_that_stripe_would_refuse(till: Till) -> None:
    async with open_shop(till) as shop:
        await live(shop)
        told = await story(shop)
    log, keys = till.stripe.log, defaultdict(set)
    for seen in log:
        if seen.method == "POST":
            assert seen.idempotency_key
            keys[seen.idempotency_key].add((seen.path, str(seen.form)))
            assert seen.route in HARMLESS_TWICE or repeatable(seen.idempotency_key, seen.route), seen.route
    assert till.stripe.rejections == []
    assert {route for route in ASKED if till.stripe.count(route)} == ASKED
    assert {seen.version for seen in log} == {stripe.api_version}
    assert {len(uses) for uses in keys.values()} == {1}
    assert {seen.status for seen in log} <= {200, 400, 404}
    assert told["rest"][0][:3] == ("(0, None)", "[]", "()")


def repeatable(key: str, route: str) -> bool:
    """Whether a request has a key that a crash does not change."""
    return key.startswith(REPEATABLE) or route == "POST /v1/billing/meter_events"
