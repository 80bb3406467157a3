"""How many questions a second storage admits and settles, beside a bare sqlite3 that commits each write."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from engine.admission import Admission, Desk, admit
from engine.catalogue import Catalogue
from engine.domain import Ask, Micros, Person, Platform, Tier, TierName, TurnId
from engine.facts import Mode
from engine.models import ModelClass, ModelSpec, Price, Usage
from engine.turns import Charge, Settlement
from storage.store import Store, open_store
from tests.postgres import STARTING, running_postgres

RUNS = 3
SECONDS = 1.5
PEOPLE = 2_000
CALLERS = (1, 64)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MODEL = ModelSpec("demo", "demo", "demo", ModelClass.EVERYDAY, 8_000, 500, Price(100_000, 50_000, 400_000))
UNLIMITED = Tier(
    name=TierName.FREE,
    rank=0,
    price_month=Micros(0),
    price_year=Micros(0),
    conversations_per_day=1_000_000,
    turns_per_conversation=1_000_000,
    requests_per_minute=1_000_000,
    concurrent=1_000_000,
    classes=frozenset({ModelClass.EVERYDAY}),
    cost_ceiling_month=Micros(10**12),
)
"""Every limit is counted and none is reached."""
DESK = Desk(Catalogue({TierName.FREE: UNLIMITED}, (MODEL,)), Mode.SIMULATED, "Be brief.", "bench")
COLUMNS = "{:<34} {:>7} {:>9} {:>9} {:>9}"


class FixedClock:
    """The Clock port; the bench measures with a clock of its own."""

    def now(self) -> datetime:
        return NOW


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: questions a second, and milliseconds a question."""

    rate: float
    p50: float
    p99: float


CHARGE = Charge("demo", "demo", Usage(40, 0, 12), Micros(120))
SETTLEMENT = Settlement(
    "demo", "Twice the length of its half.", CHARGE.usage, CHARGE.cost, "end", NOW, (CHARGE,)
)


async def question(store: Store, number: int) -> None:
    """Admit and settle one question as the engine does: two transactions."""
    turn = TurnId(f"turn {number}")
    member = f"member{number % PEOPLE}"
    ask = Ask(f"bench:{number}", Person(Platform.LOCAL, "", member), "How long is a string?", (member,))
    admission = await store.transact(lambda tx: admit(tx, DESK, ask, turn, NOW))
    if not isinstance(admission, Admission):
        raise TypeError(f"a question was refused: {admission}")
    await store.transact(lambda tx: tx.settle(turn, SETTLEMENT))


async def measure(ask: Callable[[int], Awaitable[object]], callers: int, numbers: count[int]) -> Figures:
    """Keep so many callers busy for SECONDS."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS

    async def caller() -> None:
        while (begun := time.perf_counter()) < end:
            await ask(next(numbers))
            times.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return figures(times, time.perf_counter() - begun)


def figures(times: list[float], seconds: float) -> Figures:
    """Rate and quantiles of one run; times in seconds."""
    cuts = quantiles(times, n=100)
    return Figures(len(times) / seconds, cuts[49] * 1000, cuts[98] * 1000)


def middle(runs: list[Figures]) -> Figures:
    """The medians of several runs."""
    return Figures(
        median(run.rate for run in runs), median(run.p50 for run in runs), median(run.p99 for run in runs)
    )


def floor(folder: Path) -> Figures:
    """Two small writes with a forced commit each on one bare connection, the least a question could cost."""
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as connection:
        for setup in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {setup}").fetchall()
        connection.execute("CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY, at INTEGER)")
        times: list[float] = []
        begun = time.perf_counter()
        while time.perf_counter() < begun + SECONDS:
            before = time.perf_counter()
            connection.execute("INSERT INTO floor (at) VALUES (1)")
            connection.execute("UPDATE floor SET at = 2 WHERE id = last_insert_rowid()")
            times.append(time.perf_counter() - before)
        return figures(times, time.perf_counter() - begun)


@asynccontextmanager
async def stores(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The URLs of a fresh database of each kind that runs here, by name."""
    urls = {"SQLite": f"sqlite:///{folder}/chat.db"}
    try:
        with running_postgres() as server:
            server.create("bench")
            yield {**urls, "PostgreSQL": server.url("bench")}
    except STARTING as error:
        print(f"PostgreSQL does not start here: {error}")
        yield urls


def show(name: str, callers: object, result: Figures) -> None:
    """Print one row."""
    print(COLUMNS.format(name, callers, f"{result.rate:,.0f}", f"{result.p50:.2f}", f"{result.p99:.2f}"))


async def main() -> None:
    """Measure and print a table."""
    print("Storage: questions admitted and settled, two durable transactions each")
    print(COLUMNS.format("", "callers", "a second", "p50 ms", "p99 ms"))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        show("floor: bare sqlite3, two writes", 1, middle([floor(folder) for _ in range(RUNS)]))
        async with stores(folder) as urls:
            for kind, url in urls.items():
                await compare(kind, url)


async def compare(kind: str, url: str) -> None:
    """Measure one database with few callers and with many."""
    numbers = count()
    async with await open_store(url, FixedClock()) as store:
        for callers in CALLERS:
            runs = [await measure(lambda n: question(store, n), callers, numbers) for _ in range(RUNS)]
            show(f"{kind}: admit + settle", callers, middle(runs))


if __name__ == "__main__":
    asyncio.run(main())
