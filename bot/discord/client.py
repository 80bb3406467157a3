"""The Discord client: hands on what members do, and answers for errors that would otherwise be silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import discord
from aiohttp import TraceConfig
from discord import app_commands
from discord.gateway import DiscordWebSocket

from bot.commands import Command, Option
from bot.discord.invite import intents
from bot.discord.tree import build_tree
from bot.discord.views import Press
from engine.settings import DiscordSettings

SETTLING_SECONDS = 0.1
"""How long after connecting the library takes a server that is joined for one that was there before."""


class Ears(Protocol):
    """Takes what was heard; all but `completed` must return at once."""

    def heard(self, message: discord.Message, bot: int) -> None:
        """Somebody wrote where we can see it."""
        ...

    def used(
        self, interaction: discord.Interaction[Any], command: Command, options: Mapping[str, str]
    ) -> None:
        """A member used a slash command."""
        ...

    def pressed(self, interaction: discord.Interaction[Any], owner: int, action: str) -> None:
        """A member pressed a button that belongs to `owner`."""
        ...

    def lost(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """A slash command could not be understood."""
        ...

    def connected(self) -> None:
        """The gateway has let us in."""
        ...

    def about(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """A member wants to ask about a message."""
        ...

    def joined(self, guild: discord.Guild) -> None:
        """The bot was added to a server."""
        ...

    def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """A member sent off a window."""
        ...

    async def completed(
        self, interaction: discord.Interaction[Any], command: Command, option: Option, typed: str
    ) -> list[app_commands.Choice[str]]:
        """The values of an option that go with what was typed so far."""
        ...


class Listening(discord.Client):
    """The listening half of either client."""

    ears: Ears
    tree: app_commands.CommandTree[Any]

    def listen_with(self, ears: Ears) -> None:
        """Say who takes what is heard; to be called before the client connects."""
        self.ears = ears

        async def used(
            interaction: discord.Interaction[Any], command: Command, options: Mapping[str, str]
        ) -> None:
            ears.used(interaction, command, options)

        async def about(interaction: discord.Interaction[Any], message: discord.Message) -> None:
            ears.about(interaction, message)

        async def lost(interaction: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
            ears.lost(interaction, error)

        self.tree = build_tree(self, used, ears.completed, about)
        self.tree.error(lost)
        self.add_dynamic_items(Press)

    @property
    def linked(self) -> bool:
        """Whether the gateway's socket is open."""
        socket: DiscordWebSocket | None = self.ws  # which discord.py leaves out while there is none
        return socket is not None and socket.open

    async def on_connect(self) -> None:
        """Tell that events arrive from now on."""
        self.ears.connected()

    async def on_message(self, message: discord.Message) -> None:
        """Hand a message on."""
        if self.user is not None:
            self.ears.heard(message, self.user.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Hand an arrival on."""
        self.ears.joined(guild)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Hand a window's contents on; all else comes by the tree and the buttons."""
        if interaction.type is discord.InteractionType.modal_submit:
            self.ears.submitted(interaction)

    def pressed(self, interaction: discord.Interaction[Any], owner: int, action: str) -> None:
        """Hand a press on."""
        self.ears.pressed(interaction, owner, action)


class OneClient(Listening):
    """A bot in one process, without shards."""


class ShardedClient(Listening, discord.AutoShardedClient):
    """One of several processes, with its share of the shards."""

    @property
    def linked(self) -> bool:
        """Whether the socket of each shard is open."""
        return bool(self.shards) and not any(shard.is_closed() for shard in self.shards.values())


def make_client(settings: DiscordSettings, ears: Ears, trace: TraceConfig) -> Listening:
    """A client that keeps little in memory and whose messages can ping nobody; `trace` sees its requests."""
    frugal: dict[str, Any] = {
        "intents": intents(message_content=settings.message_content),
        "allowed_mentions": discord.AllowedMentions.none(),
        "max_messages": None,
        "member_cache_flags": discord.MemberCacheFlags.none(),
        "chunk_guilds_at_startup": False,
        "guild_ready_timeout": SETTLING_SECONDS,
        "http_trace": trace,
    }
    client: Listening
    if settings.shard_count is None:
        client = OneClient(**frugal)
    else:
        ids = list(settings.shard_ids or range(settings.shard_count))
        client = ShardedClient(shard_ids=ids, shard_count=settings.shard_count, **frugal)
    client.listen_with(ears)
    return client
