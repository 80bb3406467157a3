"""Kill -9 of a bot that is showered with webhooks: what it acknowledged, the next one knows."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.stripe import FakeStripe
from tests.fakes.stripe.courier import Plan
from tests.processes.script import Meet
from tests.processes.shop import selling
from tests.program import Program, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

MEMBERS = 6
NOISE = 40
"""Events about each customer that change nothing, among those that do."""
JITTER = 0.5
"""Seconds over which the events are spread, so that the kill meets some on their way."""
ENOUGH = 120
"""Deliveries that are acknowledged before the kill."""


async def test_what_was_acknowledged_before_a_kill_is_kept_and_acted_on(tmp_path: Path, meet: Meet) -> None:
    async with FakeStripe() as stripe:
        earlier = {event["id"] for event in stripe.world.rows("event")}
        async with running(tmp_path, selling(stripe)) as program:
            endpoint = stripe.deliver_to(f"{program.url}/stripe/webhook")
            names = await offer(stripe, meet, program)
            acknowledged = await shower(stripe, program, endpoint)
        assert ENOUGH <= len(acknowledged) < len(stripe.world.rows("event"))
        assert acknowledged <= kept(tmp_path)
        end_leases(tmp_path)
        async with running(tmp_path, selling(stripe)) as program:
            heard = {customer_of(stripe, event) for event in acknowledged}
            await become_premium(program, meet, [names[customer] for customer in heard])
            stripe.world.get("webhook_endpoint", endpoint, "")["url"] = f"{program.url}/stripe/webhook"
            stripe.courier.redeliver_lost(shuffle=True)
            await stripe.courier.settled()
            await become_premium(program, meet, names.values())
            assert await program.end() == 0
        assert {event["id"] for event in stripe.world.rows("event")} - earlier == kept(tmp_path)
        assert stripe.rejections == []


async def offer(stripe: FakeStripe, meet: Meet, program: Program) -> dict[str, str]:
    """Members with a checkout link each; their names by customer."""
    names = {}
    for number in range(MEMBERS):
        person = meet(program.url, f"member{number}")
        await person.say("/upgrade premium month")
        await person.until(lambda seen: any(stripe.base_url in str(each) for each in seen.values()))
        names[str(stripe.world.rows("customer")[0]["id"])] = person.person
    return names


async def shower(stripe: FakeStripe, program: Program, endpoint: str) -> set[str]:
    """Pay for everybody, deliver it among much else, and kill -9 in the midst; what was acknowledged."""
    await stripe.courier.settled()
    before = len(stripe.courier.delivered[endpoint])
    stripe.courier.plan = Plan(jitter=JITTER)
    for session in stripe.world.rows("checkout.session"):
        stripe.drive.pay(session["id"])
    for customer in stripe.world.rows("customer") * NOISE:
        stripe.drive.emit("customer.updated", customer)
    while len(stripe.courier.delivered[endpoint]) < before + ENOUGH:
        stripe.courier.acknowledging.clear()
        await stripe.courier.acknowledging.wait()
    await program.kill()
    stripe.courier.stop()
    return stripe.courier.delivered[endpoint]


def customer_of(stripe: FakeStripe, event: str) -> str:
    """Whom an event is about."""
    found = stripe.world.get("event", event, "")["data"]["object"]
    return str(found["id"] if found["object"] == "customer" else found["customer"])


def kept(folder: Path) -> set[str]:
    """The events that a house has stored."""
    with closing(sqlite3.connect(folder / "chat.db")) as database:
        return {row[0] for row in database.execute("SELECT id FROM stripe_event")}


def end_leases(folder: Path) -> None:
    """Do to the dead process's leases what a minute would do."""
    with closing(sqlite3.connect(folder / "chat.db", isolation_level=None)) as database:
        database.execute("UPDATE sync_queue SET lease_until = 0")


async def become_premium(program: Program, meet: Meet, names: Iterable[str]) -> None:
    """Wait until each of these members has been told of the tier, and has it."""
    people = [meet(program.url, name) for name in names]
    await asyncio.gather(*(person.noticed("tier is yours") for person in people))
    assert {await person.tier() for person in people} == {"premium"}
