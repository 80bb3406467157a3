"""What the operator has to mend in Discord, asked of Discord itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import discord
from aiohttp import ClientError

from bot.discord.adapter import PORTAL, for_operator, redirect
from bot.discord.invite import PERMISSIONS, application_of, intents, invite_link
from bot.discord.places import NAMES, TO_WRITE
from engine.channels import Channel
from engine.checkup import Finding, good, worth_knowing, wrong
from engine.settings import DiscordSettings

AREA = "Discord"
PATIENCE = 15.0
"""Seconds for all that is asked."""
SILENT = discord.Intents(guilds=True)
"""Nothing is listened to here; without this one the SDK warns of a fault that the bot has not."""
SERVERS = 200
"""Servers that are looked at; Discord gives as many at once."""
NAMED = 10
AWAY = "Discord cannot be asked now ({why}). Check the network, and DISCORD_API_BASE if it is set."
NO_TOKEN = "DISCORD_TOKEN: is no bot token. Copy it from the Bot page of your application."  # noqa: S105 - words
NOT_ALLOWED = (
    "config.toml: message_content is on under [discord], and the application may not read messages. Switch "
    f"on Message Content Intent at {PORTAL}, page Bot, or set it to false."
)

NOT_SEEN = (
    "{channel}: the bot does not see that channel. Invite it to the server and let it see the channel (Edit "
    "Channel, Permissions), or correct the id in config.toml."
)
NO_TEXT = "{channel}: is no text channel. Name one in config.toml."
LACKS = (
    "{channel}: the bot may not {names} there. Allow it (Edit Channel, Permissions), or name another channel."
)


async def check_discord(settings: DiscordSettings) -> list[Finding]:
    """Token, intents, and what the bot may do on each of its servers."""
    redirect(settings)
    token = settings.token.get_secret_value()
    application = application_of(token)
    if application is None:
        return [wrong(AREA, NO_TOKEN)]
    link = invite_link(application)
    try:
        async with asyncio.timeout(PATIENCE), discord.Client(intents=SILENT) as client:
            await client.login(token)
            name, flags = str(client.user), client.application_flags
            servers = await client.http.get_guilds(SERVERS)
    except TimeoutError:
        return [wrong(AREA, AWAY.format(why=f"no answer in {PATIENCE:.0f} seconds"))]
    except (discord.DiscordException, ClientError, OSError) as error:
        told = for_operator(error)
        return [wrong(AREA, f"DISCORD_TOKEN: {told}" if told else AWAY.format(why=error))]
    return [*of_intents(settings, flags), *of_servers(servers, name, link)]


def of_intents(settings: DiscordSettings, flags: discord.ApplicationFlags) -> Iterator[Finding]:
    """Whether the bot is let read what the configuration wants."""
    allowed = flags.gateway_message_content or flags.gateway_message_content_limited
    if settings.message_content and not allowed:
        yield wrong(AREA, NOT_ALLOWED)
    else:
        wanted = (name.upper() for name, on in intents(message_content=settings.message_content) if on)
        yield good(AREA, f"intents {', '.join(wanted)}")


def of_servers(servers: Sequence[Mapping[str, Any]], name: str, link: str) -> Iterator[Finding]:
    """Where the bot is, and what it lacks there; a channel may still say otherwise."""
    if not servers:
        yield worth_knowing(AREA, f"{name} is in no server yet. Open {link}")
        return
    yield good(
        AREA, f"{name} is in {len(servers)} server{'s' if len(servers) > 1 else ''}; invite link: {link}"
    )
    lacking = [(each["name"], missing) for each in servers if (missing := missing_in(each))]
    for server, missing in lacking[:NAMED]:
        yield worth_knowing(
            AREA, f"{server}: the bot lacks {', '.join(missing)}. Grant it to the bot's role, or open {link}"
        )
    if len(lacking) > NAMED:
        yield worth_knowing(AREA, f"the same in {len(lacking) - NAMED} more servers. Open {link}")


def missing_in(server: Mapping[str, Any]) -> list[str]:
    """The permissions that the bot has use for and lacks all over a server."""
    granted = discord.Permissions(int(server["permissions"]))
    if granted.administrator or granted.is_superset(PERMISSIONS):
        return []
    return [words for name, words in NAMES.items() if not getattr(granted, name)]


async def check_discord_channels(settings: DiscordSettings, channels: Sequence[Channel]) -> list[str]:
    """A sentence with its mend for each channel that the bot may not write to; nothing is written."""
    redirect(settings)
    try:
        async with asyncio.timeout(PATIENCE), discord.Client(intents=SILENT) as client:
            await client.login(settings.token.get_secret_value())
            found = [await check_channel(client, each) for each in channels]
    except TimeoutError:
        return [AWAY.format(why=f"no answer in {PATIENCE:.0f} seconds")]
    except (discord.DiscordException, ClientError, OSError) as error:
        return [str(for_operator(error) or AWAY.format(why=error))]
    return [words for words in found if words]


async def check_channel(client: discord.Client, channel: Channel) -> str:
    """What is wrong with one; empty if the bot may write there."""
    try:
        found = await client.fetch_channel(int(channel.id))
        if not isinstance(found, discord.TextChannel) or client.user is None:
            return "" if isinstance(found, discord.Thread) else NO_TEXT.format(channel=channel)
        guild = await client.fetch_guild(found.guild.id, with_counts=False)
        here = await guild.fetch_channel(found.id)
        allowed = here.permissions_for(await guild.fetch_member(client.user.id))
    except (discord.NotFound, discord.Forbidden):
        return NOT_SEEN.format(channel=channel)
    lacking = [NAMES[name] for name in TO_WRITE if not getattr(allowed, name)]
    return LACKS.format(channel=channel, names=" and ".join(lacking)) if lacking else ""
