"""Limits are exact: hundreds of questions at the same instant, at two processes on one database."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import DATABASES
from tests.fakes.vendor_wire import Vendor
from tests.fakes.vendors import Act, FakeVendors, Reply, Script
from tests.processes.script import Meet, Message
from tests.processes.script import Script as Person
from tests.processes.shop import WIRE, configured, says
from tests.program import called, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

BURST = 200
REFUSED = re.compile(
    r".*\bFree tier has 10 conversations a day\b.*\b00:00 UTC\b.*\n"
    r"\*\*Premium\*\* lifts this: \$8\.99 a month or \$89 a year\."
)
UPGRADES = ["upgrade:premium:month", "upgrade:premium:year", "plans"]
ANSWER = says("Forty", "-two.")
BAD_DAY = Reply(500, WIRE.refusal(500, "server_error", "A bad day."))
NO_WAY = Reply(400, WIRE.refusal(400, "invalid_request_error", "No."))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes on one database, and the server of their only model."""

    folder: Path
    variables: dict[str, str]
    urls: tuple[str, str]
    vendors: FakeVendors
    meet: Meet

    def member(self, name: str) -> tuple[Person, Person]:
        """A person who speaks to both processes."""
        first, second = (self.meet(url, name) for url in self.urls)
        return first, second

    async def ask(self, name: str, count: int) -> list[Message]:
        """That many questions of one person at the same instant, half to each process; every outcome."""
        first, second = self.member(name)
        each = cycle((first, second))
        asking = [next(each).say(f"/ask What is {number}?") for number in range(count)]
        asked = await asyncio.gather(*asking)
        answers = await asyncio.gather(first.answers(asked[0::2]), second.answers(asked[1::2]))
        outcomes = [*answers[0].values(), *answers[1].values()]
        assert len(outcomes) == count
        return outcomes

    async def spend(self, name: str, count: int) -> None:
        """Use up conversations of a person."""
        self.vendors.plays(ANSWER)
        outcomes = await self.ask(name, count)
        assert [each["state"] for each in outcomes] == ["done"] * count

    async def used(self, name: str) -> dict[str, Any]:
        """What `why` counts for a person."""
        said = await called(self.folder, self.variables, "why", f"local:{name}", "--json")
        assert said.code == 0, said.err
        limits = json.loads(said.out)["limits"]
        assert limits["concurrent"]["used"] == 0
        return dict(limits["conversations_per_day"])


@pytest_asyncio.fixture(scope="module", loop_scope="package", params=DATABASES)
async def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, vendors: FakeVendors, meet: Meet
) -> AsyncIterator[Pair]:
    """Both processes, ready, on a database of each kind in turn."""
    folder = tmp_path_factory.mktemp("pair")
    url = f"sqlite:///{folder}/chat.db"
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        server.create("pair")
        url = server.url("pair")
    variables = {**configured(folder, vendors.base_url(Vendor.OPENAI)), "DATABASE_URL": url}
    async with running(folder, variables) as first, running(folder, variables) as second:
        yield Pair(folder, variables, (first.url, second.url), vendors, meet)
        assert [await first.end(), await second.end()] == [0, 0]


def answered(outcomes: Sequence[Message]) -> list[Message]:
    """Those that got an answer; each other one was refused, or failed and was told that it counts nothing."""
    for each in outcomes:
        if each["state"] == "failed":
            assert each["footer"] == "quick · not counted"
        elif not each["footer"]:
            assert REFUSED.fullmatch(each["text"])
            assert [button["action"] for button in each["buttons"]] == UPGRADES
    return [each for each in outcomes if each["state"] == "done" and each["footer"]]


async def test_a_burst_with_three_left_is_answered_three_times_and_refused_in_words(pair: Pair) -> None:
    await pair.spend("alice", 7)
    pair.vendors.asked.clear()
    outcomes = await pair.ask("alice", BURST)
    done = answered(outcomes)
    assert sorted(each["footer"] for each in done) == [
        "quick · conversation 10 of 10 today",
        "quick · conversation 8 of 10 today",
        "quick · conversation 9 of 10 today",
    ]
    assert [each["text"] for each in done] == ["Forty-two."] * 3
    assert [each["state"] for each in outcomes] == ["done"] * BURST
    assert len(pair.vendors.asked) == 3
    assert await pair.used("alice") == {"used": 10, "limit": 10, "left": 0}


@pytest.mark.parametrize(
    ("name", "trouble"), [("bob", BAD_DAY), ("ben", [Act.TRUNCATE])], ids=["status", "cut"]
)
async def test_a_burst_that_fails_counts_nothing_and_leaves_all_three(
    pair: Pair, name: str, trouble: Script
) -> None:
    await pair.spend(name, 7)
    pair.vendors.plays(trouble)
    outcomes = await pair.ask(name, 60)
    assert answered(outcomes) == []
    assert len([each for each in outcomes if each["state"] == "failed"]) >= 3
    await pair.spend(name, 3)
    assert answered(await pair.ask(name, 4)) == []


async def test_exactly_three_succeed_however_many_fail_before(pair: Pair) -> None:
    await pair.spend("carol", 7)
    pair.vendors.plays(*[NO_WAY] * 7, ANSWER)
    done, waves = 0, 0
    while done < 3 and waves < 10:
        done += len(answered(await pair.ask("carol", 40)))
        waves += 1
    assert done == 3
    assert answered(await pair.ask("carol", 40)) == []


async def test_a_message_that_reaches_both_processes_is_answered_once(pair: Pair) -> None:
    pair.vendors.plays(ANSWER)
    pair.vendors.asked.clear()
    both = pair.member("dave")
    asked = await asyncio.gather(*(each.say("/ask What is 6 times 7?", key="once") for each in both * 5))
    assert len(set(asked)) == 1
    answering = [asyncio.create_task(each.answers(set(asked))) for each in both]
    _, waiting = await asyncio.wait(answering, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    for each in both:
        _, answer = await each.messages()
        assert answer["footer"] == "quick · conversation 1 of 10 today"
    assert len(pair.vendors.asked) == 1
    (following,) = await pair.ask("dave", 1)
    assert following["footer"] == "quick · conversation 2 of 10 today"
