"""Orders about money while the bot runs: what they print, and what its members see of them."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.pulse import PATIENCE
from tests.fakes.stripe import FakeStripe
from tests.processes.script import Meet, Script
from tests.processes.shop import selling
from tests.program import Ended, called, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

ENDED = "customer.subscription.deleted"
NINE_TRIES = "UPDATE sync_queue SET fails = 9 WHERE stripe_customer_id = ?"


@dataclass(frozen=True, slots=True)
class Shop:
    """A running bot, its Stripe, and a terminal beside it."""

    stripe: FakeStripe
    folder: Path
    url: str
    meet: Meet

    async def order(self, *words: str) -> Ended:
        """Give an order on the command line."""
        ended = await called(self.folder, selling(self.stripe), *words)
        assert "Traceback" not in ended.out + ended.err
        return ended

    async def offered(self, name: str) -> tuple[Script, str]:
        """A member who has a checkout link, and its session."""
        person = self.meet(self.url, name)
        await person.say("/upgrade premium month")
        await person.until(lambda seen: any(self.stripe.base_url in str(each) for each in seen.values()))
        return person, str(self.stripe.world.rows("checkout.session")[0]["id"])

    async def buys(self, name: str) -> tuple[Script, str]:
        """A member who has bought premium and was told so, and the subscription."""
        person, session = await self.offered(name)
        self.stripe.drive.pay(session)
        await person.noticed("tier is yours")
        return person, str(self.stripe.world.rows("subscription")[0]["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def shop(tmp_path_factory: pytest.TempPathFactory, meet: Meet) -> AsyncIterator[Shop]:
    """One shop for the members of all tests here; nothing may be asked of Stripe in a wrong way."""
    folder = tmp_path_factory.mktemp("shop")
    async with FakeStripe() as stripe, running(folder, selling(stripe)) as program:
        stripe.deliver_to(f"{program.url}/stripe/webhook")
        yield Shop(stripe, folder, program.url, meet)
        assert await program.end() == 0
        assert stripe.rejections == []


async def test_a_difference_made_behind_the_bots_back_is_printed_and_then_mended(shop: Shop) -> None:
    alice, subscription = await shop.buys("alice")
    shop.stripe.courier.stop()
    shop.stripe.drive.cancel_subscription(subscription)
    compared = await shop.order("reconcile", "--dry-run")
    assert compared.code == 1
    assert f"changed           {subscription}: status: active here, canceled at Stripe" in compared.out
    assert compared.out.endswith("1 differences. Nothing was changed (dry run).\n")
    assert await alice.tier() == "premium"
    mended = await shop.order("reconcile")
    assert mended.code == 0
    await alice.noticed("tier has ended")
    assert await alice.tier() == "free"
    shop.stripe.courier.resume()


async def test_what_was_given_up_is_listed_and_tried_again_on_demand(shop: Shop) -> None:
    bob, session = await shop.offered("bob")
    customer = shop.stripe.world.rows("customer")[0]["id"]
    trouble = shop.stripe.faults.storm(403, "GET /v1/subscriptions")
    shop.stripe.drive.pay(session)
    await shop.stripe.courier.settled()
    with closing(sqlite3.connect(shop.folder / "chat.db", isolation_level=None)) as database:
        database.execute(NINE_TRIES, (customer,))
    async with asyncio.timeout(PATIENCE):
        while customer not in (dead := await shop.order("reconcile", "--dead")).out:
            pass
    assert dead.code == 0
    assert f"customer  {customer}  after 10 tries: " in dead.out
    shop.stripe.faults.lift(trouble)
    retried = await shop.order("reconcile", "--retry-dead", customer)
    assert retried.out == "1 will be tried again by the running bot.\n"
    await bob.noticed("tier is yours")
    assert (await shop.order("reconcile", "--retry-dead")).out == "Nothing was given up.\n"


async def test_a_lost_dispute_blocks_until_it_is_forgiven(shop: Shop) -> None:
    carol, _ = await shop.buys("carol")
    ended = asyncio.Event()
    shop.stripe.world.listeners.append(lambda event: ended.set() if event["type"] == ENDED else None)
    charge = shop.stripe.world.rows("charge")[0]["id"]
    dispute = shop.stripe.drive.dispute(charge)["id"]
    await carol.noticed("was disputed at your bank")
    shop.stripe.drive.close_dispute(dispute, "lost")
    async with asyncio.timeout(PATIENCE):
        await ended.wait()
    assert await carol.tier() == "free"
    assert "disputed at your bank" in (await carol.answer("/upgrade premium month"))["text"]
    forgiven = await shop.order("forgive", "local:carol")
    assert (forgiven.code, forgiven.out) == (0, "1 forgiven.\n")
    assert shop.stripe.base_url in str(await carol.answer("/upgrade premium month"))


async def test_the_report_counts_what_the_members_bought(shop: Shop) -> None:
    await shop.buys("dora")
    words, figures = await asyncio.gather(shop.order("report"), shop.order("report", "--json"))
    facts = json.loads(figures.out)
    revenue, tiers, funnel = facts["revenue"]["usd"], facts["tiers"], facts["funnel"]
    paying, movements = revenue["paying"], revenue["movements"].values()
    assert facts["mode"] == "test"
    assert words.out.startswith("TEST MODE: no real money  ")
    assert re.search(
        rf"^MRR now +\${revenue['mrr']}  {paying} paying, \$8\.99 each$", words.out, re.MULTILINE
    )
    assert re.search(rf"^  premium +{paying}$", words.out, re.MULTILINE)
    assert Decimal(revenue["mrr"]) == sum(Decimal(each["total"]) for each in movements)
    assert Decimal(revenue["mrr"]) == Decimal("8.99") * paying == Decimal("8.99") * tiers["premium"]
    assert funnel["checkout_completed"]["accounts"] == funnel["activated"]["accounts"] >= paying
