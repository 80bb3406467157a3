"""Kill -9 at every write of a payment: also between Stripe's answer and its commit, and after an event's ack.

The whole program, killed around the webhook and the reading: tests/journeys/test_kills.py.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from tests.fakes.stripe import SECRET, FakeStripe, Plan
from tests.fakes.stripe.events import add_endpoint
from tests.program import free_port

HERE = Path(__file__).parents[2]
ONCE = {"changes": 1, "movements": 1, "notices": 1, "shown": 1, "subscriptions": 1}
HEARD = ["customer.subscription.created", "checkout.session.completed"]


async def lives(*words: str) -> list[dict[str, Any]]:
    """What became of every life that was killed at some write, and of the one after it."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.money.crashing", *words), cwd=HERE, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await child.communicate()
    assert child.returncode == 0
    found = [json.loads(line) for line in printed.splitlines()]
    for life in found:
        assert life["went_on"] == 0, life
        assert {name: life[name] for name in ONCE} == ONCE, life
    assert len([life for life in found if life["ended"] == -signal.SIGKILL]) >= 20
    return found


async def test_a_payment_killed_at_any_step_ends_in_one_tier_change_and_one_notice(tmp_path: Path) -> None:
    found = await lives(str(tmp_path))
    assert {life["sold"] for life in found} == {1}


async def test_a_payment_at_stripe_killed_at_any_step_is_sold_and_told_once(tmp_path: Path) -> None:
    port = free_port()
    async with FakeStripe() as stripe:
        stripe.courier.plan = Plan(first_retry=0.02, slowest_retry=0.05, tries=1000)
        add_endpoint(stripe.world, f"http://127.0.0.1:{port}/stripe/webhook", SECRET, HEARD)
        found = await lives(str(tmp_path), stripe.base_url, str(port))
        bought = [row["metadata"]["account_id"] for row in stripe.world.rows("subscription")]
        assert sorted(bought) == sorted(life["account"] for life in found)
        assert len(stripe.world.rows("customer")) == len(found)
        assert {row["status"] for row in stripe.world.rows("checkout.session")} == {"complete"}
        assert stripe.rejections == []
