"""A link into the dashboard on Discord: for its operator's eyes alone."""

from __future__ import annotations

import pytest

from bot.admin.desk import Operators
from bot.admin.entering import entering
from engine.domain import Person, Platform
from engine.entry import Entrance
from tests.discord.conftest import Stage

ADDRESS = "https://chat.example/admin/enter?link="


def operate(stage: Stage, user: str) -> None:
    """Let somebody be the operator."""
    people = (Person(Platform.DISCORD, "", str(stage.discord.world.user(user).id)),)
    entrance = Entrance(stage.hall.store, stage.hall.clock, people, "https://chat.example")
    stage.front.operators = Operators(people, entering(entrance))


async def test_discord_itself_offers_the_command_to_administrators_of_servers_alone(stage: Stage) -> None:
    known = stage.discord.commands["admin"]
    assert known["default_member_permissions"] == "0"
    assert (known["contexts"], known["integration_types"]) == ([0], [0])


async def test_the_link_comes_by_dm_and_never_into_the_channel(stage: Stage) -> None:
    operate(stage, "alice")
    used = stage.discord.slash("alice", "admin dashboard")
    shown = await stage.discord.answered(used)
    assert used.private()
    assert (shown.text, shown.buttons()) == ("A link to the dashboard is in your direct messages.", [])
    (link,) = await stage.told("alice")
    assert link.button("Open the dashboard")["url"].startswith(ADDRESS)
    assert ADDRESS not in repr([each.wire for each in stage.discord.transcript("general")])
    assert stage.discord.dms("bob") == []


@pytest.mark.parametrize("code", [50007, 50278])
async def test_with_closed_dms_only_the_operator_sees_it_where_it_was_asked_for(
    stage: Stage, code: int
) -> None:
    operate(stage, "alice")
    stage.discord.close_dms("alice", code)
    used = stage.discord.slash("alice", "admin dashboard")
    shown = await stage.discord.answered(used)
    assert used.private()
    assert shown.only_for == stage.discord.world.user("alice").id
    assert shown.button("Open the dashboard")["url"].startswith(ADDRESS)


async def test_whoever_is_no_operator_gets_none(stage: Stage) -> None:
    operate(stage, "alice")
    used = stage.discord.slash("bob", "admin dashboard")
    assert (await stage.discord.answered(used)).text == "Only the operators of this bot may do that."
    assert stage.discord.dms("bob") == []
