"""What we add to each vendor's SDK: CPU of a streamed piece of text, and time to the first one.

The floor reads the same bytes with aiohttp and json alone. The vendor is a process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median

import aiohttp

from benchmarks.sdks import CAP, KEY, MODEL, QUESTION, SDKS, Words
from engine.models import Completion, Message, Role, TextDelta
from providers import anthropic, gemini, openai
from providers.endpoint import Endpoint
from providers.lazy import Adapter
from tests.fakes.vendor_wire import WIRES, Count, Vendor
from tests.fakes.vendors import FakeVendors

PIECES = 2000
ROUNDS = 7
STARTS = 150
ENDS = {Vendor.OPENAI: "stop", Vendor.ANTHROPIC: "end_turn", Vendor.GEMINI: "STOP"}
CONNECT: dict[Vendor, Callable[[Endpoint], Awaitable[Adapter]]] = {
    Vendor.OPENAI: openai.connect,
    Vendor.ANTHROPIC: anthropic.connect,
    Vendor.GEMINI: gemini.connect,
}
ASKED = Completion(MODEL, "", (Message(Role.USER, QUESTION),), CAP)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the vendor gives a long answer, and where one of a single piece."""

    long: str
    short: str


def body(vendor: Vendor, pieces: int) -> bytes:
    """A whole stream, sent at one go: what is measured is reading it, not waiting for it."""
    wire, count = WIRES[vendor], Count()
    return wire.start(count) + wire.word(" token") * pieces + wire.stop(ENDS[vendor], count)


def serve(vendor: Vendor, pipe: Connection) -> None:
    """Play a vendor in a process of its own, so that only the client's CPU is counted."""

    async def play() -> None:
        async with FakeVendors() as long, FakeVendors() as short:
            long.plays([body(vendor, PIECES)])
            short.plays([body(vendor, 1)])
            pipe.send(Addresses(long.base_url(vendor), short.base_url(vendor)))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(play())


def floor(session: aiohttp.ClientSession, url: str) -> Words:
    """The events read with no SDK."""

    async def words() -> AsyncGenerator[str, None]:
        async with session.post(f"{url}/any", json={}) as response:
            async for line in response.content:
                if line.startswith(b"data: {"):
                    yield str(json.loads(line[6:]))

    return words


def ours(model: Adapter) -> Words:
    """The answer through the adapter."""

    async def words() -> AsyncGenerator[str, None]:
        async with aclosing(model.stream(ASKED)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TextDelta):
                    yield chunk.text

    return words


async def exhaust(words: Words) -> None:
    """Read an answer to its end."""
    async for _ in words():
        pass


async def cpu(readers: Mapping[str, Words]) -> dict[str, float]:
    """Median microseconds of CPU a piece for each, in turns, after a round to warm up."""
    spent: dict[str, list[float]] = {name: [] for name in readers}
    for turn in range(ROUNDS + 1):
        for name, words in readers.items():
            gc.collect()
            begun = time.process_time()
            await exhaust(words)
            if turn:
                spent[name].append(time.process_time() - begun)
    return {name: median(times) / PIECES * 1e6 for name, times in spent.items()}


async def first(readers: Mapping[str, Words]) -> dict[str, float]:
    """Median milliseconds from the question to the first piece for each, in turns."""
    waited: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(STARTS):
        for name, words in readers.items():
            begun = time.perf_counter()
            async for _ in words():
                waited[name].append(time.perf_counter() - begun)
    return {name: median(times) * 1e3 for name, times in waited.items()}


async def measure(vendor: Vendor, at: Addresses) -> None:
    """Print one row."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def readers(url: str) -> dict[str, Words]:
            model = await CONNECT[vendor](Endpoint(vendor, url, KEY))
            stack.push_async_callback(model.close)
            sdk = await stack.enter_async_context(SDKS[vendor](url))
            return {"floor": floor(session, url), "sdk": sdk, "ours": ours(model)}

        used = await cpu(await readers(at.long))
        waits = await first(await readers(at.short))
    cells = [used["floor"], used["sdk"], used["ours"], used["ours"] - used["sdk"]]
    times = [waits["floor"], waits["sdk"], waits["ours"], waits["ours"] - waits["sdk"]]
    print(f"{vendor:<10}" + "".join(f"{cell:>9.1f}" for cell in cells) + "".join(f"{t:>9.2f}" for t in times))


async def main() -> None:
    """Print a row for each vendor."""
    print(f"CPU in us a piece: {PIECES} pieces, median of {ROUNDS}; first piece in ms: median of {STARTS}")
    print(f"{'':<10}{'CPU':>9}{'':>27}{'first':>9}")
    print(f"{'vendor':<10}" + f"{'floor':>9}{'SDK':>9}{'ours':>9}{'added':>9}" * 2)
    for vendor in Vendor:
        here, there = multiprocessing.get_context("spawn").Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(vendor, there))
        server.start()
        try:
            await measure(vendor, await asyncio.to_thread(here.recv))
        finally:
            here.send(None)
            server.join()
