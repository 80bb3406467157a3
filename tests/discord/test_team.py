"""A team on Discord: codes for one pair of eyes, in servers and in direct messages, and members of Slack."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from engine.domain import Person, Platform, TierName
from engine.facts import Mode
from engine.teams import Roster, Teams
from tests.bot.counter import TIERS
from tests.discord.conftest import Stage, counter_of
from tests.engine.conftest import Hall

SUE = Person(Platform.SLACK, "T1", "U2345")


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """All four tiers are for sale."""
    hall.catalogue = replace(
        hall.catalogue, tiers={**TIERS, TierName.FREE: hall.catalogue.tiers[TierName.FREE]}
    )
    return hall


async def team(
    stage: Stage, part: str, options: dict[str, Any] | None = None, user: str = "alice", *, dm: bool = False
) -> str:
    """What somebody is told by a part of `/team`, in private."""
    used = stage.discord.slash(user, f"team {part}", options, dm=dm)
    text = (await stage.discord.answered(used)).text
    assert used.private()
    return text


async def test_a_team_is_filled_by_codes_and_emptied_by_mention(stage: Stage) -> None:
    world = stage.discord.world
    alice, bob = world.user("alice").id, world.user("bob").id
    counter = counter_of(stage.hall)
    await counter.buy(TierName.TEAM, person=Person(Platform.DISCORD, "", alice))
    code = re.search(r"/team join (\S+)`", await team(stage, "invite"))
    assert code
    assert f"the team of <@{alice}>" in await team(stage, "join", {"code": code[1]}, "bob", dm=True)
    second = re.search(r"/team join (\S+)`", await team(stage, "invite", dm=True))
    assert second
    teams = Teams(stage.hall.store, stage.hall.clock, counter.catalogue, Mode.SIMULATED)
    assert isinstance(await teams.join(SUE, second[1]), Roster)
    shown = await team(stage, "show")
    assert f"2. <@{bob}>" in shown
    assert "3. somebody on Slack (`U2345`)" in shown
    assert "2 of 5 seats taken" in await team(stage, "remove", {"member": "bob"})
    assert "1 of 5 seats taken" in await team(stage, "remove", {"number": 3})
    assert "You have no team" in await team(stage, "leave", user="bob")


async def test_the_command_is_there_for_everybody_and_everywhere(stage: Stage) -> None:
    known = stage.discord.commands["team"]
    assert [part["name"] for part in known["options"]] == ["show", "invite", "join", "leave", "remove"]
    assert known["default_member_permissions"] is None
    assert sorted(known["contexts"]) == [0, 1, 2]
