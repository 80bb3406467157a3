"""A fake Stripe and the real SDK's client on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import stripe

from tests.billing.inbox import Inbox, running_inbox
from tests.fakes.stripe import FakeStripe


@pytest.fixture
async def fake() -> AsyncIterator[FakeStripe]:
    """A stocked Stripe; whoever uses it must send nothing that Stripe would refuse, or clear `rejections`."""
    async with FakeStripe() as running:
        yield running
        assert running.rejections == []


@pytest.fixture
async def sdk(fake: FakeStripe) -> AsyncIterator[stripe.StripeClient]:
    """The SDK as it comes, pointed at the fake."""
    http = stripe.AIOHTTPClient(timeout=5.0)
    yield stripe.StripeClient("sk_test_fake", http_client=http, base_addresses={"api": fake.base_url})
    await http.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """A webhook receiver."""
    async with running_inbox() as running:
        yield running


@pytest.fixture
async def customer(sdk: stripe.StripeClient) -> str:
    """The id of a fresh customer."""
    return (await sdk.v1.customers.create_async({"metadata": {"account_id": "account-1"}})).id
