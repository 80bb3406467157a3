"""CPU of one streamed piece of text, by vendor, beside reading the same bytes with aiohttp and json alone."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from statistics import median

import aiohttp

from engine.models import Completion, Message, Role
from providers import anthropic, gemini, openai
from providers.endpoint import Endpoint
from providers.lazy import Adapter
from tests.fakes.vendor_wire import WIRES, Count, Vendor
from tests.fakes.vendors import FakeVendors

PIECES = 2000
ROUNDS = 7
ENDS = {Vendor.OPENAI: "stop", Vendor.ANTHROPIC: "end_turn", Vendor.GEMINI: "STOP"}
CONNECT: dict[Vendor, Callable[[Endpoint], Awaitable[Adapter]]] = {
    Vendor.OPENAI: openai.connect,
    Vendor.ANTHROPIC: anthropic.connect,
    Vendor.GEMINI: gemini.connect,
}
ASKED = Completion("fake", "", (Message(Role.USER, "Hello?"),), 500)


def body(vendor: Vendor) -> bytes:
    """A whole stream, sent at one go: what is measured is reading it, not waiting for it."""
    wire, count = WIRES[vendor], Count()
    return wire.start(count) + wire.word(" token") * PIECES + wire.stop(ENDS[vendor], count)


def serve(vendor: Vendor, pipe: Connection) -> None:
    """Play a vendor in a process of its own, so that only the client's CPU is counted."""

    async def play() -> None:
        async with FakeVendors() as fake:
            fake.plays([body(vendor)])
            pipe.send(fake.base_url(vendor))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(play())


async def floor(session: aiohttp.ClientSession, url: str) -> None:
    """Read the events with no SDK."""
    async with session.post(url, json={}) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                json.loads(line[6:])


async def read(model: Adapter) -> None:
    """Read an answer through the adapter."""
    async for _ in model.stream(ASKED):
        pass


async def cost(work: Callable[[], Awaitable[None]]) -> float:
    """Median microseconds of CPU a piece, after a round to warm up."""
    await work()
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        await work()
        spent.append(time.process_time() - begun)
    return median(spent) / PIECES * 1e6


async def measure(vendor: Vendor, url: str) -> None:
    """Print one row."""
    model = await CONNECT[vendor](Endpoint(vendor, url, "sk-fake"))
    async with aiohttp.ClientSession() as session:
        bare = await cost(lambda: floor(session, f"{url}/any"))
        ours = await cost(lambda: read(model))
    await model.close()
    print(f"{vendor:<10} {bare:>10.1f} {ours:>10.1f} {ours / bare:>8.1f}")


async def main() -> None:
    """Print a row for each vendor."""
    print(f"CPU in us a piece, {PIECES} pieces, median of {ROUNDS}")
    print(f"{'vendor':<10} {'floor':>10} {'ours':>10} {'x floor':>8}")
    for vendor in Vendor:
        here, there = multiprocessing.get_context("spawn").Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(vendor, there))
        server.start()
        try:
            await measure(vendor, await asyncio.to_thread(here.recv))
        finally:
            here.send(None)
            server.join()
