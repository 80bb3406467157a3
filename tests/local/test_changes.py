"""Changing a subscription in the playground, over the fake Stripe's prices, schedules and declined cards."""

from __future__ import annotations

import asyncio

from engine.domain import Interval, TierName
from tests.engine.conftest import ALICE, BOB
from tests.fakes.pulse import PATIENCE
from tests.local.conftest import Json, Talk
from tests.money.conftest import Till


async def pressed(talk: Talk, message: Json, label: str) -> Json:
    """The answer to a button of a message."""
    action = next(each["action"] for each in message["buttons"] if each["label"].startswith(label))
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        await talk.bot.press(ALICE, message["id"], action)
        return await talk.ending(changes, message["id"])


async def test_the_month_becomes_a_year_at_once(talk: Talk, till: Till) -> None:
    await till.paid()
    offer = await talk.say("/upgrade premium year")
    assert offer["text"].startswith(
        "**Premium by the month → Premium by the year**, from now on.\nNow: $80.01"
    )
    assert (offer["kind"], offer["room"]) == ("private", "general")
    done = await pressed(talk, offer, "Confirm")
    assert done["text"].startswith("Done: **Premium** is yours from now on, for $89 a year.")
    (sub,) = await till.facts()
    assert (sub.tier, sub.interval, sub.quantity) == (TierName.PREMIUM, Interval.YEAR, 1)
    assert len(till.stripe.world.rows("subscription")) == 1


async def test_the_year_becomes_a_month_when_it_is_over_or_is_kept(talk: Talk, till: Till) -> None:
    await till.paid()
    await pressed(talk, await talk.say("/upgrade premium year"), "Confirm")
    offer = await talk.say("/upgrade premium month")
    assert "Now: nothing. Then $8.99 a month, from 24 November 2027." in offer["text"]
    assert (await pressed(talk, offer, "Confirm"))["text"].startswith(
        "Planned: **Premium** from 24 November 2027."
    )
    assert "Planned: Premium by the month, from 24 November 2027." in (await talk.say("/usage"))["text"]
    kept = await pressed(talk, await talk.say("/resume"), "Confirm")
    assert kept["text"] == "Done: your **Premium** subscription goes on as it is."
    assert "renews on 24 November 2027" in (await talk.say("/usage"))["text"]


async def test_a_cancellation_is_dated_and_taken_back(talk: Talk, till: Till) -> None:
    await till.paid()
    ended = await pressed(talk, await talk.say("/cancel"), "Confirm")
    assert "ends on 24 December 2026" in ended["text"]
    assert "ends on 24 December 2026" in (await talk.say("/usage"))["text"]
    await pressed(talk, await talk.say("/resume"), "Confirm")
    assert "renews on 24 December 2026" in (await talk.say("/usage"))["text"]


async def test_a_declined_card_leaves_the_month_until_the_invoice_is_paid(talk: Talk, till: Till) -> None:
    await till.paid()
    (sub,) = await till.facts()
    offer = await talk.say("/upgrade premium year")
    till.stripe.drive.refuse_cards(sub.customer)
    told = await pressed(talk, offer, "Confirm")
    assert "direct message" in told["text"]
    link = next(each for each in await talk.seen() if each["room"] == "dm" and "did not come" in each["text"])
    assert link["buttons"][0]["url"].startswith("http")
    (waiting,) = await till.facts()
    assert (waiting.interval, waiting.change_pending) == (Interval.MONTH, True)
    assert await till.tier() is TierName.PREMIUM
    till.stripe.drive.refuse_cards(sub.customer, refuse=False)
    till.stripe.drive.pay_invoice(waiting.open_invoice or "")
    await till.settle()
    assert (await till.facts())[0].interval is Interval.YEAR
    assert "Done" in (await pressed(talk, offer, "Confirm"))["text"]


async def test_nobody_else_sees_the_offer_or_can_press_it(talk: Talk, till: Till) -> None:
    await till.paid()
    await talk.say("/cancel")
    assert await talk.seen(BOB) == []
