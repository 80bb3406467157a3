"""A team in Slack: private replies in which people's names are shown, and an owner on Discord."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.reply import Reply
from bot.slack.blocks import of_reply
from bot.slack.home import sections
from engine.domain import Person, Platform, TierName
from engine.facts import Mode
from engine.teams import Invited, Teams
from tests.bot.counter import TIERS
from tests.engine.conftest import Hall
from tests.fakes.slack import ALICE, BOB, TEAM
from tests.slack.conftest import Stage, counter_of
from tests.slack.test_places import whispered

ANNA = Person(Platform.DISCORD, "", "100000000000000001")


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """All four tiers are for sale."""
    hall.catalogue = replace(
        hall.catalogue, tiers={**TIERS, TierName.FREE: hall.catalogue.tiers[TierName.FREE]}
    )
    return hall


async def test_a_team_is_filled_by_codes_and_emptied_by_mention(stage: Stage) -> None:
    slack = stage.slack
    await counter_of(stage.hall).buy(TierName.TEAM, person=Person(Platform.SLACK, TEAM, ALICE))
    await slack.slash(ALICE, "/team", "invite")
    code = re.search(r"/team join (\S+)`", await whispered(slack, ALICE, "Pass this on"))
    assert code
    await slack.slash(BOB, "/team", f"join {code[1]}")
    assert f"the team of <@{ALICE}>" in await whispered(slack, BOB, "Welcome")
    await slack.slash(ALICE, "/team", "")
    assert f"2. <@{BOB}>" in await whispered(slack, ALICE, "2 of 5 seats")
    await slack.slash(ALICE, "/team", f"remove @{slack.workspace.users[BOB].name}")
    assert "1 of 5 seats" in await whispered(slack, ALICE, "Done;")
    assert slack.transcript() == []


async def test_somebody_of_slack_joins_the_team_of_somebody_on_discord(stage: Stage) -> None:
    counter, slack = counter_of(stage.hall), stage.slack
    await counter.buy(TierName.TEAM, person=ANNA)
    teams = Teams(stage.hall.store, stage.hall.clock, counter.catalogue, Mode.SIMULATED)
    invited = await teams.invite(ANNA)
    assert isinstance(invited, Invited)
    await slack.slash(BOB, "/team", f"join {invited.code}")
    assert "the team of somebody on Discord" in await whispered(slack, BOB, "Welcome")
    await slack.slash(BOB, "/usage", "")
    assert "**Team** tier, by your seat" in await whispered(slack, BOB, "Seat in the team")


def test_people_are_named_only_in_private_replies_and_crowds_never() -> None:
    text = "<@U2345> and <!everyone>"
    shown = [
        str(of_reply(Reply(text, people=people, private=private)).blocks[0]["text"])
        for people, private in ((True, True), (True, False), (False, True))
    ]
    assert ["<@U2345>" in each for each in shown] == [True, False, False]
    assert not any("<!everyone>" in each for each in shown)
    assert sections("<@U2345>")[0]["text"]["text"] == "<@U2345>"
