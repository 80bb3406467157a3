"""A member of a Discord server from the first question to the end of what was paid for, and back."""

from __future__ import annotations

import asyncio

from engine.domain import Person, Platform
from tests.fakes.discord import FakeDiscord, Message
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.routes import Call
from tests.fakes.pulse import PATIENCE
from tests.journeys.conftest import Shop
from tests.program import running


async def test_a_member_of_discord_asks_pays_and_leaves(shop: Shop) -> None:
    async with FakeDiscord() as fake, running(shop.folder, {**shop.variables, **fake.variables}):
        await fake.connected()
        refused = await use_up_what_is_free(fake)
        notice = await buy(fake, shop, refused)
        await shop.explains(Person(Platform.DISCORD, "", fake.world.user("alice").id))
        await enjoy_premium(fake, notice)
        shop.cancel()
        assert "Premium** tier has ended" in (await told(fake, 5)).text
        await buy_with_closed_dms(fake, shop)
        assert fake.findings == []
        assert fake.pings() == []


async def use_up_what_is_free(fake: FakeDiscord) -> Message:
    """Ask by command and go on by mention, begin anew, and ask once too often; the refusal."""
    fake.slash("alice", "ask", {"prompt": "Hi"})
    first = await answer(fake, "conversation 1 of 2 today")
    assert len(first.versions) > 3
    fake.say("alice", "general", "I am called Ada.", reply_to=first, mention_bot=True)
    await answer(fake, "conversation 1 of 2 today · turn 2 of 20")
    fake.slash("alice", "ask", {"prompt": "Thanks!"})
    await answer(fake, "conversation 2 of 2 today")
    used = fake.slash("alice", "ask", {"prompt": "Thanks again!"})
    refused = await fake.answered(used)
    assert used.private()
    assert "the Free tier has 2 conversations a day" in refused.text
    assert "New ones can begin again from" in refused.text
    assert "**Premium** lifts this: $8.99 a month or $89 a year." in refused.text
    assert "Your question is kept until" in refused.text
    return refused


async def buy(fake: FakeDiscord, shop: Shop, refused: Message) -> Message:
    """Press the button of the refusal, pay, and be told without asking, by the notice."""
    assert "direct message" in await privately(fake, press(fake, refused, "Upgrade"))
    link = await told(fake, 1)
    assert "$8.99 a month" in link.text
    await shop.pay(address(link))
    notice = await told(fake, 2)
    assert "The **Premium** tier is yours" in notice.text
    assert "Your question is still waiting" in notice.text
    return notice


async def enjoy_premium(fake: FakeDiscord, notice: Message) -> None:
    """See the tier, have answered what was refused before, and get the portal's link."""
    usage = await privately(fake, fake.slash("alice", "usage"))
    assert "**Premium** tier, renews on" in usage
    assert "Conversations today: 2, unlimited" in usage
    pressed = press(fake, notice, "Answer it now")
    await answer(fake, "conversation 3 today")
    assert "I answer it where you asked it" in (await fake.answered(pressed)).text
    assert "direct message" in await privately(fake, fake.slash("alice", "billing"))
    assert "/p/session/" in address(await told(fake, 4))


async def buy_with_closed_dms(fake: FakeDiscord, shop: Shop) -> None:
    """With DMs closed the link comes as a private reply, and the news with a later command."""
    fake.close_dms("alice")
    used = fake.slash("alice", "upgrade", {"tier": "premium", "interval": "month"})
    link = await fake.answered(used)
    assert used.private()
    tries = len(written(fake))
    await shop.pay(address(link))
    await fake.world.pulse.until(lambda: len(written(fake)) > tries)
    async with asyncio.timeout(PATIENCE):
        while "The **Premium** tier is yours" not in await privately(fake, fake.slash("alice", "usage")):
            pass
    assert len(fake.dms("alice")) == 5


async def answer(fake: FakeDiscord, footer: str) -> Message:
    """The answer in the channel that ends with this footer."""

    def look() -> Message | None:
        return next((one for one in fake.transcript() if one.text.endswith(footer)), None)

    return await fake.world.pulse.until(look)


async def told(fake: FakeDiscord, count: int) -> Message:
    """The last direct message, once there are that many, and no more."""
    await fake.world.pulse.until(lambda: len(fake.dms("alice")) >= count)
    messages = fake.dms("alice")
    assert len(messages) == count
    return messages[-1]


async def privately(fake: FakeDiscord, used: Interaction) -> str:
    """What the member alone is answered."""
    shown = await fake.answered(used)
    assert used.private()
    return shown.text


def press(fake: FakeDiscord, message: Message, label: str) -> Interaction:
    """Press a button by its label."""
    return fake.press("alice", message, message.button(label)["custom_id"])


def written(fake: FakeDiscord) -> list[Call]:
    """All tries to write to the member in private."""
    dm = fake.world.dm_channel(fake.world.user("alice"))
    return [
        call for call in fake.calls if call.method == "POST" and call.path == f"/channels/{dm.id}/messages"
    ]


def address(message: Message) -> str:
    """The address in a text whose link fits no button: a loopback's never does."""
    return message.text.partition("<")[2].partition(">")[0]
