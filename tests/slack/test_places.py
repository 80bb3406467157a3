"""What the admins of a workspace decide for it with `/server`, and what that refuses, in Slack."""

from __future__ import annotations

import pytest

from bot.slack.admins import manages
from bot.slack.workspace import Identity
from tests.fakes.slack import ALICE, BOB, GENERAL, OUTSIDE, FakeSlack
from tests.slack.conftest import Stage
from tests.slack.test_conversations import answered


async def whispered(slack: FakeSlack, user: str, words: str, count: int = 1) -> str:
    """What a member is told in private, once it has these words."""

    def found() -> str | None:
        seen = [m.shown for m in slack.ephemerals(user) if words in m.shown]
        return seen[-1] if len(seen) >= count else None

    return await slack.wait_for(found)


async def server(slack: FakeSlack, user: str, text: str, words: str) -> str:
    """What is told by a part of `/server`."""
    await slack.slash(user, "/server", text)
    return await whispered(slack, user, words)


@pytest.fixture
def slack(stage: Stage) -> FakeSlack:
    """A workspace in which Alice is an admin."""
    stage.slack.workspace.users[ALICE].ranks = frozenset({"is_admin"})
    return stage.slack


async def test_admins_choose_channels_and_questions_elsewhere_are_refused_with_the_right_ones(
    slack: FakeSlack, stage: Stage
) -> None:
    told = await server(slack, ALICE, "channels add #outside", "Changed.")
    assert f"Channels: <#{OUTSIDE}>\nModels: all" in told
    for ask in (lambda: slack.mention(BOB, GENERAL, "Hi"), lambda: slack.slash(BOB, "/ask", "Hi")):
        await ask()
    await whispered(slack, BOB, f"for other channels: <#{OUTSIDE}>.", 2)
    assert stage.model.seen == []
    assert all("<#" in m.text for m in slack.ephemerals(BOB))
    await slack.slash(BOB, "/ask", "Hi", channel=OUTSIDE)
    await answered(slack, OUTSIDE)
    await slack.dm(BOB, "Hi")
    await answered(slack, slack.workspace.dm(BOB).id)


async def test_in_a_thread_the_command_is_written_out(slack: FakeSlack) -> None:
    said = await slack.mention(ALICE, GENERAL, f"/server channels add <#{OUTSIDE}|outside>")
    assert f"<#{OUTSIDE}>" in await whispered(slack, ALICE, "Changed.")
    await slack.mention(ALICE, GENERAL, f"/server channels remove {OUTSIDE}", thread_ts=said.ts)
    await whispered(slack, ALICE, "Channels: all")


async def test_others_are_told_that_they_decide_nothing(slack: FakeSlack) -> None:
    for text in ("", "persona Be rude."):
        await server(slack, BOB, text, "Only the admins and owners of this workspace")
    told = await server(slack, ALICE, "show", "This holds here")
    assert "Persona: none" in told
    await server(slack, ALICE, "roles clear", "There are no roles here")
    dm = slack.workspace.dm(ALICE).id
    await slack.slash(ALICE, "/server", "show", channel=dm)
    await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "Discord server or in" in m.shown])


async def test_where_slack_does_not_say_who_is_an_admin_nothing_is_changed(slack: FakeSlack) -> None:
    slack.faults.fail("users.info", "internal_error", status=500, times=None)
    await server(slack, ALICE, "pool 0", "Please try again in a minute")
    slack.faults.fail("users.info", "missing_scope", times=None)
    await server(slack, ALICE, "pool 0", "the operator has been told")


async def test_the_pool_of_a_workspace_is_for_all_its_free_members(slack: FakeSlack) -> None:
    await server(slack, ALICE, "pool 1", "1 conversation a day; today it was 0")
    await slack.mention(ALICE, GENERAL, "Hi")
    await answered(slack, GENERAL)
    await slack.mention(BOB, GENERAL, "Hi")
    await whispered(slack, BOB, "today's last conversation here")


async def test_models_that_may_not_answer_are_marked_where_a_place_is_known(slack: FakeSlack) -> None:
    await server(slack, ALICE, "models add spare", "Models: `spare`")
    await slack.slash(BOB, "/model")
    told = await whispered(slack, BOB, "**quick**")
    assert [line.endswith("not here") for line in told.splitlines() if "**" in line] == [True, False, True]
    message = next(m for m in slack.ephemerals(BOB) if "**quick**" in m.shown)
    assert "press:model:quick" not in {button["action_id"] for button in message.buttons}
    said = await slack.say(ALICE, GENERAL, "The sky is green.")
    await slack.shortcut(BOB, said.message)
    window = await slack.window(BOB)
    field = next(each for each in window.view["blocks"] if each.get("block_id") == "model")
    assert [each["value"] for each in field["element"]["options"]] == ["spare"]
    await slack.mention(BOB, GENERAL, "/ask model:quick Hi")
    await whispered(slack, BOB, "These may: `spare`")
    await slack.slash(BOB, "/model", channel=slack.workspace.dm(BOB).id)
    await slack.wait_for(lambda: [m for m in slack.ephemerals(BOB) if "⚪ **spare**" in m.shown])


ADMIN = {"team_id": "T1", "is_admin": True}
GRID = {"enterprise_id": "E1", "teams": ["T1", "T2"]}


@pytest.mark.parametrize(
    ("user", "workspace", "organisation"),
    [
        ({"team_id": "T1"}, False, False),
        (ADMIN, True, False),
        ({"team_id": "T1", "is_primary_owner": True}, True, False),
        ({**ADMIN, "team_id": "T9"}, False, False),
        ({**ADMIN, "team_id": "T2", "enterprise_user": GRID}, True, False),
        ({**ADMIN, "enterprise_user": {**GRID, "is_owner": True}}, True, True),
        ({**ADMIN, "enterprise_user": {**GRID, "enterprise_id": "E9", "is_owner": True}}, True, False),
    ],
)
def test_a_whole_organisation_is_managed_by_its_own_admins_alone(
    user: dict[str, object], *, workspace: bool, organisation: bool
) -> None:
    assert manages(user, Identity("T1", "U1", "B1")) is workspace
    assert manages(user, Identity("E1", "U1", "B1", org_wide=True)) is organisation
