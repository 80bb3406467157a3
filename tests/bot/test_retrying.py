"""`/admin retry` word for word: what was given up, one or all of it tried again, and who did it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.console.arguments import command_line
from bot.console.household import Household
from bot.console.orders import WITHIN
from bot.front import Front
from engine.audit import Deed, Entry, Origin
from engine.facts import Mode
from engine.ledger import Tx
from engine.terms import DutyId
from tests.bot.test_announcing import front as front  # noqa: PLC0414 - a fixture
from tests.bot.test_announcing import house as house  # noqa: PLC0414 - a fixture
from tests.bot.test_announcing import presses, says
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture
from tests.storage.makers import duty

HOW = "Mend the cause, then `/admin retry ID` tries one of them again, and the button all of them."


async def give_up(hall: Hall, *names: str, why: str = "no right") -> None:
    """Let calls to Stripe be dead letters, one of another mode among them."""
    now = hall.clock.now()

    def work(tx: Tx) -> None:
        for name in names:
            tx.owe_duty(duty(name, mode=Mode.SIMULATED), now)
            tx.duty_dead(DutyId(name), why)
        tx.owe_duty(duty("elsewhere", mode=Mode.LIVE), now)
        tx.duty_dead(DutyId("elsewhere"), why)

    await hall.store.transact(work)


async def dead(hall: Hall) -> Sequence[str]:
    """What is still given up."""
    letters = await hall.store.read(lambda tx: tx.dead_letters(Mode.SIMULATED))
    return [each.id for each in letters]


async def audit(hall: Hall) -> Sequence[Entry]:
    return await hall.store.read(lambda tx: tx.deeds(None, 9))


async def test_what_was_given_up_is_listed_with_its_cause(hall: Hall, front: Front) -> None:
    await give_up(hall, "cancel:1", "cancel:2", why="no\n```right")
    shown = await says(front, "/admin retry")
    assert shown.private
    assert shown.text == (
        f"```\nduty cancel:1 after 0 tries: no '''right\nduty cancel:2 after 0 tries: no '''right\n```\n{HOW}"
    )
    assert [each.label for each in shown.buttons] == ["Try all again"]
    assert [each.deed for each in await audit(hall)] == [Deed.DEAD_LETTERS]


async def test_where_nothing_was_given_up_there_is_nothing_to_press(front: Front) -> None:
    shown = await says(front, "/admin retry")
    assert (shown.text, shown.buttons) == ("Nothing was given up.", ())
    assert (await says(front, "/admin retry all")).text == "Nothing was given up."


async def test_a_long_list_is_cut_and_says_so(hall: Hall, front: Front) -> None:
    await give_up(hall, *(f"cancel:{number:02}" for number in range(22)), why="x" * 2_000)
    told = (await says(front, "/admin retry")).text.splitlines()
    assert len(told) == 1 + 20 + 1 + 2
    assert told[21] == "and 2 more, on the dashboard's page Backlog"
    assert max(map(len, told)) <= 304


async def test_one_letter_is_tried_again_and_the_others_stay(hall: Hall, front: Front) -> None:
    await give_up(hall, "cancel:1", "cancel:2")
    told = await says(front, "/admin retry cancel:1")
    assert told.text == "1 will be tried again by the running bot."
    assert await dead(hall) == ["cancel:2"]
    (entry,) = await audit(hall)
    assert (entry.deed, entry.subject, entry.detail) == (Deed.RETRY, "cancel:1", "1 tried again")
    assert (entry.actor.name, entry.actor.origin) == (str(ALICE), Origin.LOCAL)


@pytest.mark.parametrize("typed", ["all", "ALL"])
async def test_all_letters_are_tried_again(hall: Hall, front: Front, typed: str) -> None:
    await give_up(hall, "cancel:1", "cancel:2")
    told = await says(front, f"/admin retry {typed}")
    assert told.text == "2 will be tried again by the running bot."
    assert await dead(hall) == []
    assert [(each.deed, each.subject) for each in await audit(hall)] == [(Deed.RETRY, "")]


async def test_an_id_that_nothing_has_is_told_and_nothing_is_tried(hall: Hall, front: Front) -> None:
    await give_up(hall, "cancel:1")
    told = await says(front, "/admin retry elsewhere")
    assert told.text == "Nothing that was given up has the id elsewhere; `/admin retry` lists what was."
    assert await dead(hall) == ["cancel:1"]


async def test_the_button_tries_all_again_for_operators_alone(hall: Hall, front: Front) -> None:
    await give_up(hall, "cancel:1", "cancel:2")
    shown = await says(front, "/admin retry")
    refused = await presses(front, shown, "again", BOB)
    assert refused.text == "Only the operators of this bot may do that."
    assert await dead(hall) == ["cancel:1", "cancel:2"]
    told = await presses(front, shown, "again")
    assert told.text == "2 will be tried again by the running bot."
    assert await dead(hall) == []


async def test_the_console_says_the_same(
    hall: Hall, house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    await give_up(hall, "cancel:1")
    for words, status in ((("cancel:9",), 2), (("cancel:1",), 0)):
        arguments = command_line().parse_args(["reconcile", "--retry-dead", *words])
        assert await WITHIN["reconcile"](arguments, house) == status
    told = capsys.readouterr()
    assert told.err == "Nothing that was given up has the id cancel:9; --dead lists what was.\n"
    assert told.out == "1 will be tried again by the running bot.\n"
