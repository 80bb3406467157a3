"""Time and misfortune played on the command line while the bot runs on simulated payments."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.processes.script import Meet, Script
from tests.program import Ended, called, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

THANKS = "tier is yours"
CHECKOUT = re.compile(r"http://[^\s\"')>]+/simulated/checkout/[^\s\"')>]+")


@dataclass(frozen=True, slots=True)
class Play:
    """A running bot, and a terminal beside it."""

    folder: Path
    url: str
    meet: Meet

    async def order(self, *words: str) -> Ended:
        """Play something on the command line."""
        ended = await called(self.folder, {}, "simulate", *words)
        assert "Traceback" not in ended.out + ended.err
        return ended

    async def buys(self, name: str) -> Script:
        """A member who has bought premium and was told so."""
        person = self.meet(self.url, name)
        await person.say("/upgrade premium month")
        seen = await person.until(lambda seen: CHECKOUT.search(str(seen)) is not None)
        (page,) = set(CHECKOUT.findall(str(seen)))
        pay = f"{self.url}/simulated/{page.partition('/simulated/')[2]}/pay"
        async with person.session.post(pay, allow_redirects=False) as paid:
            assert paid.status == 303
        await person.noticed(THANKS)
        return person


@pytest_asyncio.fixture(loop_scope="package")
async def play(tmp_path: Path, meet: Meet) -> AsyncIterator[Play]:
    """A bot without any account at Stripe."""
    async with running(tmp_path, {}) as program:
        yield Play(tmp_path, program.url, meet)
        assert await program.end() == 0


async def test_a_grace_ends_without_any_event_when_the_clock_is_moved_past_it(play: Play) -> None:
    alice = await play.buys("alice")
    failed = await play.order("fail-payment", "local:alice")
    assert (failed.code, failed.out.startswith("SIMULATED: ")) == (0, True)
    await alice.noticed("You keep your tier until")
    assert await alice.tier() == "premium"
    assert "past_due, unpaid since" in (await play.order("status", "local:alice")).out
    moved = await play.order("advance", "15d")
    assert re.fullmatch(r"SIMULATED: the clock says \d{4}-\d\d-\d\d \d\d:\d\d UTC now\.\n", moved.out)
    await alice.noticed("tier has ended")
    assert await alice.tier() == "free"
    recovered = await play.order("recover", "local:alice")
    assert (recovered.code, recovered.out.startswith("SIMULATED: ")) == (0, True)
    await alice.until(lambda seen: len([each for each in seen.values() if THANKS in each["text"]]) == 2)
    assert await alice.tier() == "premium"
