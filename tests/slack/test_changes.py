"""Changing a subscription in Slack: private offers, double presses, and both surfaces at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.changes import Confirmed, Proposed
from engine.domain import Person, Platform, TierName
from engine.terms import ChangeKind, ChangeState
from tests.bot.counter import TIERS, Counter
from tests.engine.conftest import Hall
from tests.fakes.slack import ALICE, BOB, TEAM
from tests.slack.conftest import PAGES, Stage, counter_of
from tests.slack.test_private_replies import button, private

MEMBER = Person(Platform.SLACK, TEAM, ALICE)


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """All four tiers are for sale."""
    hall.catalogue = replace(
        hall.catalogue, tiers={**TIERS, TierName.FREE: hall.catalogue.tiers[TierName.FREE]}
    )
    return hall


async def bought(stage: Stage, tier: TierName = TierName.PREMIUM) -> Counter:
    """A counter at which Alice has bought a tier."""
    counter = counter_of(stage.hall)
    await counter.buy(tier, person=MEMBER)
    return counter


async def test_an_upgrade_is_offered_and_confirmed_in_private(stage: Stage) -> None:
    counter, slack = await bought(stage), stage.slack
    await slack.slash(ALICE, "/upgrade", "pro")
    offer = (await private(slack, ALICE))[0]
    assert "**Premium → Pro**, from now on.\nNow: $41" in offer.shown
    await slack.press(ALICE, offer, button(offer, "Confirm"))
    assert "Done: **Pro** is yours" in (await private(slack, ALICE, 2))[1].shown
    assert (await counter.subscription(MEMBER)).tier is TierName.PRO
    assert slack.transcript() == slack.ephemerals(BOB) == []


async def test_pressed_twice_the_change_is_told_twice_and_made_once(stage: Stage) -> None:
    counter, slack = await bought(stage), stage.slack
    await slack.slash(ALICE, "/seats", "7")
    await slack.slash(ALICE, "/upgrade", "pro")
    offer = next(each for each in await private(slack, ALICE, 2) if "Pro" in each.shown)
    for _ in range(2):
        await slack.press(ALICE, offer, button(offer, "Confirm"))
    told = await private(slack, ALICE, 4)
    assert len([each for each in told if "Done: **Pro**" in each.shown or "in a moment" in each.shown]) == 2
    assert (await counter.subscription(MEMBER)).tier is TierName.PRO


async def test_seats_that_are_no_number_are_answered_with_the_usage(stage: Stage) -> None:
    await stage.slack.slash(ALICE, "/seats", "many")
    assert "/seats <count>" in (await private(stage.slack, ALICE))[0].shown


async def test_the_invoice_of_a_declined_card_comes_by_dm(stage: Stage) -> None:
    counter, slack = await bought(stage), stage.slack
    await slack.slash(ALICE, "/upgrade", "pro")
    offer = (await private(slack, ALICE))[0]
    await counter.refuse_card(MEMBER)
    await slack.press(ALICE, offer, button(offer, "Confirm"))
    assert "direct message" in (await private(slack, ALICE, 2))[1].shown
    invoice = slack.dms(ALICE)[-1]
    assert "You keep **Premium** as it is" in invoice.shown
    assert invoice.buttons[0]["url"].startswith(PAGES)


async def test_a_change_confirmed_here_while_another_is_confirmed_elsewhere_is_done_once(
    stage: Stage,
) -> None:
    counter, slack = await bought(stage), stage.slack
    await slack.slash(ALICE, "/upgrade", "pro")
    offer = (await private(slack, ALICE))[0]
    other = await counter.changes.propose(MEMBER, ChangeKind.SWITCH, TierName.TEAM)
    assert isinstance(other, Proposed)
    _, outcome = await asyncio.gather(
        slack.press(ALICE, offer, button(offer, "Confirm")),
        counter.changes.confirm(MEMBER, other.proposal.id),
    )
    said = (await private(slack, ALICE, 2))[1].shown
    assert isinstance(outcome, Confirmed)
    here, there = "Done" in said or "moment" in said, outcome.result.state is ChangeState.DONE
    assert here != there
    assert (await counter.subscription(MEMBER)).tier is (TierName.PRO if here else TierName.TEAM)
