"""A thousand answers streamed at once by one process, beside the vendor's SDK that reads the same alone."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

import openai

from engine.admission import Desk
from engine.chat import Chat
from engine.domain import Answered, Ask, Delta, Person, Platform, TierName
from engine.facts import Mode
from engine.models import ModelClass
from engine.opening import SystemClock
from engine.settings import ProviderRow
from engine.signals import Signals
from engine.tables import ProviderKind
from providers.registry import build_models
from storage.store import open_store
from tests.engine.conftest import CATALOGUE, FREE, QUICK
from tests.fakes.vendor_wire import WIRES, Count, Vendor

STREAMS = 1000
WORDS = 6
THINKS, EVERY = 0.5, 0.7
"""Seconds until the first word, and between two."""
ARRIVE = 2.0
"""Seconds in which all questions come, well before the first answer ends."""
RUNS = 3
BLINK = 0.01
LONGEST = 21.0
"""Seconds for all runs of a contender: none is begun that would not end by then, and what is late is lost."""
WIRE = WIRES[Vendor.OPENAI]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
NEAR = replace(QUICK, provider="near", fallback=(), klass=ModelClass.EVERYDAY)
Stream = Callable[[int], AsyncGenerator[str, None]]
"""The words of one answer."""


# ---- The vendor, in a process of its own


def chunk(data: bytes) -> bytes:
    """A piece of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


FIRST = chunk(WIRE.start(Count()) + WIRE.word("word "))
NEXT = chunk(WIRE.word("word "))
LAST = chunk(WIRE.stop("stop", Count(words=WORDS))) + b"0\r\n\r\n"


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            await asyncio.sleep(THINKS)
            writer.write(HEAD + FIRST)
            for _ in range(WORDS - 1):
                await asyncio.sleep(EVERY)
                if writer.is_closing():
                    return
                writer.write(NEXT)
            writer.write(LAST)
            await writer.drain()
    writer.close()


def vendor(pipe: Connection) -> None:
    """Serve until this process is ended."""

    async def play() -> None:
        server = await asyncio.start_server(serve_one, "127.0.0.1", 0, backlog=STREAMS)
        pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        await server.serve_forever()

    asyncio.run(play())


# ---- Those who read


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Stream]:
    """The SDK as it comes, and nothing around it."""
    http = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(
        api_key="none", base_url=url, max_retries=0, timeout=60, http_client=http
    ) as client:

        async def words(number: int) -> AsyncGenerator[str, None]:
            stream = await client.chat.completions.create(
                model="quick-1",
                messages=[
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": f"Question {number}?"},
                ],
                max_completion_tokens=1000,
                stream=True,
                stream_options={"include_usage": True},
            )
            async with stream:
                async for event in stream:
                    for choice in event.choices:
                        if choice.delta.content:
                            yield choice.delta.content

        yield words


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Stream]:
    """A question of a member each, admitted, streamed and settled."""
    clock, limits = (
        SystemClock(),
        dict.fromkeys(("requests_per_minute", "concurrent", "conversations_per_day", "cost_ceiling_month")),
    )
    tiers = {TierName.FREE: replace(FREE, **limits)}  # type: ignore[arg-type]  # no limit at all
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with await open_store(f"sqlite:///{Path(folder)}/chat.db", clock) as store:
            models = build_models([ProviderRow("near", ProviderKind.COMPATIBLE, url)])
            desk = Desk(replace(CATALOGUE, tiers=tiers, models=(NEAR,)), Mode.TEST, "Be brief.", "bench")
            chat = Chat(store, clock, desk, models, Signals())
            await models.warm()

            async def words(number: int) -> AsyncGenerator[str, None]:
                person = Person(Platform.LOCAL, "", f"member-{number % STREAMS}")
                asked = Ask(f"local:{number}", person, f"Question {number}?")
                async with aclosing(chat.ask(asked)) as events:
                    async for event in events:
                        if isinstance(event, Delta):
                            yield event.text
                if not isinstance(event, Answered):
                    raise TypeError(event)

            try:
                async with attended(chat):
                    yield words
            finally:
                await models.close()


@asynccontextmanager
async def attended(chat: Chat) -> AsyncIterator[None]:
    """What a process does each second for its answers in flight."""

    async def attend() -> None:
        while True:
            await asyncio.sleep(1)
            await chat.heed()

    task = asyncio.create_task(attend())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


CONTENDERS = {"the SDK alone": bare, "ours": ours}


# ---- What it comes to


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: seconds to the first word beyond what the vendor takes, of the loop's lag, and of CPU each."""

    first: float
    first_worst: float
    lag: float
    cpu: float
    whole: float
    lost: int


def part(values: list[float], percent: int) -> float:
    """A percentile."""
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else float("nan")


async def lagging(lags: list[float]) -> None:
    """Note by how much the event loop is late, over and over."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(BLINK)
        lags.append(time.perf_counter() - begun - BLINK)


async def measure(stream: Stream, base: int, streams: int, seconds: float) -> Figures:
    """All streams at once; those that have not ended within so many seconds are lost."""
    firsts, lags = list[float](), list[float]()

    async def read(number: int) -> None:
        await asyncio.sleep(ARRIVE * (number - base) / streams)
        begun, words = time.perf_counter(), 0
        async with aclosing(stream(number)) as pieces:
            async for _ in pieces:
                if not words:
                    firsts.append(time.perf_counter() - begun - THINKS)
                words += 1
        if words != WORDS:
            raise ValueError(f"{words} words of {WORDS}")

    watch = asyncio.create_task(lagging(lags))
    begun, spent = time.perf_counter(), time.process_time()
    reading = [asyncio.create_task(read(base + each)) for each in range(streams)]
    done, late = await asyncio.wait(reading, timeout=seconds)
    spent, whole = time.process_time() - spent, time.perf_counter() - begun
    watch.cancel()
    failed = [error for each in done if (error := each.exception())]
    for error in failed[:1]:
        print(f"   lost: {type(error).__name__}: {error}", file=sys.stderr)
    lost = len(failed) + len(late)
    return Figures(part(firsts, 50), part(firsts, 99), part(lags, 99), spent / streams, whole, lost)


def contend(name: str, url: str, pipe: Connection) -> None:
    """All runs of one contender, in a process of its own, so that its memory is its own."""

    async def work() -> None:
        runs: list[Figures] = []
        async with CONTENDERS[name](url) as stream:
            async with aclosing(stream(RUNS * STREAMS)) as words:
                await anext(words)  # by then is loaded what is loaded once
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            end = time.perf_counter() + LONGEST
            while len(runs) < RUNS and (not runs or time.perf_counter() + runs[-1].whole < end):
                left = end - time.perf_counter()
                runs.append(await measure(stream, len(runs) * STREAMS, STREAMS, left))
            pipe.send((runs, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))

    asyncio.run(work())


COLUMNS = "{:<15} {:>12} {:>10} {:>10} {:>10} {:>10} {:>8} {:>6} {:>6}"


def show(name: str, runs: list[Figures], memory: float) -> None:
    """Print the medians of the runs."""

    def middle(of: Callable[[Figures], float]) -> float:
        return median(map(of, runs)) if runs else float("nan")

    print(COLUMNS.format(
        name,
        f"{middle(lambda run: run.first) * 1e3:.0f}",
        f"{middle(lambda run: run.first_worst) * 1e3:.0f}",
        f"{middle(lambda run: run.lag) * 1e3:.0f}",
        f"{middle(lambda run: run.cpu) * 1e3:.1f}",
        f"{memory:.0f}",
        f"{middle(lambda run: run.whole):.1f}",
        f"{middle(lambda run: run.lost):.0f}",
        len(runs),
    ), flush=True)  # fmt: skip


async def main() -> None:
    """Print a row for each contender."""
    takes = THINKS + EVERY * (WORDS - 1)
    print(
        f"{STREAMS} streams at once of {WORDS} words each, which take {takes:.2f} s; median of {RUNS} runs."
    )
    print("First word: from the question on, without the time that the vendor takes.")
    print(COLUMNS.format("", "first word", "p99", "lag p99", "CPU each", "memory", "whole", "lost", "runs"))
    print(COLUMNS.format("", "ms", "ms", "ms", "ms", "+ MiB", "s", "", ""))
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=vendor, args=(there,), daemon=True)
    server.start()
    try:
        url = await asyncio.to_thread(here.recv)
        for name in CONTENDERS:
            mine, theirs = spawn.Pipe()
            child = spawn.Process(target=contend, args=(name, url, theirs), daemon=True)
            child.start()
            show(name, *await asyncio.to_thread(mine.recv))
            child.kill()  # it has told all: what is late is not waited for
            child.join()
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    asyncio.run(main())
