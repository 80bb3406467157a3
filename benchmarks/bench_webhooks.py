"""Webhooks that main.py acknowledges a second, each stored durably, and how soon a payment is a tier."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.bench_storage import COLUMNS, RUNS, SECONDS, Figures, figures, measure, middle, show, stores
from benchmarks.sender import Sender
from tests.fakes.stripe import SECRET, FakeStripe
from tests.processes.script import Script, scripts
from tests.program import Program, running

CALLERS = (1, 50)
RATE = 500
"""Events a second that come whether or not the ones before are acknowledged."""
MEMBERS = 20
"""Events come about all of them in turn; main.py reads each anew from the fake Stripe as they come."""
PURCHASES = 3
BEFORE_KILL = 1.0
"""Seconds of deliveries, with as many in flight as ever, before main.py is killed."""


def floor(folder: Path, body: str) -> Figures:
    """Verify, insert, commit with the disk forced: the least that a durable acknowledgement could cost."""
    raw, key = body.encode(), SECRET.encode()
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as connection:
        for setup in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {setup}").fetchall()
        connection.execute("CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY, payload BLOB)")
        times: list[float] = []
        begun = time.perf_counter()
        while time.perf_counter() < begun + SECONDS:
            before = time.perf_counter()
            signed = hmac.new(key, b"1790000000." + raw, hashlib.sha256).hexdigest()
            hmac.compare_digest(signed, signed)
            json.loads(raw)
            connection.execute("INSERT INTO floor (payload) VALUES (?)", (raw,))
            times.append(time.perf_counter() - before)
        return figures(times, time.perf_counter() - begun)


async def offered(person: Script, stripe: FakeStripe) -> None:
    """Ask for a checkout link and wait for it: the member is a customer now."""
    await person.say("/upgrade premium month")
    await person.until(lambda seen: any(stripe.base_url in str(each) for each in seen.values()))


async def purchase(person: Script, stripe: FakeStripe) -> float:
    """Seconds from a payment to the tier on the member's screen."""
    await offered(person, stripe)
    noticed = asyncio.create_task(person.until(lambda seen: any("notice-" in each for each in seen)))
    begun = time.perf_counter()
    stripe.drive.pay(stripe.world.rows("checkout.session")[0]["id"])
    await noticed
    took = time.perf_counter() - begun
    if await person.tier() != "premium":
        raise RuntimeError("the notice came without its tier")
    return took


def events(stripe: FakeStripe) -> list[str]:
    """An event about a subscription of each customer."""
    (event, *_) = [each for each in stripe.world.rows("event") if "subscription" in each["type"]]
    subject = event["data"]["object"]
    customers = [row["id"] for row in stripe.world.rows("customer")]
    return [json.dumps({**event, "data": {"object": {**subject, "customer": each}}}) for each in customers]


async def bench(kind: str, variables: Mapping[str, str], folder: Path, stripe: FakeStripe) -> str:
    """Measure one database; the body of an event."""
    numbers = count()
    async with running(folder, variables) as program, scripts() as meet:
        endpoint = stripe.deliver_to(f"{program.url}/stripe/webhook")
        people = [meet(program.url, f"member{number}") for number in range(MEMBERS)]
        seconds = [await purchase(person, stripe) for person in people[:PURCHASES]]
        await stripe.courier.settled()
        del stripe.world.tables["webhook_endpoint"][endpoint], stripe.world.endpoint_secrets[endpoint]
        for person in people[PURCHASES:]:
            await offered(person, stripe)
        bodies = events(stripe)
        async with Sender.open(program.url, bodies) as sender:
            await paces(kind, sender, numbers)
            known = await cut_down(program, sender, numbers)
    print(f"{kind}: {median(seconds):.2f} s from the delivery to the tier on the member's screen")
    await count_lost(kind, variables, folder, bodies, known)
    return bodies[0]


async def paces(kind: str, sender: Sender, numbers: count[int]) -> None:
    """All runs: with so many in flight, and with so many offered."""
    for callers in CALLERS:
        runs = [await measure(sender.send, callers, numbers) for _ in range(RUNS)]
        show(f"{kind}: acknowledged", callers, middle(runs))
    runs = [await steady(sender, numbers) for _ in range(RUNS)]
    show(f"{kind}: {RATE} a second offered", "any", middle(runs))


async def steady(sender: Sender, numbers: count[int]) -> Figures:
    """One run of so many offered a second."""
    begun = time.perf_counter()
    times = await sender.offer(RATE, SECONDS, numbers)
    return figures(times, time.perf_counter() - begun)


async def cut_down(program: Program, sender: Sender, numbers: count[int]) -> set[int]:
    """Kill -9 in the midst of deliveries; what was acknowledged."""
    delivering = asyncio.create_task(sender.acknowledged(max(CALLERS), numbers))
    await asyncio.sleep(BEFORE_KILL)
    await program.kill()
    return await delivering


async def count_lost(
    kind: str, variables: Mapping[str, str], folder: Path, bodies: list[str], known: set[int]
) -> None:
    """Deliver again what was acknowledged before the kill: what is news to the next process was lost."""
    async with running(folder, variables) as program, Sender.open(program.url, bodies) as sender:
        lost = sum([await sender.send(number) for number in sorted(known)])
    print(f"{kind}: {len(known):,} acknowledged until kill -9, {lost} of them lost")
    if lost:
        raise RuntimeError("acknowledged events were lost")


async def main() -> None:
    """Measure and print a table."""
    print("Webhooks: POST /stripe/webhook of main.py, verified and stored durably before the 200;")
    print("the sender and the fake Stripe run on the same machine")
    print(COLUMNS.format("", "in flight", "a second", "p50 ms", "p99 ms"))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, body = Path(name), ""
        async with stores(folder) as urls:
            for kind, url in urls.items():
                async with FakeStripe() as stripe:
                    variables = {
                        "DATABASE_URL": url,
                        "STRIPE_SECRET_KEY": "sk_test_fake",
                        "STRIPE_WEBHOOK_SECRET": SECRET,
                        "STRIPE_API_BASE": stripe.base_url,
                    }
                    body = await bench(kind, variables, folder, stripe)
        show("floor: verify, parse, one insert", 1, middle([floor(folder, body) for _ in range(RUNS)]))
        print(f"an event is {len(body):,} bytes")


if __name__ == "__main__":
    asyncio.run(main())
