"""What the operator has to mend in Discord, asked of Discord itself."""

from __future__ import annotations

import asyncio

import discord
from aiohttp import ClientError

from bot.discord.adapter import PORTAL, for_operator, redirect
from engine.settings import DiscordSettings

PATIENCE = 15.0
"""Seconds for all that is asked."""
AWAY = "Discord cannot be asked now ({why}). Check the network, and DISCORD_API_BASE if it is set."
NOT_ALLOWED = (
    "config.toml: message_content is on under [discord], and the application may not read messages. Switch "
    f"on Message Content Intent at {PORTAL}, page Bot, or set it to false."
)


async def check_discord(settings: DiscordSettings) -> list[str]:
    """A sentence with its mend for each thing that is wrong with the token and the application's rights."""
    redirect(settings)
    try:
        async with asyncio.timeout(PATIENCE), discord.Client(intents=discord.Intents.none()) as client:
            await client.login(settings.token.get_secret_value())
            flags = client.application_flags
    except TimeoutError:
        return [AWAY.format(why=f"no answer in {PATIENCE:.0f} seconds")]
    except (discord.DiscordException, ClientError, OSError) as error:
        told = for_operator(error)
        return [f"DISCORD_TOKEN: {told}" if told else AWAY.format(why=error)]
    allowed = flags.gateway_message_content or flags.gateway_message_content_limited
    return [NOT_ALLOWED] if settings.message_content and not allowed else []
