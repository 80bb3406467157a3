"""Scripts for every test, a model's server, and a farewell that takes its time while the other tests run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.vendors import FakeVendors
from tests.processes.script import Meet, Message, scripts
from tests.processes.shop import ENDLESS, SILENT, house
from tests.program import running


@dataclass(frozen=True, slots=True)
class Farewell:
    """A house that was told to end while answers are in flight that never will, and how long it took."""

    folder: Path
    variables: dict[str, str]
    refused: Message
    ending: asyncio.Task[tuple[int, float]]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def meet() -> AsyncIterator[Meet]:
    """Makes scripts."""
    async with scripts() as made:
        yield made


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def vendors() -> AsyncIterator[FakeVendors]:
    """The server of the only model."""
    async with FakeVendors() as fake:
        yield fake


@pytest_asyncio.fixture(scope="package", loop_scope="package", autouse=True)
async def farewell(tmp_path_factory: pytest.TempPathFactory, meet: Meet) -> AsyncIterator[Farewell]:
    """Begun before all tests of this folder and looked at by the last, for it takes its whole grace."""
    folder = tmp_path_factory.mktemp("farewell")
    async with FakeVendors() as vendors:
        variables = house(folder, vendors)
        vendors.plays(SILENT, ENDLESS)
        async with running(folder, variables) as program:
            alice, bob, carol = (meet(program.url, name) for name in ("alice", "bob", "carol"))
            await alice.begun("")
            await vendors.reached.wait()
            await bob.begun("Forty")
            began = time.monotonic()

            async def end() -> tuple[int, float]:
                return await program.end(within=600), time.monotonic() - began

            ending = asyncio.create_task(end())
            await program.heard("stopping")
            refused = await carol.answer("/ask Anybody there?")
            yield Farewell(folder, variables, refused, ending)
            ending.cancel()
            await asyncio.wait({ending})
