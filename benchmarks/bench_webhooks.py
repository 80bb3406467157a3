"""Webhooks that main.py acknowledges a second, each stored durably, and how soon a payment is a tier."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import tempfile
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.bench_storage import COLUMNS, RUNS, SECONDS, Figures, figures, measure, middle, show, stores
from tests.fakes.stripe import SECRET, FakeStripe, sign
from tests.processes.script import Script, scripts
from tests.program import running

CALLERS = (1, 50)
MEMBERS = 20
"""Events come about all of them in turn; main.py reads each anew from the fake Stripe as they come."""
PURCHASES = 3


class Sender:
    """Sends events under ever new ids over connections that stay open."""

    def __init__(
        self, url: str, bodies: list[str], connections: list[tuple[StreamReader, StreamWriter]]
    ) -> None:
        self._host = urlsplit(url).netloc
        self._events = [json.loads(body) for body in bodies]
        self._free = connections

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, bodies: list[str]) -> AsyncIterator[Sender]:
        """One with enough connections for every caller."""
        address = urlsplit(url)
        connections = [
            await asyncio.open_connection(address.hostname, address.port) for _ in range(max(CALLERS))
        ]
        try:
            yield cls(url, bodies, list(connections))
        finally:
            for _, writer in connections:
                writer.close()
                await writer.wait_closed()

    async def send(self, number: int) -> None:
        """Deliver one event and wait for its acknowledgement."""
        event = self._events[number % len(self._events)]
        body = json.dumps({**event, "id": f"evt_bench{number}"}).encode()
        reader, writer = self._free.pop()
        head = (
            "POST /stripe/webhook HTTP/1.1",
            f"Host: {self._host}",
            f"Content-Length: {len(body)}",
            f"Stripe-Signature: {sign(body, [SECRET], int(time.time()))}",
        )
        writer.write("\r\n".join((*head, "", "")).encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(answer.decode())
        lengths = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(int(lengths[0].partition(b":")[2]))
        self._free.append((reader, writer))


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
    async with running(folder, variables) as program, scripts() as meet:
        endpoint = stripe.deliver_to(f"{program.url}/stripe/webhook")
        people = [meet(program.url, f"member{number}") for number in range(MEMBERS)]
        seconds = [await purchase(person, stripe) for person in people[:PURCHASES]]
        await stripe.courier.settled()
        del stripe.world.tables["webhook_endpoint"][endpoint], stripe.world.endpoint_secrets[endpoint]
        for person in people[PURCHASES:]:
            await offered(person, stripe)
        bodies, numbers = events(stripe), count()
        async with Sender.open(program.url, bodies) as sender:
            for callers in CALLERS:
                runs = await several(sender.send, callers, numbers)
                show(f"{kind}: acknowledged", callers, middle(runs))
        print(f"{kind}: {median(seconds):.2f} s from a payment to the tier on the member's screen")
        return bodies[0]


async def several(send: Callable[[int], Awaitable[None]], callers: int, numbers: count[int]) -> list[Figures]:
    """All runs with so many in flight."""
    return [await measure(send, callers, numbers) for _ in range(RUNS)]


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
