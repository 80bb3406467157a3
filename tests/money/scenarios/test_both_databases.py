"""The same life leaves the same books, whichever database they are kept in.

Every other test of these scenarios runs on both databases by itself. How quick acknowledgements are, at the
99th percentile and under load, is for the bench to measure, not for tests.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import stripe

from engine.domain import TierName
from storage.store import open_store
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe
from tests.money.conftest import open_gateway, open_till
from tests.money.scenarios.life import Story, live, open_shop, story


def lines(told: Story) -> list[str]:
    """A story to be compared line by line."""
    return [f"{title}: {' '.join(line)}" for title, part in told.items() for line in part]


async def books_of(url: str) -> Story:
    """What a life leaves in a database where no event ever arrives."""
    clock = FakeClock()
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeStripe(wall=lambda: clock.now().timestamp()))
        store = await stack.enter_async_context(await open_store(url, clock))
        gateway = open_gateway(clock, fake)
        stack.push_async_callback(gateway.aclose)
        shop = await stack.enter_async_context(open_shop(open_till(store, clock, fake, gateway=gateway)))
        await live(shop)
        return await story(shop)


@pytest.mark.postgres
async def test_a_life_is_written_down_alike_in_both_databases(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
    small = await books_of(f"sqlite:///{tmp_path}/chat.db")
    large = await books_of(postgres_url)
    assert lines(small) == lines(large)
    assert TierName.PRO in {word for line in small["alice"] for word in line}
