"""What the bot says when it is added to a server: once, where Discord greets, and never by DM."""

from __future__ import annotations

import hashlib
import logging

import discord

from bot.discord.places import TO_WRITE, granted, lacking
from bot.discord.posts import send_plain
from bot.discord.views import Page
from bot.words import say, speaking

log = logging.getLogger("bot.discord")
NONCE_LIMIT = 25


async def arrive(guild: discord.Guild) -> None:
    """Say in the server's system channel what the bot is for; where it may not write it says nothing."""
    channel = guild.system_channel
    if channel is None or lacking(granted(channel, guild), TO_WRITE):
        log.info("arrived without a word", extra={"guild": guild.id})
        return
    with speaking(guild.preferred_locale.value):
        words = "\n".join((say("arrival"), say("arrival-ask"), say("arrival-admins")))
    await send_plain(channel, Page(notice=words), 0, nonce=nonce(guild))


def nonce(guild: discord.Guild) -> str:
    """The same for every process that sees this arrival, so that Discord makes one message of it."""
    joined = guild.me.joined_at.isoformat() if guild.me.joined_at else ""
    return hashlib.sha256(f"{guild.id}/{joined}".encode()).hexdigest()[:NONCE_LIMIT]
