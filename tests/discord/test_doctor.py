"""What the doctor says of Discord's token and of what the application may read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.discord.checkup import check_discord
from engine.settings import DiscordSettings
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.gateway import MESSAGE_CONTENT


async def test_token_and_rights_are_held_against_the_configuration() -> None:
    async with FakeDiscord() as fake:
        plain = DiscordSettings(SecretStr(fake.token), fake.api_base, fake.gateway_url)
        reading = replace(plain, message_content=True)
        assert await check_discord(plain) == []
        [said] = await check_discord(reading)
        assert said.startswith("config.toml: message_content is on")
        assert "Switch on Message Content Intent" in said
        fake.gateway.granted_intents = MESSAGE_CONTENT
        assert await check_discord(reading) == []
        [wrong] = await check_discord(replace(plain, token=SecretStr("bad")))
        assert wrong.startswith("DISCORD_TOKEN: Discord does not accept DISCORD_TOKEN. Make a new token")
        assert fake.findings == []


async def test_a_discord_that_is_away_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.discord.checkup.PATIENCE", 0.5)
    [said] = await check_discord(DiscordSettings(SecretStr("any"), "http://127.0.0.1:1/api/v10", None))
    assert said.startswith("Discord cannot be asked now")
