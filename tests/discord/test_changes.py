"""Changing a subscription on Discord: typed options, private offers, and whose buttons they are."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.domain import Interval, Person, Platform, TierName
from engine.facts import Subscription
from tests.bot.counter import TIERS, Counter
from tests.discord.conftest import PAGES, Stage, counter_of
from tests.engine.conftest import Hall
from tests.fakes.pulse import PATIENCE


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """All four tiers are for sale."""
    hall.catalogue = replace(
        hall.catalogue, tiers={**TIERS, TierName.FREE: hall.catalogue.tiers[TierName.FREE]}
    )
    return hall


def member(stage: Stage) -> Person:
    """Alice as the engine knows her."""
    return Person(Platform.DISCORD, "", stage.discord.world.user("alice").id)


async def bought(stage: Stage, tier: TierName = TierName.PREMIUM) -> Counter:
    """A counter at which Alice has bought a tier."""
    counter = counter_of(stage.hall)
    await counter.buy(tier, person=member(stage))
    return counter


async def test_an_upgrade_is_offered_and_confirmed_in_private(stage: Stage) -> None:
    counter = await bought(stage)
    used = stage.discord.slash("alice", "upgrade", {"tier": "pro"})
    offer = await stage.discord.answered(used)
    assert used.private()
    assert "**Premium → Pro**, from now on.\nNow: $41" in offer.text
    pressed = stage.discord.press("alice", offer, offer.button("Confirm")["custom_id"])
    assert "Done: **Pro** is yours" in (await stage.discord.answered(pressed)).text
    assert pressed.private()
    assert (await counter.subscription(member(stage))).tier is TierName.PRO
    assert stage.discord.dms("alice") == []


async def test_two_presses_at_once_change_it_once(stage: Stage) -> None:
    counter = await bought(stage)
    offer = await stage.discord.answered(stage.discord.slash("alice", "upgrade", {"tier": "pro"}))
    custom_id = offer.button("Confirm")["custom_id"]
    presses = [stage.discord.press("alice", offer, custom_id) for _ in range(2)]
    texts = [(await stage.discord.answered(each)).text for each in presses]
    assert all(text.endswith("`/usage` shows what it gives.") or "in a moment" in text for text in texts)
    sub: Subscription = await counter.subscription(member(stage))
    assert (sub.tier, sub.interval) == (TierName.PRO, Interval.MONTH)


async def test_another_members_press_changes_nothing(stage: Stage) -> None:
    counter = await bought(stage)
    offer = await stage.discord.answered(stage.discord.slash("alice", "cancel"))
    foreign = stage.discord.press("bob", offer, offer.button("Confirm")["custom_id"])
    assert "Only the one who asked" in (await stage.discord.answered(foreign)).text
    assert (await counter.subscription(member(stage))).cancel_at is None


async def test_seats_and_caps_are_numbers(stage: Stage) -> None:
    await bought(stage, TierName.TEAM)
    offer = await stage.discord.answered(stage.discord.slash("alice", "seats", {"count": 7}))
    assert "**Team: 5 → 7 seats**" in offer.text
    refused = await stage.discord.answered(
        stage.discord.slash("alice", "overage", {"switch": "on", "cap": 12.5})
    )
    assert "Only **Pro**" in refused.text


async def test_the_cap_is_read_as_dollars(stage: Stage) -> None:
    await bought(stage, TierName.PRO)
    offer = await stage.discord.answered(
        stage.discord.slash("alice", "overage", {"switch": "on", "cap": 12.5})
    )
    assert "never more than $12.50 in a month" in offer.text


async def test_the_invoice_of_a_declined_card_comes_by_dm(stage: Stage) -> None:
    counter = await bought(stage)
    offer = await stage.discord.answered(stage.discord.slash("alice", "upgrade", {"tier": "pro"}))
    await counter.refuse_card(member(stage))
    pressed = stage.discord.press("alice", offer, offer.button("Confirm")["custom_id"])
    assert "direct message" in (await stage.discord.answered(pressed)).text
    (told,) = await stage.told("alice")
    assert "You keep **Premium** as it is" in told.text
    assert told.button("Pay the invoice")["url"].startswith(PAGES)


async def test_a_cancellation_typed_in_a_dm_is_confirmed_there(stage: Stage) -> None:
    counter = await bought(stage)
    stage.discord.dm("alice", "/cancel")
    (offer,) = await stage.told("alice", 1, "ends on")
    pressed = stage.discord.press("alice", offer, offer.button("Confirm")["custom_id"])
    await asyncio.wait_for(stage.discord.answered(pressed), PATIENCE)
    assert (await counter.subscription(member(stage))).cancel_at is not None
