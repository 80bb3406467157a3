"""A shop: a fake Stripe, and what the program needs to sell through it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.domain import Person
from tests.fakes.stripe import SECRET, FakeStripe
from tests.program import ROOT, free_port, printed

SHIPPED, TWO_A_DAY = "conversations_per_day = 10", "conversations_per_day = 2"


@dataclass(frozen=True, slots=True)
class Shop:
    """Stripe, and the folder and port of the one program that sells through it."""

    stripe: FakeStripe
    folder: Path
    port: int

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment that leads the program here."""
        return {
            "CONFIG": str(self.folder / "config.toml"),
            "PORT": str(self.port),
            "PROMPT_KEY": "k" * 32,
            "STRIPE_SECRET_KEY": "sk_test_fake",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": self.stripe.base_url,
        }

    async def pay(self, url: str) -> None:
        """Pay on the checkout page and close the browser, so that only the webhook brings the news."""
        async with (
            aiohttp.ClientSession() as browser,
            browser.post(url, allow_redirects=False) as paid,
        ):
            assert paid.status == 303

    def cancel(self) -> None:
        """End the newest subscription at Stripe."""
        self.stripe.drive.cancel_subscription(self.stripe.world.rows("subscription")[0]["id"])

    async def why(self, person: Person) -> dict[str, Any]:
        """What a second process says of a person."""
        words = await printed(self.folder, self.variables, "why", str(person), "--json")
        found: dict[str, Any] = json.loads(words)
        return found

    async def explains(self, person: Person) -> None:
        """See that the operator is told whose tier is paid for by what."""
        told, (subscription,) = await self.why(person), self.stripe.world.rows("subscription")
        assert (told["tier"], told["reason"], told["payment_status"]) == ("premium", "active", "active")
        assert told["stripe_subscription_id"] == subscription["id"]
        assert told["stripe_customer_id"] == subscription["customer"]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop with two free conversations a day, in which nothing may be asked of Stripe in a wrong way."""
    shipped = (ROOT / "config.toml").read_text()
    assert shipped.count(SHIPPED) == 1
    (tmp_path / "config.toml").write_text(shipped.replace(SHIPPED, TWO_A_DAY))
    async with FakeStripe() as stripe:
        port = free_port()
        stripe.deliver_to(f"http://127.0.0.1:{port}/stripe/webhook")
        yield Shop(stripe, tmp_path, port)
        assert stripe.rejections == []
        posts = [seen for seen in stripe.log if seen.method == "POST"]
        assert posts
        assert all(seen.idempotency_key for seen in posts)
