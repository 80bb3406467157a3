"""A link into the dashboard on Slack: for its operator's eyes alone."""

from __future__ import annotations

from bot.admin.desk import Operators
from bot.admin.entering import entering
from engine.domain import Person, Platform
from engine.entry import Entrance
from tests.fakes.slack import ALICE, BOB, TEAM
from tests.slack.conftest import Stage
from tests.slack.test_private_replies import private

ADDRESS = "https://chat.example/admin/enter?link="


def operate(stage: Stage) -> None:
    """Let Alice be the operator."""
    people = (Person(Platform.SLACK, TEAM, ALICE),)
    entrance = Entrance(stage.hall.store, stage.hall.clock, people, "https://chat.example")
    stage.front.operators = Operators(people, entering(entrance))


async def test_the_link_comes_by_dm_and_never_into_the_channel(stage: Stage) -> None:
    operate(stage)
    slack = stage.slack
    await slack.slash(ALICE, "/admin", "dashboard")
    (shown,) = await private(slack, ALICE)
    assert (shown.shown, shown.buttons) == ("A link to the dashboard is in your direct messages.", [])
    (link,) = slack.dms(ALICE)
    assert link.buttons[0]["url"].startswith(ADDRESS)
    assert slack.transcript() == slack.ephemerals(BOB) == slack.dms(BOB) == []


async def test_with_closed_dms_only_the_operator_sees_it_where_it_was_asked_for(stage: Stage) -> None:
    operate(stage)
    slack = stage.slack
    slack.faults.fail("conversations.open", "user_disabled", times=None)
    await slack.slash(ALICE, "/admin", "dashboard")
    (shown,) = await private(slack, ALICE)
    assert shown.buttons[0]["url"].startswith(ADDRESS)
    assert slack.transcript() == slack.ephemerals(BOB) == slack.dms(ALICE) == []


async def test_whoever_is_no_operator_gets_none(stage: Stage) -> None:
    operate(stage)
    await stage.slack.slash(BOB, "/admin", "dashboard")
    assert [each.shown for each in await private(stage.slack, BOB)] == [
        "Only the operators of this bot may do that."
    ]
    assert stage.slack.dms(BOB) == []
