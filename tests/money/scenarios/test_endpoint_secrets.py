"""The endpoint over its real secrets: they are rolled without losing an event, and strangers get a 4xx.

Each rule of the signature: tests/billing/test_webhook.py;
of the route: tests/web/test_stripe_route.py.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import aiohttp
import pytest
from pydantic import SecretStr

from billing.gateway import StripeGateway
from engine.settings import StripeSettings
from tests.billing.conftest import QUICK, TIERS
from tests.fakes.stripe import SECRET, sign
from tests.money.conftest import USUAL, Till
from webhooks.server import serve
from webhooks.site import Site, StripeInbox

NEXT = "whsec_fake_next"
WRONG = "whsec_fake_wrong"
MIB = 1024 * 1024


@asynccontextmanager
async def door(till: Till, *secrets: str) -> AsyncIterator[str]:
    """The address of a process that knows these secrets."""
    held = tuple(SecretStr(secret) for secret in secrets)
    settings = StripeSettings(SecretStr("sk_test_fake"), till.stripe.base_url, held, {})
    gateway = StripeGateway(settings, TIERS, till.clock, USUAL, patience=QUICK)
    inbox = StripeInbox(gateway.parse_webhook_event, till.subscriptions.receive)
    async with serve(Site("http://127.0.0.1", stripe=inbox), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/stripe/webhook"
    await gateway.aclose()


def event(till: Till) -> bytes:
    """The newest event, as it is sent."""
    return json.dumps(till.stripe.world.rows("event")[0]).encode()


async def answers(till: Till, url: str, body: bytes, *secrets: str, age: int = 0) -> int:
    """What is answered to a body that was signed with these secrets so many seconds ago."""
    header = sign(body, list(secrets), int(till.clock.now().timestamp()) - age)
    headers = {"Stripe-Signature": header} if secrets else {}
    async with (
        aiohttp.ClientSession() as caller,
        caller.post(url, data=BytesIO(body), headers=headers) as answer,
    ):
        return answer.status


async def test_a_secret_is_rolled_without_losing_an_event(till: Till) -> None:
    await till.buy()
    body = event(till)
    steps = {
        "Stripe signs with the old one": ((SECRET,), (SECRET,)),
        "the operator has both": ((SECRET,), (NEXT, SECRET)),
        "Stripe signs with both": ((NEXT, SECRET), (NEXT, SECRET)),
        "Stripe has retired the old one": ((NEXT,), (NEXT, SECRET)),
        "the operator too": ((NEXT,), (NEXT,)),
    }
    for name, (signed, held) in steps.items():
        async with door(till, *held) as url:
            assert await answers(till, url, body, *signed) == 200, name
            assert await answers(till, url, body, WRONG) == 400, name
    async with door(till, NEXT) as url:
        assert await answers(till, url, body, SECRET) == 400


async def test_what_nobody_of_stripes_sent_is_refused_and_never_breaks_anything(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    await till.buy()
    body = event(till)
    async with door(till, NEXT, SECRET) as url:
        assert await answers(till, url, body) == 400
        assert await answers(till, url, body, SECRET, age=301) == 400
        assert await answers(till, url, body, SECRET, age=-86_400) == 400
        assert await answers(till, url, b"\xff\xfe", SECRET) == 400
        assert await answers(till, url, b"\xff\xfe", WRONG) == 400
        assert await answers(till, url, b"[]", SECRET) == 400
        assert await answers(till, url, b"{}", SECRET) == 400
        assert await answers(till, url, b" " * 2 * MIB, SECRET) == 413
        assert await answers(till, url, body, SECRET) == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_thin_event_at_the_same_address_has_a_secret_of_its_own(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    async with door(till, SECRET, NEXT) as url:
        till.stripe.deliver_thin_to(url, NEXT)
        till.stripe.drive.report_no_meter(["test:si_fake:495000:1"])
        await till.stripe.courier.settled()
    assert [delivery.status for delivery in till.stripe.courier.deliveries] == [200]
    assert "Stripe complains" in caplog.messages
