"""A fake Stripe and the real SDK's client on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import stripe
from pydantic import SecretStr

from billing.client import Patience, StripeCaller, Turn
from billing.gateway import StripeGateway
from engine.domain import Interval, Micros, Tier, TierName
from engine.ports import Clock
from engine.settings import StripeSettings
from engine.terms import Policy
from tests.billing.inbox import Inbox, running_inbox
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe

MONTHLY = {TierName.FREE: 0, TierName.PREMIUM: 8_990_000, TierName.TEAM: 29_990_000, TierName.PRO: 49_990_000}
YEARLY = {
    TierName.FREE: 0,
    TierName.PREMIUM: 89_000_000,
    TierName.TEAM: 299_000_000,
    TierName.PRO: 499_000_000,
}
TIERS = {
    name: Tier(name, rank, Micros(MONTHLY[name]), Micros(YEARLY[name]), None, None, None, None, frozenset())
    for rank, name in enumerate(TierName)
}
QUICK = Patience(whole=2.0, after_limits=(0.01, 0.01, 0.01))


def gateway_on(
    fake: FakeStripe,
    clock: Clock,
    prices: dict[tuple[TierName, Interval], str] | None = None,
    *,
    key: str = "sk_test_fake",
    patience: Patience = QUICK,
    policy: Policy = Policy(metered_markup=Decimal("1.2")),  # noqa: B008 - frozen
    pace: Turn | None = None,
) -> StripeGateway:
    """A gateway on the fake; whoever makes one closes it."""
    secrets = (SecretStr("whsec_fake"), SecretStr("whsec_older"))
    settings = StripeSettings(SecretStr(key), fake.base_url, secrets, prices or {})
    return StripeGateway(settings, TIERS, clock, policy, patience, pace)


@pytest.fixture
async def gateway(
    fake: FakeStripe, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[StripeGateway]:
    """The gateway on the fake, with the SDK's pauses made short."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    opened = gateway_on(fake, clock)
    yield opened
    await opened.aclose()


@pytest.fixture
async def fake(clock: FakeClock) -> AsyncIterator[FakeStripe]:
    """A stocked Stripe; whoever uses it must send nothing that Stripe would refuse, or clear `rejections`."""
    async with FakeStripe(wall=lambda: clock.now().timestamp()) as running:
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


@pytest.fixture
async def bare(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeStripe]:
    """An account that sells nothing yet, with nothing sent that Stripe would refuse."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    async with FakeStripe(stocked=False, wall=lambda: clock.now().timestamp()) as running:
        yield running
        assert running.rejections == []


@pytest.fixture
async def caller(bare: FakeStripe) -> AsyncIterator[StripeCaller]:
    """The client on that account."""
    made = StripeCaller("sk_test_fake", bare.base_url, QUICK)
    yield made
    await made.close()
