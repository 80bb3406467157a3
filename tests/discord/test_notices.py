"""Notices by DM: each shown once, whatever happens in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import discord
import pytest

from bot.discord.adapter import DiscordBot
from engine.alerts import Alert, AlertKind, Bulletin
from engine.channels import Channel
from engine.domain import AccountId, Person, Platform, TierName
from engine.errors import TryAgainError, UnreachableError
from engine.facts import Mode
from engine.notices import Notice, NoticeId, NoticeKind
from tests.discord.conftest import Stage, front_of, settings_for
from tests.engine.conftest import Hall
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.world import NONCE_MEMORY

SILENT = 1 << 12
"""`SUPPRESS_NOTIFICATIONS` of a message's flags."""


def owed(fake: FakeDiscord, key: str = "sub_1:active", kind: NoticeKind = NoticeKind.ACTIVATED) -> Notice:
    """A notice to Alice, owed now by Discord's clock."""
    now = datetime.fromtimestamp(fake.world.clock.now(), UTC)
    person = Person(Platform.DISCORD, "", fake.world.user("alice").id)
    account = AccountId("account-1")
    return Notice(NoticeId(key), key, account, Mode.LIVE, person, kind, TierName.PREMIUM, now)


async def test_a_notice_comes_by_dm(stage: Stage) -> None:
    await stage.bot.messenger.deliver(owed(stage.discord), again=False)
    (told,) = stage.discord.dms("alice")
    assert "Premium" in told.text


async def test_only_what_is_good_to_know_comes_without_a_sound(stage: Stage) -> None:
    await stage.bot.messenger.deliver(owed(stage.discord, "k1", NoticeKind.RENEWED), again=False)
    await stage.bot.messenger.deliver(owed(stage.discord, "k2", NoticeKind.PAYMENT_FAILED), again=False)
    quiet, loud = stage.discord.dms("alice")
    assert quiet.wire["flags"] & SILENT
    assert not loud.wire["flags"] & SILENT


async def test_a_repeated_notice_is_shown_once(stage: Stage) -> None:
    notice = owed(stage.discord)
    await stage.bot.messenger.deliver(notice, again=False)
    await stage.bot.messenger.deliver(notice, again=False)
    await stage.bot.messenger.deliver(notice, again=True)
    assert len(stage.discord.dms("alice")) == 1


async def test_a_notice_repeated_much_later_is_recognised_in_the_dm(stage: Stage) -> None:
    notice = owed(stage.discord)
    await stage.bot.messenger.deliver(notice, again=False)
    stage.discord.world.clock.advance(NONCE_MEMORY + 1)
    await stage.bot.messenger.deliver(notice, again=True)
    assert len(stage.discord.dms("alice")) == 1


async def test_the_same_news_at_another_time_is_told_again(stage: Stage) -> None:
    await stage.bot.messenger.deliver(owed(stage.discord), again=False)
    stage.discord.world.clock.advance(365 * 86400)
    later = owed(stage.discord, "sub_2:active")
    await stage.bot.messenger.deliver(later, again=True)
    assert len(stage.discord.dms("alice")) == 2


async def test_a_notice_whose_answer_is_lost_is_shown_once(stage: Stage) -> None:
    stage.discord.faults.lose(r"/channels/\d+/messages", method="POST")
    await stage.bot.messenger.deliver(owed(stage.discord), again=False)
    assert len(stage.discord.dms("alice")) == 1


@pytest.mark.parametrize("code", [50007, 50278])
async def test_closed_dms_are_unreachable(stage: Stage, code: int) -> None:
    stage.discord.close_dms("alice", code)
    with pytest.raises(UnreachableError):
        await stage.bot.messenger.deliver(owed(stage.discord), again=False)


async def test_without_a_connection_it_is_tried_again_later(hall: Hall, fake: FakeDiscord) -> None:
    bot = DiscordBot(settings_for(fake), await front_of(hall))
    with pytest.raises(TryAgainError):
        await bot.messenger.deliver(owed(fake), again=False)


def raised(fake: FakeDiscord, *details: str) -> Bulletin:
    """Alerts for Alice, who runs the bot."""
    now = datetime.fromtimestamp(fake.world.clock.now(), UTC)
    person = Person(Platform.DISCORD, "", fake.world.user("alice").id)
    alerts = [Alert(each, AlertKind.VENDOR_DOWN, f"vendor-{each[:9]}", now, each) for each in details]
    return Bulletin("b1", person, tuple(alerts))


async def test_an_operator_is_told_by_dm_what_happened_and_what_a_vendor_said_as_code(stage: Stage) -> None:
    await stage.bot.messenger.tell(raised(stage.discord, "503 ```@everyone", "429"), again=False)
    (told,) = stage.discord.dms("alice")
    assert told.text.count("keeps failing") == 2
    assert "```\n503 '''@everyone\n```" in told.text


async def test_an_operator_is_told_once_also_when_a_try_may_have_got_through(stage: Stage) -> None:
    bulletin = raised(stage.discord, "503")
    await stage.bot.messenger.tell(bulletin, again=False)
    stage.discord.world.clock.advance(NONCE_MEMORY + 1)
    await stage.bot.messenger.tell(bulletin, again=True)
    assert len(stage.discord.dms("alice")) == 1
    await stage.bot.messenger.tell(raised(stage.discord, "504"), again=True)
    assert len(stage.discord.dms("alice")) == 2


async def test_many_alerts_are_told_in_as_many_messages_as_they_need(stage: Stage) -> None:
    await stage.bot.messenger.tell(
        raised(stage.discord, *(f"{n} " + "x" * 900 for n in range(10))), again=False
    )
    told = [message.text for message in stage.discord.dms("alice")]
    assert all(len(text) <= 2000 for text in told)
    assert sum(text.count("keeps failing") for text in told) == 10


async def test_an_operator_with_closed_dms_is_unreachable(stage: Stage) -> None:
    stage.discord.close_dms("alice", 50007)
    with pytest.raises(UnreachableError):
        await stage.bot.messenger.tell(raised(stage.discord, "503"), again=False)


def aloud(fake: FakeDiscord, channel: str, *details: str) -> Bulletin:
    """The same for a channel."""
    to = Channel(Platform.DISCORD, "", fake.world.channel(channel).id)
    return replace(raised(fake, *details), to=to, locale="en")


def told_in(stage: Stage, channel: str) -> list[str]:
    """What the bot wrote there."""
    return [each.text for each in stage.discord.transcript(channel) if each.author is stage.discord.world.bot]


async def test_a_channel_is_told_with_a_link_and_pings_nobody(stage: Stage) -> None:
    bulletin = aloud(stage.discord, "general", "503 @everyone")
    linked = tuple(replace(each, link="https://bot.test/admin") for each in bulletin.alerts)
    await stage.bot.messenger.tell(replace(bulletin, alerts=linked), again=False)
    (text,) = told_in(stage, "general")
    assert "keeps failing" in text
    assert "[Look there](https://bot.test/admin)" in text


async def test_a_channel_is_told_once_also_when_a_try_may_have_got_through(stage: Stage) -> None:
    bulletin = aloud(stage.discord, "general", "503")
    stage.discord.faults.lose(r"/channels/\d+/messages", method="POST")
    await stage.bot.messenger.tell(bulletin, again=False)
    stage.discord.world.clock.advance(NONCE_MEMORY + 1)
    await stage.bot.messenger.tell(bulletin, again=True)
    assert len(told_in(stage, "general")) == 1


async def test_where_the_past_may_not_be_read_a_second_try_is_shown_all_the_same(stage: Stage) -> None:
    channel = stage.discord.world.channel("general")
    stage.discord.world.deny(channel, discord.Permissions(read_message_history=True).value)
    await stage.bot.messenger.tell(aloud(stage.discord, "general", "503"), again=True)
    assert len(told_in(stage, "general")) == 1


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_channel_that_is_closed_to_us_is_unreachable_with_what_to_do(
    stage: Stage, *, reachable: bool
) -> None:
    channel = stage.discord.world.channel("other", reachable=reachable)
    stage.discord.world.deny(channel, discord.Permissions(send_messages=True).value)
    with pytest.raises(UnreachableError, match="let the bot see the channel and send messages there"):
        await stage.bot.messenger.tell(aloud(stage.discord, "other", "503"), again=False)


async def test_a_flood_is_one_message_with_how_many_more_there_were(stage: Stage) -> None:
    await stage.bot.messenger.tell(aloud(stage.discord, "general", *map(str, range(500))), again=False)
    text = "\n".join(told_in(stage, "general"))
    assert text.count("keeps failing") == 10
    assert "And 490 more of the kind `vendor_down`." in text


async def test_a_text_for_a_channel_is_known_again_by_its_first_line(stage: Stage) -> None:
    general = stage.discord.world.channel("general")
    to, since = Channel(Platform.DISCORD, "", general.id), datetime.now(UTC)
    await stage.bot.messenger.publish(to, "daily:1", "**Fri**\n```\n1\n```", None)
    stage.discord.world.clock.advance(NONCE_MEMORY + 1)
    await stage.bot.messenger.publish(to, "daily:1", "**Fri**\n```\n2\n```", since)
    await stage.bot.messenger.publish(to, "daily:2", "**Sat**\n```\n1\n```", since)
    assert [text.partition("\n")[0] for text in told_in(stage, "general")] == ["**Fri**", "**Sat**"]
