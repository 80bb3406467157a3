"""A member of a Slack workspace from the first question to the end of what was paid for, and back."""

from __future__ import annotations

import asyncio

import pytest

from bot.slack.manifest import manifest
from engine.domain import Person, Platform
from tests.fakes.pulse import PATIENCE
from tests.fakes.slack import ALICE, GENERAL, TEAM, FakeSlack, Message
from tests.journeys.conftest import Shop
from tests.program import running


def workspace(shop: Shop, mode: str) -> FakeSlack:
    """A workspace with the app installed, over Socket Mode or signed HTTP."""
    if mode == "socket":
        return FakeSlack(manifest=manifest(None))
    url = f"http://127.0.0.1:{shop.port}/slack/events"
    return FakeSlack(manifest=manifest("https://bot.test"), events_url=url)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_member_of_slack_asks_pays_and_leaves(shop: Shop, mode: str) -> None:
    async with workspace(shop, mode) as slack, running(shop.folder, {**shop.variables, **slack.variables}):
        await slack.connected()
        refused = await use_up_what_is_free(slack)
        notice = await buy(slack, shop, refused)
        await shop.explains(Person(Platform.SLACK, TEAM, ALICE))
        await enjoy_premium(slack, notice)
        shop.cancel()
        assert "Premium** tier has ended" in (await told(slack, 4)).shown
        await buy_with_closed_dms(slack, shop)
        assert slack.findings == []


async def use_up_what_is_free(slack: FakeSlack) -> Message:
    """Ask by mention and go on in the thread, ask by command, and ask once too often; the refusal."""
    said = await slack.mention(ALICE, GENERAL, "I am called Ada.")
    await answer(slack, "conversation 1 of 2 today")
    await slack.mention(ALICE, GENERAL, "Thanks!", thread_ts=said.ts)
    await answer(slack, "conversation 1 of 2 today · turn 2 of 20")
    await slack.slash(ALICE, "/ask", "Hi")
    assert len((await answer(slack, "conversation 2 of 2 today")).versions) > 2
    refused = await privately(slack, "/ask", "Thanks again!")
    assert "the Free tier has 2 conversations a day" in refused.shown
    assert "New ones can begin again from" in refused.shown
    assert "**Premium** lifts this: $8.99 a month or $89 a year." in refused.shown
    assert "Your question is kept until" in refused.shown
    return refused


async def buy(slack: FakeSlack, shop: Shop, refused: Message) -> Message:
    """Press the button of the refusal, pay, and be told without asking, by the notice."""
    await slack.press(ALICE, refused, "press:upgrade:premium:month")
    link = await told(slack, 1)
    assert "$8.99 a month" in link.shown
    await shop.pay(address(link))
    notice = await told(slack, 2)
    assert "The **Premium** tier is yours" in notice.shown
    assert "Your question is still waiting" in notice.shown
    return notice


async def enjoy_premium(slack: FakeSlack, notice: Message) -> None:
    """See the tier, have answered what was refused before, and get the portal's link."""
    usage = (await privately(slack, "/usage")).shown
    assert "**Premium** tier, renews on" in usage
    assert "Conversations today: 2, unlimited" in usage
    await slack.press(ALICE, notice, notice.buttons[0]["action_id"])
    await answer(slack, "conversation 3 today")
    await slack.wait_for(lambda: "I answer it where you asked it" in slack.ephemerals(ALICE)[-1].shown)
    assert "direct message" in (await privately(slack, "/billing")).shown
    assert "/p/session/" in address(await told(slack, 3))


async def buy_with_closed_dms(slack: FakeSlack, shop: Shop) -> None:
    """With DMs closed the link comes as a private reply, and the news with a later command."""
    slack.close_dms(ALICE)
    link = await privately(slack, "/upgrade", "premium month")
    tries = len(slack.log.calls)
    await shop.pay(address(link))
    await slack.wait_for(lambda: len(slack.log.calls) > tries)
    async with asyncio.timeout(PATIENCE):
        while "The **Premium** tier is yours" not in (await privately(slack, "/usage")).shown:
            pass
    assert len(slack.dms(ALICE)) == 4


async def answer(slack: FakeSlack, footer: str) -> Message:
    """The answer in the channel that ends with this footer."""

    def look() -> Message | None:
        return next((one for one in slack.transcript() if one.shown.endswith(footer)), None)

    return await slack.wait_for(look)


async def told(slack: FakeSlack, count: int) -> Message:
    """The last direct message, once there are that many, and no more."""
    await slack.wait_for(lambda: len(slack.dms(ALICE)) >= count)
    messages = slack.dms(ALICE)
    assert len(messages) == count
    return messages[-1]


async def privately(slack: FakeSlack, command: str, text: str = "") -> Message:
    """The first thing that the member alone is answered."""
    before = len(slack.ephemerals(ALICE))
    await slack.slash(ALICE, command, text)
    await slack.wait_for(lambda: len(slack.ephemerals(ALICE)) > before)
    return slack.ephemerals(ALICE)[before]


def address(message: Message) -> str:
    """Where a message's button leads."""
    return str(message.buttons[0]["url"])
