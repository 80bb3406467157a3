"""Announcements word for word: what operators are shown before one goes out, and how members hear no more."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.admin.announcing import begun
from bot.admin.office import Office
from bot.announcing import framed
from bot.console import orders
from bot.console.arguments import command_line
from bot.console.household import Household
from bot.front import Front, Request
from bot.local.surface import LocalBot
from bot.reply import Reply
from bot.typed import Typed, parse
from bot.words import LANGUAGES, speaking
from engine.announcements import Announcement, Audience, Stage
from engine.announcing import LONGEST
from engine.domain import Person, Platform
from tests.bot.counter import simulated_counter
from tests.bot.house import household
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.engine.test_announcing import meet
from tests.fakes.clock import NOON

WORDS = "**Maintenance** tonight.\n\nAt 8, for an hour."


@pytest.fixture
def house(hall: Hall) -> Household:
    """Everything that operators have; Alice is one."""
    return household(hall, simulated_counter(hall.store, hall.clock).front(hall))


@pytest.fixture
def front(hall: Hall, house: Household) -> Front:
    """The bot, which Alice operates."""
    found = simulated_counter(hall.store, hall.clock).front(hall)
    found.operators = house.office.operators
    return found


async def says(front: Front, text: str, who: Person = ALICE) -> Reply:
    """The reply to a typed command."""
    typed = parse(text)
    assert isinstance(typed, Typed)
    return (await front.run(Request(who, typed.command, typed.options, "local:1")))[-1]


async def presses(front: Front, reply: Reply, label: str, who: Person = ALICE) -> Reply:
    """The reply to a button."""
    action = next(each.action for each in reply.buttons if label in each.label)
    assert action
    return (await front.press(who, action))[-1]


async def ordered(house: Household, *words: str) -> int:
    """The exit status of a command of the console."""
    arguments = command_line().parse_args(words)
    return await orders.WITHIN[arguments.command](arguments, house)


async def deliver(hall: Hall, office: Office, front: Front) -> Sequence[str]:
    """Send what is due in the playground; what Bob sees there."""
    bot = LocalBot(front, hall.store, hall.clock)
    office.announcing.criers[Platform.LOCAL] = bot
    for _ in range(9):
        hall.clock.advance(timedelta(seconds=1))
        await office.announcing.gather()
        await office.announcing.work()
    return [str(message["text"]) for message in await bot.messages(BOB, 50)]


async def test_an_operator_sees_what_goes_to_how_many_and_confirms_it_once(
    hall: Hall, house: Household, front: Front
) -> None:
    await meet(hall, ALICE, BOB)
    await says(front, "/announcements off")
    shown = await says(front, f"/admin announce {WORDS}")
    assert shown.private
    assert shown.text == (
        "This goes by direct message to 1 member; 1 more has switched announcements off:\n\n" + framed(WORDS)
    )
    assert [button.label for button in shown.buttons] == ["Send to 1 member", "Not now"]
    assert await deliver(hall, house.office, front) == []
    sent = await presses(front, shown, "Send")
    assert sent.text.endswith(" goes out to 1 member, one after the other.")
    assert (await presses(front, shown, "Send")).text.startswith("That draft is no more")
    assert await deliver(hall, house.office, front) == [framed(WORDS)]
    listed = (await says(front, "/admin announce")).text
    assert "sending 2026-11-24 12:00  1 sent, 1 opted out  **Maintenance** tonight. At 8" in listed


async def test_nobody_but_an_operator_can_send_a_draft(hall: Hall, house: Household, front: Front) -> None:
    await meet(hall, BOB)
    shown = await says(front, "/admin announce Hello")
    assert (await presses(front, shown, "Send", BOB)).text == "Only the operators of this bot may do that."
    assert await deliver(hall, house.office, front) == []
    assert (await front.press(ALICE, "admin:nothing:1"))[-1].text == "This button is no longer in use."
    assert (await presses(front, shown, "Not now")).text == "Everything stays as it is."


async def test_an_operator_stops_it_by_a_button(hall: Hall, house: Household, front: Front) -> None:
    await meet(hall, ALICE, BOB)
    sent = await presses(front, await says(front, "/admin announce Hello"), "Send")
    listed = await says(front, "/admin announce")
    assert (await presses(front, listed, "Stop")).text.endswith("goes to nobody more.")
    assert (await presses(front, sent, "Stop")).text.endswith("is not being sent.")
    assert await deliver(hall, house.office, front) == []


async def test_what_goes_to_nobody_has_no_button(front: Front) -> None:
    shown = await says(front, "/admin announce Hello")
    assert shown.text.startswith("This would go to nobody.")
    assert shown.buttons == ()
    assert "1 to 1800 characters" in (await says(front, f"/admin announce {'x' * 1801}")).text
    assert "Nothing was announced." in (await says(front, "/admin announce")).text


async def test_members_switch_announcements_off_and_on(hall: Hall, front: Front) -> None:
    assert (await says(front, "/announcements", BOB)).text.startswith("The operator of this bot may tell you")
    off = await says(front, "/announcements off", BOB)
    assert off.text.startswith("You get no announcements.")
    assert (await presses(front, off, "Get", BOB)).text.startswith("The operator of this bot may tell you")
    assert (await front.press(BOB, "announcements:off"))[-1].text == off.text
    account = await hall.store.read(lambda tx: tx.find_account(BOB))
    assert account
    assert not account.announcements


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_is_one_message_in_every_language(language: str) -> None:
    with speaking(language):
        assert len(framed("x" * LONGEST)) <= 2000


async def test_the_console_shows_it_first_and_sends_it_with_yes(
    hall: Hall, house: Household, front: Front, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await meet(hall, BOB)
    text = tmp_path / "text.md"
    text.write_text(WORDS)
    assert await ordered(house, "announce", "--file", str(text), "--dry-run") == 0
    assert capsys.readouterr().out == f"This goes by direct message to 1 member:\n\n{framed(WORDS)}\n\n"
    assert await ordered(house, "announcements") == 0
    assert capsys.readouterr().out == "Nothing was announced.\n"
    assert await ordered(house, "announce", "--file", str(text), "--yes", "--tier", "free") == 0
    assert "The running bot sends it" in capsys.readouterr().out
    assert await deliver(hall, house.office, front) == [framed(WORDS)]
    assert await ordered(house, "announcements", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["stage"], row["text"], row["members"]) == ("sending", WORDS, {"sent": 1})
    assert await ordered(house, "announce", "--stop", row["id"]) == 0
    assert await ordered(house, "announce", "--stop", row["id"]) == 1


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("Y\n", 0), ("\n", 1), ("no\n", 1)])
async def test_the_console_asks_whoever_is_there(
    hall: Hall, house: Household, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    await meet(hall, BOB)
    asked = io.StringIO(answer)
    monkeypatch.setattr(asked, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", asked)
    assert await ordered(house, "announce", "Hello") == status
    assert len(await house.office.announcing.progress()) == (1 if status == 0 else 0)


async def test_where_nobody_can_be_asked_nothing_is_sent_without_yes(
    hall: Hall, house: Household, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await meet(hall, BOB)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert await ordered(house, "announce", "Hello") == 2
    assert "add --yes" in capsys.readouterr().err
    assert await ordered(house, "announce", "Hello", "--tier", "pro") == 1
    assert await ordered(house, "announce") == 2
    assert await ordered(house, "announce", "Hello", "--file", "/nowhere") == 2
    assert await ordered(house, "announce", "--file", "/nowhere") == 2
    assert await house.office.announcing.progress() == []


@pytest.mark.parametrize("words", ["--tier gold", "--platform irc", "--active-days 0"])
def test_an_audience_that_is_none_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line().parse_args(["announce", "Hello", *words.split()])
    assert "announce: error" in capsys.readouterr().err


def test_many_are_told_of_in_the_plural() -> None:
    found = Announcement("a1", "Hi", "console:root", Audience(), NOON, 2, Stage.SENDING)
    assert begun(found) == "Announcement a1 goes out to 2 members, one after the other."
