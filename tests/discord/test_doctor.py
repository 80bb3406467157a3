"""What the doctor says of Discord's token and of what the application may read."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

import discord
import pytest
from pydantic import SecretStr

from bot.discord.checkup import check_discord, check_discord_channels
from engine.channels import Channel
from engine.checkup import Finding, Light
from engine.domain import Platform
from engine.settings import DiscordSettings
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.gateway import MESSAGE_CONTENT
from tests.fakes.discord.shapes import ADMINISTRATOR, EVERYTHING


def lights(findings: Sequence[Finding]) -> list[str]:
    return [each.light for each in findings]


def other_token(fake: FakeDiscord) -> str:
    """A token of the same application that is not accepted."""
    return f"{fake.token.partition('.')[0]}.another"


async def test_token_and_rights_are_held_against_the_configuration(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with FakeDiscord() as fake:
        plain = DiscordSettings(SecretStr(fake.token), fake.api_base, fake.gateway_url)
        reading = replace(plain, message_content=True)
        assert lights(await check_discord(plain)) == ["green", "green"]
        assert not [each for each in caplog.records if "intent" in each.getMessage()]
        said, *_ = await check_discord(reading)
        assert said.light is Light.RED
        assert said.what.startswith("config.toml: message_content is on")
        assert "Switch on Message Content Intent" in said.mend
        fake.gateway.granted_intents = MESSAGE_CONTENT
        assert lights(await check_discord(reading)) == ["green", "green"]
        [wrong] = await check_discord(replace(plain, token=SecretStr(other_token(fake))))
        assert wrong.what == "DISCORD_TOKEN: Discord does not accept DISCORD_TOKEN"
        assert wrong.mend.startswith("Make a new token")
        [none] = await check_discord(replace(plain, token=SecretStr("bad")))
        assert none.what == "DISCORD_TOKEN: is no bot token"
        assert fake.findings == []


async def test_a_discord_that_is_away_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.discord.checkup.PATIENCE", 0.5)
    token = f"{base64.b64encode(b'1234').decode()}.fake"
    [said] = await check_discord(DiscordSettings(SecretStr(token), "http://127.0.0.1:1/api/v10", None))
    assert said.what.startswith("Discord cannot be asked now")


async def test_a_server_where_the_bot_may_not_do_its_work_is_named() -> None:
    async with FakeDiscord() as fake:
        settings = DiscordSettings(SecretStr(fake.token), fake.api_base, fake.gateway_url)
        fake.world.granted = EVERYTHING & ~(ADMINISTRATOR | discord.Permissions(attach_files=True).value)
        *_, said = await check_discord(settings)
        assert said.light is Light.YELLOW
        assert "the bot lacks Attach Files" in said.what
        fake.world.granted = None
        [_, alone] = await check_discord(settings)
        assert (alone.light, "is in no server yet" in alone.what) == (Light.YELLOW, True)
        assert fake.findings == []


async def test_each_channel_that_is_to_be_told_things_is_looked_at_and_nothing_is_written() -> None:
    async with FakeDiscord() as fake:
        settings = DiscordSettings(SecretStr(fake.token), fake.api_base, fake.gateway_url)
        general, closed, far = (
            fake.world.channel("general"),
            fake.world.channel("closed"),
            fake.world.channel("far", reachable=False),
        )
        ids = (general.id, closed.id, far.id, "404")
        channels = [Channel(Platform.DISCORD, "", each) for each in ids]
        fake.world.deny(closed, discord.Permissions(send_messages=True).value)
        lacking, unseen, unknown = await check_discord_channels(settings, channels)
        assert lacking.startswith(f"discord:{closed.id}: the bot may not Send Messages there. Allow it")
        assert unseen.startswith(f"discord:{far.id}: the bot does not see that channel. Invite it")
        assert unknown.startswith("discord:404: the bot does not see that channel.")
        assert await check_discord_channels(settings, channels[:1]) == []
        assert fake.world.messages == {}
        assert fake.findings == []
        [wrong] = await check_discord_channels(replace(settings, token=SecretStr("bad")), channels)
        assert wrong.startswith("Discord does not accept DISCORD_TOKEN")
