"""Ending in good order: answers in flight are finished or told off, and nothing stays half-written."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.vendor_wire import Count, Vendor
from tests.fakes.vendors import Act, FakeVendors
from tests.fakes.vendors import Script as Steps
from tests.processes.program import command, running
from tests.processes.script import Meet, Message, Script
from tests.processes.shop import WIRE, configured, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRACE = 10.0
SLOWLY: Steps = [WIRE.start(Count()), WIRE.word("Forty"), *[Act.PAUSE] * 6, *says("-two.")[1:]]
SILENT: Steps = [WIRE.start(Count()), Act.STALL]
ENDLESS: Steps = [WIRE.start(Count()), WIRE.word("Forty"), Act.STALL]


@dataclass(frozen=True, slots=True)
class Farewell:
    """A house that was told to end while answers are in flight that never will, and how long it took."""

    folder: Path
    variables: dict[str, str]
    refused: Message
    ending: asyncio.Task[tuple[int, float]]


def house(folder: Path, vendors: FakeVendors) -> dict[str, str]:
    """The variables of a house on a database of its own."""
    variables = configured(folder, vendors.base_url(Vendor.OPENAI))
    return {**variables, "DATABASE_URL": f"sqlite:///{folder}/chat.db"}


async def writing(person: Script, text: str = "") -> str:
    """Ask; the question's id, once its answer is at these words."""
    asked = await person.say("/ask What is 6 times 7?")

    def begun(messages: Mapping[str, Message]) -> bool:
        answers = [each for each in messages.values() if each["reply_to"] == asked]
        return any(each["text"] == text for each in answers)

    await person.until(begun)
    return asked


async def answers(meet: Meet, url: str, person: str) -> list[Message]:
    """The bot's messages that a person sees."""
    return [each for each in await meet(url, person).messages() if each["author"]["bot"]]


async def counted(folder: Path, variables: dict[str, str], person: str) -> tuple[int, int]:
    """Conversations counted today, and answers that hold a place."""
    said = await command(folder, variables, "why", f"local:{person}", "--json")
    limits: dict[str, Any] = json.loads(said.out)["limits"]
    return limits["conversations_per_day"]["used"], limits["concurrent"]["used"]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def farewell(tmp_path_factory: pytest.TempPathFactory, meet: Meet) -> AsyncIterator[Farewell]:
    """Begun before the other tests of this file and looked at after them, for it takes its whole grace."""
    folder = tmp_path_factory.mktemp("farewell")
    async with FakeVendors() as vendors:
        variables = house(folder, vendors)
        vendors.plays(SILENT, ENDLESS)
        async with running(folder, variables) as program:
            await writing(meet(program.url, "alice"))
            await vendors.reached.wait()
            await writing(meet(program.url, "bob"), "Forty")
            began = time.monotonic()

            async def end() -> tuple[int, float]:
                return await program.end(within=2 * GRACE), time.monotonic() - began

            ending = asyncio.create_task(end())
            await program.heard("stopping")
            refused = await meet(program.url, "carol").answer("/ask Anybody there?")
            yield Farewell(folder, variables, refused, ending)
            await ending


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_answer_in_flight_is_finished_before_the_program_ends(
    number: signal.Signals, tmp_path: Path, meet: Meet, vendors: FakeVendors
) -> None:
    variables = house(tmp_path, vendors)
    vendors.plays(SLOWLY)
    async with running(tmp_path, variables) as program:
        await writing(meet(program.url, "alice"), "Forty")
        assert await program.end(number, within=GRACE) == 0
        assert "Traceback" not in program.output
    async with running(tmp_path, variables) as program:
        (answer,) = await answers(meet, program.url, "alice")
        assert (answer["text"], answer["state"]) == ("Forty-two.", "done")
        assert answer["footer"] == "quick · conversation 1 of 10 today"
    assert await counted(tmp_path, variables, "alice") == (1, 0)


async def test_a_program_that_is_idle_ends_at_once(tmp_path: Path, meet: Meet, vendors: FakeVendors) -> None:
    async with running(tmp_path, house(tmp_path, vendors)) as program:
        vendors.plays(says("Forty-two."))
        await meet(program.url, "alice").answer("/ask What is 6 times 7?")
        assert await program.end(within=3.0) == 0


async def test_what_a_killed_program_left_open_is_closed_by_the_next(
    tmp_path: Path, meet: Meet, vendors: FakeVendors
) -> None:
    variables = house(tmp_path, vendors)
    vendors.plays(ENDLESS)
    async with running(tmp_path, variables) as program:
        await writing(meet(program.url, "alice"), "Forty")
        await program.kill()
    async with running(tmp_path, variables) as program:
        (answer,) = await answers(meet, program.url, "alice")
        assert answer["state"] == "failed"
        assert "ask again" in answer["text"]


async def test_answers_without_end_are_told_so_after_the_grace_and_count_only_what_was_shown(
    farewell: Farewell, meet: Meet
) -> None:
    code, seconds = await farewell.ending
    assert code == 0
    assert seconds >= GRACE
    assert "I am restarting. Nothing was counted" in farewell.refused["text"]
    async with running(farewell.folder, farewell.variables) as program:
        (nothing,) = await answers(meet, program.url, "alice")
        (something,) = await answers(meet, program.url, "bob")
    assert "had to restart" in nothing["text"]
    assert (nothing["state"], nothing["footer"]) == ("failed", "quick · not counted")
    assert something["text"].startswith("Forty")
    assert "had to restart" in something["text"]
    assert (something["state"], something["footer"]) == ("failed", "quick · conversation 1 of 10 today")
    assert await counted(farewell.folder, farewell.variables, "alice") == (0, 0)
    assert await counted(farewell.folder, farewell.variables, "bob") == (1, 0)
