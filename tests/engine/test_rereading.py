"""An operator has every process read the configuration, and each does so once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.audit import Actor, Deed, Entry
from engine.reloading import Reloading, ask_all
from engine.settings import Settings
from storage.store import Store
from tests.engine.conftest import ALICE
from tests.engine.test_reloading import Desktop
from tests.fakes.clock import FakeClock
from tests.fakes.pulse import PATIENCE

OPERATOR = Actor.in_chat(ALICE)


class Process:
    """One that runs, on the files of a desktop; how often it read them."""

    def __init__(self, desktop: Desktop, store: Store, clock: FakeClock) -> None:
        self.reads = 0
        self.desktop = desktop
        self.reloading = Reloading(store, clock, desktop.read(), self._read)

    def _read(self) -> Settings:
        self.reads += 1
        return self.desktop.read()

    @property
    def prompt(self) -> str:
        return self.reloading.settings.system_prompt

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From its first look for what was asked on."""
        task = asyncio.create_task(self.reloading.run(asyncio.Event()))
        while self.reloading.seen is None:  # noqa: ASYNC110 - a number
            await asyncio.sleep(0)
        yield
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def desktop(tmp_path: Path, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    """One on each database in turn; processes look often."""
    monkeypatch.setattr("engine.reloading.WATCH", 0.01)
    return Desktop(tmp_path / "config.toml", store, clock)


async def follows(process: Process, prompt: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while process.prompt != prompt:  # noqa: ASYNC110 - a value
            await asyncio.sleep(0.001)


async def looks(*processes: Process) -> None:
    """Let each look once more."""
    for process in processes:
        await process.reloading.heed()


async def deeds(store: Store) -> Sequence[Entry]:
    return await store.read(lambda tx: tx.deeds(None, 10))


async def test_the_process_that_is_told_says_what_is_new_and_the_others_follow(
    desktop: Desktop, store: Store, clock: FakeClock
) -> None:
    here, there = Process(desktop, store, clock), Process(desktop, store, clock)
    async with here.running(), there.running():
        desktop.write(prompt="Sing.")
        found = await here.reloading.order(OPERATOR)
        assert (found.problems, found.changed, found.waiting) == ((), ("system_prompt",), ())
        await follows(there, "Sing.")
        await looks(here, there)
    assert (here.reads, there.reads) == (1, 1)
    (entry,) = await deeds(store)
    assert (entry.actor, entry.deed, entry.detail) == (OPERATOR, Deed.RELOAD, "system_prompt")


async def test_what_cannot_be_used_is_told_and_nobody_follows(
    desktop: Desktop, store: Store, clock: FakeClock
) -> None:
    here, there = Process(desktop, store, clock), Process(desktop, store, clock)
    async with here.running(), there.running():
        desktop.write(price='"much"')
        found = await here.reloading.order(OPERATOR)
        assert not found.taken
        assert "price_month" in found.problems[0]
        await looks(here, there)
    assert (here.reads, there.reads) == (1, 0)
    (entry,) = await deeds(store)
    assert entry.detail == "1 problems"


async def test_the_console_has_every_process_read(desktop: Desktop, store: Store, clock: FakeClock) -> None:
    one, other = Process(desktop, store, clock), Process(desktop, store, clock)
    async with one.running(), other.running():
        desktop.write(prompt="Sing.")
        await ask_all(store, clock, OPERATOR)
        await follows(one, "Sing.")
        await follows(other, "Sing.")
        await looks(one, other)
    assert (one.reads, other.reads) == (1, 1)
    assert [entry.deed for entry in await deeds(store)] == [Deed.RELOAD]


async def test_a_process_that_begins_later_does_not_read_again_what_it_began_with(
    desktop: Desktop, store: Store, clock: FakeClock
) -> None:
    await ask_all(store, clock, OPERATOR)
    late = Process(desktop, store, clock)
    async with late.running():
        await looks(late)
    assert late.reads == 0


async def test_who_asks_beside_another_reads_once_more(
    desktop: Desktop, store: Store, clock: FakeClock
) -> None:
    here = Process(desktop, store, clock)
    await looks(here)
    await ask_all(store, clock, OPERATOR)
    await here.reloading.order(OPERATOR)
    await looks(here)
    assert here.reads == 2
