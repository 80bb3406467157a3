"""`/admin` word for word: for operators alone, and in the audit log."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from bot.admin.asking import asking
from bot.admin.desk import Operators
from bot.admin.entering import entering
from bot.admin.finding import finding
from bot.admin.people import person_named
from bot.admin.rereading import rereading
from bot.commands import BY_NAME
from bot.front import Front, Request
from bot.typed import Typed, parse
from engine.audit import Actor, Deed, Entry, Origin
from engine.config import load_settings
from engine.domain import Person, Platform
from engine.entry import Entrance
from engine.facts import Mode
from engine.finding import Finding
from engine.reloading import Reloading
from engine.reports import Reports
from engine.settings import Settings
from engine.steering import Steering
from tests.bot.counter import simulated_counter
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture


@pytest.fixture
def front(hall: Hall) -> Front:
    """Alice operates the bot."""
    found = simulated_counter(hall.store, hall.clock).front(hall)
    reports = Reports(hall.store, hall.clock, found.members.wares, Mode.SIMULATED)
    found.operators = Operators((ALICE,), asking(Steering(hall.store, hall.clock, found.members, reports)))
    return found


async def says(front: Front, text: str, who: Person = ALICE) -> str:
    """The words of the reply to a typed command."""
    typed = parse(text)
    assert isinstance(typed, Typed)
    reply = (await front.run(Request(who, typed.command, typed.options, "local:1")))[-1]
    assert reply.private
    return reply.text


async def audit(hall: Hall) -> Sequence[Entry]:
    return await hall.store.read(lambda tx: tx.deeds(None, 10))


@pytest.mark.parametrize("part", [each.word for each in BY_NAME["admin"].parts])
async def test_nobody_but_an_operator_is_obeyed(hall: Hall, front: Front, part: str) -> None:
    typed = Typed(next(each for each in BY_NAME["admin"].parts if each.word == part), {"person": "@alice"})
    replies = await front.run(Request(BOB, typed.command, typed.options, "local:1", admin=True))
    assert replies[-1].text == "Only the operators of this bot may do that."
    assert not await audit(hall)


async def test_why_tells_a_tier_and_its_reason_and_is_written_down(hall: Hall, front: Front) -> None:
    told = await says(front, "/admin why @bob")
    assert "person                  local:bob" in told
    assert "reason                  no_subscription" in told
    (entry,) = await audit(hall)
    assert (entry.actor, entry.deed, entry.subject) == (
        Actor("local:alice", Origin.LOCAL),
        Deed.WHY,
        "local:bob",
    )


async def test_admin_alone_tells_the_stats_and_where_all_orders_are(front: Front) -> None:
    told = await says(front, "/admin")
    assert "MRR now" in told
    assert told.splitlines()[-1] == "`/admin help` lists all orders."
    assert "/admin block" in await says(front, "/admin help")


async def test_stats_tell_the_revenue_and_are_written_down(hall: Hall, front: Front) -> None:
    assert "MRR now" in await says(front, "/admin stats 7")
    (entry,) = await audit(hall)
    assert (entry.deed, entry.detail) == (Deed.STATS, "7 days")


async def test_a_name_that_is_no_person_is_explained(front: Front) -> None:
    assert await says(front, "/admin why bob") == (
        "'bob' is not a person: write discord:ID, slack:TEAM/ID or local:NAME."
    )


def test_a_mention_is_somebody_on_the_operators_own_platform() -> None:
    slack = Actor.in_chat(Person(Platform.SLACK, "T1", "U1"))
    assert person_named("<@U2|bob>", slack) == Person(Platform.SLACK, "T1", "U2")
    assert person_named("discord:7", slack) == Person(Platform.DISCORD, "", "7")


async def test_the_audit_log_is_read_newest_first_page_by_page(hall: Hall, front: Front) -> None:
    for day in range(1, 4):
        await says(front, f"/admin stats {day}")
    newest = await hall.store.read(lambda tx: tx.deeds(None, 2))
    assert [entry.detail for entry in newest] == ["3 days", "2 days"]
    (oldest,) = await hall.store.read(lambda tx: tx.deeds(newest[-1].number, 2))
    assert oldest.detail == "1 days"


async def test_a_link_into_the_dashboard_is_for_a_dm_alone(hall: Hall, front: Front) -> None:
    front.operators.orders.update(
        entering(Entrance(hall.store, hall.clock, (ALICE,), "https://chat.example"))
    )
    typed = parse("/admin dashboard")
    assert isinstance(typed, Typed)
    reply = (await front.run(Request(ALICE, typed.command, {}, "local:1")))[-1]
    assert (reply.text, reply.buttons) == ("A link to the dashboard is in your direct messages.", ())
    assert reply.direct
    assert reply.direct.private
    assert (reply.direct.buttons[0].url or "").startswith("https://chat.example/admin/enter?link=")


async def test_links_into_the_dashboard_are_limited_in_words(hall: Hall, front: Front) -> None:
    front.operators.orders.update(
        entering(Entrance(hall.store, hall.clock, (ALICE,), "https://chat.example"))
    )
    told = [await says(front, "/admin dashboard") for _ in range(6)]
    assert "5 links within 10 minutes" in told[-1]
    assert told[-2] == told[0]


async def test_signing_out_everywhere_is_told_by_number(hall: Hall, front: Front) -> None:
    entrance = Entrance(hall.store, hall.clock, (ALICE,), "https://chat.example")
    front.operators.orders.update(entering(entrance))
    for number, words in enumerate(
        ("You had no session,", "Your session is over,", "Your 2 sessions are over,")
    ):
        for _ in range(number):
            link = str(await entrance.link(Actor.in_chat(ALICE)))
            await entrance.enter(link.partition("=")[2])
        assert (await says(front, "/admin signout")).startswith(words)


async def test_members_are_found_in_words(hall: Hall, front: Front) -> None:
    front.operators.orders.update(finding(Finding(hall.store, hall.clock, front.members)))
    await hall.store.transact(lambda tx: tx.lock_account(BOB, hall.clock.now()))
    for text in ("@bob", "local:bob", "bob", "tier:free"):
        told = await says(front, f"/admin find {text}")
        assert re.search(r"local:bob +free +no_subscription +\$0\.00", told)
    assert (await says(front, "/admin find cus_nobody")).startswith("Nobody fits that. Members are found by")
    assert (await says(front, "/admin find tier:gold")).startswith("'gold' is no tier: write one of free,")


async def test_reading_the_configuration_anew_is_told_in_words(hall: Hall, front: Front) -> None:
    price = ["0"]

    def read() -> Settings:
        return load_settings({"ADMIN_IDS": "local:alice", "PORT": price[0]})

    front.operators.orders.update(rereading(Reloading(hall.store, hall.clock, read(), read)))
    assert await says(front, "/admin reload") == "Nothing that holds at once has changed."
    price[0] = "8099"
    assert "Needs a restart: HOST, PORT, APP_URL;" in await says(front, "/admin reload")
    price[0] = "many"
    assert "nothing has changed:\n- PORT:" in await says(front, "/admin reload")


async def test_help_lists_every_order_as_it_is_given(front: Front) -> None:
    told = (await says(front, "/admin help")).splitlines()
    assert len(told) == len(BY_NAME["admin"].parts)
    assert "- `/admin void <code>`: Make a gift code worthless that nobody has used." in told


async def test_why_is_for_reading(front: Front) -> None:
    told = await says(front, "/admin why @bob")
    assert re.search(r"\n  turns_per_conversation \d+\n", told)
    assert re.search(r"\n  conversations_per_day +0 of \d+, \d+ left\n", told)
    assert re.search(r"\n  cost_month +\$0\.00\b", told)
    assert "None" not in told
    assert "{" not in told
