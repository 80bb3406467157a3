"""SIGHUP: what is written down anew holds from the next question, and no answer is dropped for it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.intake import Source
from bot.reply import Reply
from engine.domain import Ask, Person, Platform, TierName, TurnId
from engine.files import FileFault
from engine.models import Message, Role
from engine.opening import SystemClock
from gate.configuration import configured
from gate.house import open_house
from storage.store import migrate
from tests.fakes.vendor_wire import Count
from tests.fakes.vendors import FakeVendors, Script
from tests.processes.script import Meet
from tests.processes.script import Message as Shown
from tests.processes.shop import WIRE, house, says
from tests.program import Program, running

pytestmark = pytest.mark.asyncio(loop_scope="package")

OPERATOR = "olga"
OLGA = Person(Platform.LOCAL, "", OPERATOR)


MORE = """
[moderation]
check = "words"
words = ["x"]
[summaries]
on = false
"""


class Unfetched:
    """Has no file."""

    async def fetch(self, source: Source, most: int) -> bytes | FileFault:
        """Say so."""
        raise AssertionError(f"{source.name} is not to be fetched, nor {most} bytes of it")


async def told(meet: Meet, program: Program, words: str) -> Shown:
    """A message with these words that the operator got."""
    seen = await meet(program.url, OPERATOR).until(
        lambda messages: any(words in each["text"] for each in messages.values())
    )
    return next(each for each in seen.values() if words in each["text"])


@dataclass(frozen=True, slots=True)
class Desktop:
    """A house whose files are edited while it runs; its first answer waits for `go`."""

    folder: Path
    vendors: FakeVendors
    shipped: str
    go: asyncio.Event

    def write(self, program: Program, text: str) -> None:
        """Edit the configuration and say so."""
        (self.folder / "config.toml").write_text(text)
        program.tell(signal.SIGHUP)

    def key(self, key: str) -> None:
        """Change the vendor's key."""
        (self.folder / "near-key").write_text(key)

    def improve(self, program: Program) -> None:
        """Another prompt, model and key, and what needs a restart."""
        self.key("near-key-two-fake")
        (self.folder / ".env").write_text("PG_PREPARED_STATEMENTS=off\n")
        text = self.shipped.replace("You answer members", "You sing to members")
        self.write(program, text.replace("quick", "swift"))

    def asked(self) -> list[tuple[str, object, bool]]:
        """With which key the vendor was asked, for which model, and whether to sing."""
        return [
            (each.headers["Authorization"], each.body["model"], "You sing" in json.dumps(each.body))
            for each in self.vendors.asked
        ]


@asynccontextmanager
async def editing(tmp_path: Path, vendors: FakeVendors) -> AsyncIterator[tuple[Desktop, Program]]:
    """A house that runs."""
    variables = house(tmp_path, vendors)
    del variables["NEAR_API_KEY"]
    desktop = Desktop(tmp_path, vendors, (tmp_path / "config.toml").read_text(), asyncio.Event())
    desktop.key("near-key-one-fake")
    vendors.asked.clear()
    first: Script = [WIRE.start(Count()), WIRE.word("Forty"), desktop.go, *says("-two.")[1:]]
    vendors.plays(first, says("Six."))
    more = {"NEAR_API_KEY_FILE": str(tmp_path / "near-key"), "ADMIN_IDS": str(OLGA)}
    async with running(tmp_path, {**variables, **more}) as program:
        yield desktop, program
    assert "near-key" not in program.said
    assert "Traceback" not in program.said


async def test_a_good_file_holds_from_the_next_question_and_a_wrong_one_changes_nothing(
    tmp_path: Path, meet: Meet, vendors: FakeVendors
) -> None:
    async with editing(tmp_path, vendors) as (desktop, program):
        alice, bob = meet(program.url, "alice"), meet(program.url, "bob")
        asked = await alice.say("/ask What is 6 times 7?")
        await alice.until(lambda seen: any(each["text"] == "Forty" for each in seen.values()))

        desktop.improve(program)
        await program.heard("some of it needs a restart")
        assert "DATABASE_URL, PG_PREPARED_STATEMENTS" in program.said
        assert (await bob.answer("/ask What is 2 times 3?"))["footer"].startswith("swift")

        desktop.write(program, desktop.shipped.replace("output = 0.04", "output = nan, colour = 1"))
        alert = await told(meet, program, "was read anew and refused")
        assert "colour: unknown key" in alert["text"]
        assert "finite number" in alert["text"]
        await program.heard("configuration refused; nothing has changed")
        assert (await bob.answer("/ask What is 3 times 2?"))["footer"].startswith("swift")

        desktop.go.set()
        answer = (await alice.answers([asked]))[asked]
        assert (answer["text"], answer["state"]) == ("Forty-two.", "done")
        assert answer["footer"].startswith("quick")
        assert await program.end() == 0
    later = ("Bearer near-key-two-fake", "swift-1", True)
    assert desktop.asked() == [("Bearer near-key-one-fake", "quick-1", False), later, later]


async def test_everything_that_may_change_is_taken_over_by_every_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendors: FakeVendors
) -> None:
    for name, value in house(tmp_path, vendors).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config.toml"
    await migrate(f"sqlite:///{tmp_path}/chat.db", SystemClock())
    async with open_house(configured()) as opened:
        before = opened.reloading.settings
        text = (
            config.read_text()
            .replace("welcome = true", "welcome = false")
            .replace("free_day = 5.0", "bot_month = 1.0")
        )
        text = text.replace("conversations_per_day = 10", "conversations_per_day = 7")
        text = text.replace("max_files = 4", "max_files = 1").replace(
            "price_month = 8.99", "price_month = 9.99"
        )
        text = text.replace('demo_models = "auto"', 'demo_models = "always"').replace(
            "trial_days = 0", "trial_days = 9"
        )
        config.write_text(text + MORE)
        monkeypatch.setenv("ADMIN_IDS", f"local:{OPERATOR}")
        assert (await opened.reloading.reload()).taken
        now, desk = opened.reloading.settings, opened.chat.desk
        assert now.ceilings.bot_month == desk.ceilings.bot_month == 1_000_000
        assert not desk.summaries.on
        assert desk.catalogue.tiers[TierName.FREE].conversations_per_day == 7
        assert "demo" in opened.models
        assert desk.catalogue.tiers[TierName.PREMIUM].price_month == 9_990_000
        assert opened.chat.moderating.inspection(TurnId("t"), Message(Role.USER, "x")) is not None
        ask, files = Ask("k", OLGA, "Look"), [Source("a.txt", "text/plain", 1, "")] * 2
        assert isinstance(await opened.front.intake.take(ask, files, Unfetched()), Reply)
        assert (before.welcome, opened.front.welcomes) == (True, False)
        assert opened.office.alarms.audience.people == (OLGA,)
        assert now.billing == before.billing
        assert replace(now, billing=before.billing) == now
