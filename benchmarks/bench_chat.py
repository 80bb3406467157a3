"""How soon and how often streamed answers are shown, and what they cost, beside bots that edit on a timer."""

from __future__ import annotations

import asyncio
import re
import resource
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import discord
from pydantic import SecretStr

from benchmarks import audience
from benchmarks.audience import Crowd, Seen, Stage
from benchmarks.bare import BareBot
from bot.discord.adapter import DiscordBot, redirect
from bot.slack.adapter import SlackBot
from engine.models import Chunk, Completion, Finish, Finished, TextDelta
from engine.settings import DiscordSettings, SlackSettings
from storage.store import open_store
from tests.discord.conftest import front_of
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.models import SPENT, Scripted

QUESTION = re.compile(r"question-(\d+)")
EVERY = 0.05
FEW, MANY = Crowd(10, 10, 50), Crowd(200, 50, 50)
RUNS = 3
BLINK = 0.01
COLUMNS = "{:<37} {:>6} {:>6} {:>6} {:>6} {:>7} {:>7} {:>6} {:>7} {:>7}"


@dataclass(slots=True)
class Talker(Scripted):
    """A model that says a numbered word every 50 ms, and remembers when."""

    length: int = 0
    said: dict[int, list[float]] = field(default_factory=dict)

    async def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """Answer the question whose number is in it."""
        async for word in self.words_for(completion.messages[-1].text):
            yield TextDelta(word)
        yield Finished(Finish.END, SPENT)

    async def words_for(self, question: str) -> AsyncGenerator[str, None]:
        """The words alone."""
        times: list[float] = []
        if found := QUESTION.search(question):
            self.said[int(found[1])] = times
        for number in range(self.length):
            await asyncio.sleep(EVERY)
            times.append(time.time())
            yield f"word-{number} "


@dataclass(frozen=True, slots=True)
class Figures:
    """One run; seconds, but milliseconds of CPU."""

    first: list[float]
    ages: list[float]
    writes: float
    refused: int
    lost: int
    cpu: float
    lag: float


def figures(seen: Seen, talker: Talker, crowd: Crowd, cpu: float, lags: list[float]) -> Figures:
    """What a run comes to: each word's age is the time from the model's lips to the member's eyes."""
    first, ages = [], []
    for question, times in talker.said.items():
        shown = 0
        for number, newest, at in sorted(seen.changes, key=lambda change: change[2]):
            if number == question and newest >= shown:
                fresh = [at - said for said in times[shown : newest + 1]]
                first += fresh[:1] if shown == 0 else []
                ages += fresh
                shown = newest + 1
        ages += [seen.until - said for said in times[shown:]]
    lost = crowd.members - len(seen.over)
    each = cpu / crowd.members * 1e3
    return Figures(first, ages, seen.writes / crowd.members, seen.refused, lost, each, part(lags, 99))


def part(values: list[float], percent: int) -> float:
    """A percentile."""
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


async def lagging(lags: list[float]) -> None:
    """Note by how much the event loop is late, over and over."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(BLINK)
        lags.append(time.perf_counter() - begun - BLINK)


async def measure(stage: Stage, talker: Talker, crowd: Crowd) -> Figures:
    """One run."""
    talker.length, talker.said, lags = crowd.words, {}, list[float]()
    watch = asyncio.create_task(lagging(lags))
    begun = time.process_time()
    seen = await stage.ask(crowd)
    cpu = time.process_time() - begun
    watch.cancel()
    return figures(seen, talker, crowd, cpu, lags)


def show(name: str, runs: list[Figures]) -> None:
    """Print the medians of the runs."""

    def middle(of: Callable[[Figures], float]) -> float:
        return median(of(run) for run in runs)

    print(COLUMNS.format(
        name,
        f"{middle(lambda run: part(run.first, 50)) * 1e3:.0f}",
        f"{middle(lambda run: part(run.first, 99)) * 1e3:.0f}",
        f"{middle(lambda run: part(run.ages, 99)):.1f}",
        f"{middle(lambda run: max(run.ages)):.1f}",
        f"{middle(lambda run: run.writes):.1f}",
        f"{middle(lambda run: run.refused):.0f}",
        f"{middle(lambda run: run.lost):.0f}",
        f"{middle(lambda run: run.cpu):.1f}",
        f"{middle(lambda run: run.lag) * 1e3:.0f}",
    ), flush=True)  # fmt: skip


@asynccontextmanager
async def hall(talker: Talker) -> AsyncIterator[Hall]:
    """All that is behind an adapter, on a database of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        clock = FakeClock()
        async with await open_store(f"sqlite:///{Path(folder)}/chat.db", clock) as store:
            made = Hall(store, clock, talker)
            made.free(requests_per_minute=None, concurrent=None, conversations_per_day=None)
            yield made


@asynccontextmanager
async def running(work: Awaitable[None], ready: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Something that serves meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait_for(ready(), 10)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def discord_settings(address: Mapping[str, str]) -> DiscordSettings:
    """What leads a bot to the audience."""
    token = SecretStr(address["DISCORD_TOKEN"])
    return DiscordSettings(token, address["DISCORD_API_BASE"], address["DISCORD_GATEWAY_URL"])


async def on_discord(stage: Stage) -> None:
    """The real adapter."""
    talker = Talker()
    async with hall(talker) as made:
        bot = DiscordBot(discord_settings(stage.address), await front_of(made))
        async with running(bot.run(), bot.ready.wait):
            show(
                "Discord: 10 answers, a channel each",
                [await measure(stage, talker, FEW) for _ in range(RUNS)],
            )
            show(
                "Discord: 200 answers in 50 channels",
                [await measure(stage, talker, MANY) for _ in range(RUNS)],
            )


async def on_timer(stage: Stage, name: str, *, one_clock: bool) -> None:
    """A bare bot; what it does to 200 takes so long that once has to do."""
    talker = Talker()
    redirect(discord_settings(stage.address))
    bot = BareBot(talker.words_for, one_clock=one_clock)
    async with bot, running(bot.start(stage.address["DISCORD_TOKEN"]), bot.wait_until_ready):
        show(f"{name}: 10 answers", [await measure(stage, talker, FEW)])
        show(f"{name}: 200 answers", [await measure(stage, talker, MANY)])


async def on_slack(stage: Stage) -> None:
    """The real adapter, over Socket Mode."""
    talker, address = Talker(), stage.address
    async with hall(talker) as made:
        tokens = [SecretStr(address[name]) for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")]
        settings = SlackSettings(tokens[0], tokens[1], None, address["SLACK_API_URL"])
        bot = SlackBot(settings, await front_of(made), FakeClock())
        async with running(bot.run(), bot.ready.wait):
            show("Slack: 10 answers, a channel each", [await measure(stage, talker, FEW)])
            show("Slack: 200 answers in 50 channels", [await measure(stage, talker, MANY)])


async def main() -> None:
    """Measure and print a table."""
    discord.utils.setup_logging(level=50)
    print(f"A model says a word every {EVERY * 1e3:.0f} ms; the platforms run beside, with their limits.")
    print(
        f"Ours on Discord: the median of {RUNS} runs. Age: from the model to the screen. Lost: not complete"
    )
    print(f"{audience.PATIENCE:.0f} s after the questions; the text alone takes {MANY.words * EVERY:.1f} s.")
    print(
        COLUMNS.format("", "first", "p99", "age", "worst", "writes", "refused", "lost", "CPU ms", "lag p99")
    )
    print(COLUMNS.format("", "ms", "ms", "p99 s", "s", "each", "in all", "", "each", "ms"))
    async with audience.audience(audience.discord) as stage:
        await on_discord(stage)
    for name, one_clock in (("bare, a timer each", False), ("bare, one clock", True)):
        async with audience.audience(audience.discord) as stage:
            await on_timer(stage, name, one_clock=one_clock)
    async with audience.audience(audience.slack) as stage:
        await on_slack(stage)
    print(f"memory at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    asyncio.run(main())
