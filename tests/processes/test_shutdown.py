"""Ending in good order: answers in flight are finished or told off, and nothing stays half-written."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.domain import Person, Platform
from engine.ledger import Tx
from storage.store import open_store
from tests.fakes.clock import FakeClock
from tests.fakes.vendors import FakeVendors
from tests.processes.conftest import Farewell
from tests.processes.script import Meet, Message
from tests.processes.shop import ENDLESS, SLOWLY, house, says
from tests.program import running

pytestmark = pytest.mark.asyncio(loop_scope="package")

GRACE = 10.0


async def answers(meet: Meet, url: str, person: str) -> list[Message]:
    """The bot's messages that a person sees."""
    return [each for each in await meet(url, person).messages() if each["author"]["bot"]]


async def counted(variables: dict[str, str], name: str) -> tuple[int, int]:
    """Conversations of a person that are counted today, and answers that hold a place."""
    now = datetime.now(UTC)

    def work(tx: Tx) -> tuple[int, int]:
        account = tx.find_account(Person(Platform.LOCAL, "", name))
        assert account
        usage = tx.usage(account.id, now)
        return usage.conversations_today, usage.at_once

    async with await open_store(variables["DATABASE_URL"], FakeClock(now)) as store:
        return await store.read(work)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_answer_in_flight_is_finished_before_the_program_ends(
    number: signal.Signals, tmp_path: Path, meet: Meet, vendors: FakeVendors
) -> None:
    variables = house(tmp_path, vendors)
    vendors.plays(SLOWLY)
    async with running(tmp_path, variables) as program:
        await meet(program.url, "alice").begun("Forty")
        assert await program.end(number, within=GRACE) == 0
        assert "Traceback" not in program.said
    assert await counted(variables, "alice") == (1, 0)
    async with running(tmp_path, variables) as program:
        (answer,) = await answers(meet, program.url, "alice")
    assert (answer["text"], answer["state"]) == ("Forty-two.", "done")
    assert answer["footer"] == "quick · conversation 1 of 10 today"


async def test_a_program_that_is_idle_ends_at_once(tmp_path: Path, meet: Meet, vendors: FakeVendors) -> None:
    async with running(tmp_path, house(tmp_path, vendors)) as program:
        vendors.plays(says("Forty-two."))
        await meet(program.url, "alice").answer("/ask What is 6 times 7?")
        assert await program.end(within=GRACE / 2) == 0


async def test_what_a_killed_program_left_open_is_closed_by_the_next(
    tmp_path: Path, meet: Meet, vendors: FakeVendors
) -> None:
    variables = house(tmp_path, vendors)
    vendors.plays(ENDLESS)
    async with running(tmp_path, variables) as program:
        await meet(program.url, "alice").begun("Forty")
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
    assert GRACE <= seconds < 2 * GRACE
    assert "I am restarting. Nothing was counted" in farewell.refused["text"]
    assert await counted(farewell.variables, "alice") == (0, 0)
    assert await counted(farewell.variables, "bob") == (1, 0)
    async with running(farewell.folder, farewell.variables) as program:
        (nothing,) = await answers(meet, program.url, "alice")
        (something,) = await answers(meet, program.url, "bob")
    assert "had to restart" in nothing["text"]
    assert (nothing["state"], nothing["footer"]) == ("failed", "quick · not counted")
    assert something["text"].startswith("Forty")
    assert "had to restart" in something["text"]
    assert (something["state"], something["footer"]) == ("failed", "quick · conversation 1 of 10 today")
