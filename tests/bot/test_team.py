"""`/team` word for word, over the simulated Stripe."""

from __future__ import annotations

import re

import pytest

from bot.front import Front, Request
from bot.people import named
from bot.reply import Reply
from bot.typed import BadOption, Typed, parse
from engine.domain import Person, Platform, TierName
from tests.bot.counter import Counter, simulated_counter
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture

CAROL = Person(Platform.LOCAL, "", "carol")
ANNA = Person(Platform.DISCORD, "", "1001")
BERT = Person(Platform.DISCORD, "", "1002")
SUE = Person(Platform.SLACK, "T1", "U2345")


class Desk:
    """Commands as they are typed, at a counter with all four tiers."""

    def __init__(self, counter: Counter, front: Front) -> None:
        self.counter = counter
        self.front = front
        self.last = Reply("")

    async def says(self, text: str, who: Person = ALICE) -> str:
        """The words of the reply to a typed command."""
        typed = parse(text)
        assert isinstance(typed, Typed)
        self.last = (await self.front.run(Request(who, typed.command, typed.options, "local:1")))[-1]
        assert self.last.private
        return self.last.text

    async def code(self, who: Person = ALICE) -> str:
        """A new code, as it is passed on."""
        found = re.search(r"/team join [A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", await self.says("/team invite", who))
        assert found
        return found[0]


@pytest.fixture
async def desk(hall: Hall) -> Desk:
    """Alice has bought a team."""
    counter = simulated_counter(hall.store, hall.clock)
    hall.catalogue = counter.catalogue
    await counter.buy(TierName.TEAM)
    return Desk(counter, counter.front(hall))


async def test_a_team_from_the_invitation_to_the_removal(desk: Desk) -> None:
    assert (await desk.says("/team")).startswith("Your team: 1 of 5 seats taken.\n1. you")
    assert desk.last.buttons[0].action == "team:invite"
    code = await desk.code()
    assert "good until 1 December 2026" in desk.last.text
    assert f"> Join my team: send `{code}` to the bot" in desk.last.text
    assert await desk.says(code, BOB) == (
        "Welcome: you have a seat now.\nYou have a seat in the team of @alice, who pays for it.\n"
        "Of the team's budget for this month you used 0 %. Your share is 50 %; with what others have left "
        "so far you can come to 89 %.\n"
        "The owner sees how much you use, never what you write. `/team leave` gives the seat back."
    )
    assert "2 of 5 seats taken" in await desk.says("/team show")
    assert "2. @bob · 0 % of the month's budget · 0 conversations this month" in desk.last.text
    assert "Nobody in your team" in await desk.says("/team remove @carol")
    assert "Done; the seat is free" in await desk.says("/team remove @bob")
    assert "@bob" not in desk.last.text
    assert "You have no team" in await desk.says("/team leave", BOB)


async def test_the_button_invites_like_the_command(desk: Desk) -> None:
    replies = await desk.front.press(ALICE, "team:invite")
    assert "/team join" in replies[-1].text
    assert "You have no team" in (await desk.front.press(BOB, "team:invite"))[-1].text


async def test_usage_says_whose_seat_it_is_and_plans_still_sell(desk: Desk) -> None:
    await desk.says(await desk.code(), BOB)
    usage = await desk.says("/usage", BOB)
    assert usage.startswith("**Team** tier, by your seat in a team\nSeat in the team of @alice:")
    assert "Seats:" not in usage
    await desk.says("/plans", BOB)
    assert [button.label for button in desk.last.buttons] == ["Pro: $49.99 a month"]
    link = (await desk.front.affairs.buy(BOB, "premium", None)).direct
    assert link is not None
    assert "$8.99 a month" in link.text


async def test_a_member_of_a_team_cannot_change_the_owners_subscription(desk: Desk) -> None:
    await desk.says(await desk.code(), BOB)
    before = await desk.counter.subscription()
    for text in ("/cancel", "/seats 9", "/resume", "/billing", "/overage on 20"):
        await desk.says(text, BOB)
        assert not [each for each in desk.last.buttons if (each.action or "").startswith("confirm")]
    assert await desk.counter.subscription() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/team invite", "You have no team. `/upgrade team` buys one"),
        ("/team leave", "You have no team"),
        ("/team show", "You have no team"),
        ("/team join ABCD", "opens no team"),
        ("/team join", "opens no team"),
        ("/team remove 2", "You have no team"),
        ("/team remove", "Say whom, by mention or by the number"),
    ],
)
async def test_what_cannot_be_done_is_told_with_what_can(desk: Desk, text: str, words: str) -> None:
    assert words in await desk.says(text, CAROL)


def test_people_are_named_by_mention_or_by_number() -> None:
    for text, options in {
        "/team remove 3": {"number": "3"},
        "/team remove <@123456789012345678>": {"member": "123456789012345678"},
        "/team remove <@!123456789012345678>": {"member": "123456789012345678"},
        "/team remove <@U0AB1CD|bert>": {"member": "U0AB1CD"},
        "/team remove @Bob": {"member": "Bob"},
    }.items():
        typed = parse(text)
        assert isinstance(typed, Typed)
        assert typed.options == options
    assert isinstance(parse("/team remove somebody"), BadOption)
    assert isinstance(parse("/team sell"), BadOption)


def test_people_are_called_as_the_viewers_platform_shows_them() -> None:
    assert named(ANNA, BERT) == "<@1001>"
    assert named(SUE, Person(Platform.SLACK, "T1", "U9")) == "<@U2345>"
    assert named(SUE, Person(Platform.SLACK, "T2", "U9")) == "somebody on Slack (`U2345`)"
    assert named(ANNA, SUE) == "somebody on Discord (`1001`)"
    assert named(ALICE, BOB) == "@alice"
    assert named(BOB, BOB) == "you"
