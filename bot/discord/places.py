"""Where on Discord something is asked, and what the bot may do there."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from engine.domain import Place, Platform

NAMES = {
    "view_channel": "View Channels",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "create_public_threads": "Create Public Threads",
    "read_message_history": "Read Message History",
    "attach_files": "Attach Files",
}
"""The permissions that the bot has a use for, as an admin finds them in Discord's settings."""
TO_WRITE = ("view_channel", "send_messages")
TO_WRITE_IN_THREADS = ("view_channel", "send_messages_in_threads")


def place_of(guild: int | None, channel: object, asker: object) -> Place | None:
    """The place of a question in a server, with what its channel lies in; None in a DM."""
    if guild is None:
        return None
    roles = asker.roles if isinstance(asker, discord.Member) else []
    known = frozenset(str(role.id) for role in filter(None, roles))  # @everyone is None where the bot is not
    return Place(Platform.DISCORD, str(guild), tuple(channels_of(channel)), known)


def channels_of(channel: object) -> Sequence[str]:
    """The channel, the one it is a thread of, and their category, as far as they are known."""
    thread = channel if isinstance(channel, discord.Thread) else None
    holder = thread.parent if thread else channel
    found = [
        getattr(channel, "id", None),
        thread.parent_id if thread else None,
        getattr(holder, "category_id", None),
    ]
    return [str(each) for each in found if each]


def granted(channel: object, guild: discord.Guild | None) -> discord.Permissions | None:
    """What the bot may do in a channel; None in a DM and where that is not known."""
    me: discord.Member | None = guild.me if guild else None
    if me is None or not isinstance(channel, discord.Thread | discord.abc.GuildChannel):
        return None
    try:
        return channel.permissions_for(me)
    except discord.ClientException:  # a thread whose channel is hidden from us
        return None


def may_reply(message: discord.Message) -> bool:
    """Whether a reply to this message is taken, and not only a message below it."""
    permissions = granted(message.channel, message.guild)
    return permissions is None or permissions.read_message_history


def lacking(granted: discord.Permissions | None, wanted: Sequence[str]) -> Sequence[str]:
    """The names of those permissions (`NAMES`) that are wanted and not granted."""
    if granted is None:
        return ()
    return [NAMES[name] for name in wanted if not getattr(granted, name)]


def to_write(channel: object) -> Sequence[str]:
    """The permissions that writing in a channel or thread takes."""
    return TO_WRITE_IN_THREADS if isinstance(channel, discord.Thread) else TO_WRITE
