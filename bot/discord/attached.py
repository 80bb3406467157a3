"""The files of messages and commands, and the hosts on which Discord keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord

from bot.fetching import HostFetcher, nearby
from bot.intake import Source
from engine.settings import DiscordSettings

HOSTS = frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})
"""Where attachments are (docs.discord.com, reference, signed attachment CDN URLs)."""


def fetcher(settings: DiscordSettings) -> HostFetcher:
    """Fetches from Discord; their addresses are signed and need no token."""
    return HostFetcher(HOSTS | nearby(settings.api_base))


def of_message(message: discord.Message | discord.MessageSnapshot) -> tuple[Source, ...]:
    """The files of a message."""
    return tuple(
        Source(each.filename, each.content_type or "", each.size, each.url) for each in message.attachments
    )


def of_command(interaction: discord.Interaction[Any]) -> tuple[Source, ...]:
    """The files among a command's options."""
    data: Mapping[str, Any] = interaction.data or {}
    given: Mapping[str, Mapping[str, Any]] = data.get("resolved", {}).get("attachments", {})
    return tuple(
        Source(each["filename"], each.get("content_type") or "", each["size"], each["url"])
        for each in given.values()
    )
