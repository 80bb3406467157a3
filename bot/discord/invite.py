"""What Discord has to grant the bot: its intents, its permissions, and the link by which it is added."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlencode

import discord

from bot.discord.places import NAMES

AUTHORIZE = "https://discord.com/oauth2/authorize"
needed_intents = ("GUILDS", "GUILD_MESSAGES", "DIRECT_MESSAGES")
"""None of them is privileged: nothing has to be switched on in the developer portal."""
PRIVILEGED = "MESSAGE_CONTENT"
"""Asked for only if the configuration says so: to follow the bot's own threads without mention."""
PERMISSIONS = discord.Permissions(**dict.fromkeys(NAMES, True))


def invite_link(application: int) -> str:
    """The address that adds the bot (by its application's id) to a server or to a user's own apps."""
    query = {"client_id": application, "scope": "bot applications.commands", "permissions": PERMISSIONS.value}
    return f"{AUTHORIZE}?{urlencode(query)}"


def application_of(token: str) -> int | None:
    """The application's id, which is the first part of a bot token; None if this is no bot token."""
    first = token.partition(".")[0]
    try:
        decoded = base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return int(decoded) if decoded.isdecimal() else None


def intents(*, message_content: bool = False) -> discord.Intents:
    """The needed intents as discord.py takes them."""
    return discord.Intents(
        guilds=True, guild_messages=True, dm_messages=True, message_content=message_content
    )
