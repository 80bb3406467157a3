"""Which messages are meant for us, and what they ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.discord.canvas import message_anchor
from engine.domain import Ask, Person, Platform

WRITTEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
"""Messages that somebody wrote; the others are joins, pins and the like."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message to us: its words without our name, and where it was said."""

    person: Person
    text: str
    key: str
    anchors: tuple[str, ...]
    dm: bool

    def ask(self, text: str, model: str | None = None) -> Ask:
        """A question at this place."""
        return Ask(self.key, self.person, text, self.anchors, self.dm, model)


def person_of(user: discord.abc.User) -> Person:
    """Somebody on Discord."""
    return Person(Platform.DISCORD, "", str(user.id))


def heard(message: discord.Message, bot: int) -> Heard | None:
    """A message to the bot (by its user id); None for what is not, or was not written by a person."""
    dm = message.guild is None
    mentioned = any(user.id == bot for user in message.mentions)
    if message.author.bot or message.webhook_id or message.type not in WRITTEN or not (dm or mentioned):
        return None
    text = re.sub(rf"<@!?{bot}>", "", message.content).strip()
    anchors = (*replied_anchors(message), *place_anchors(message.channel.id, message.channel, dm=dm))
    return Heard(person_of(message.author), text, f"discord:message:{message.id}", anchors, dm)


def replied_anchors(message: discord.Message) -> Sequence[str]:
    """The message that this one replies to."""
    reference = message.reference
    return [message_anchor(reference.message_id)] if reference and reference.message_id else []


def place_anchors(channel_id: int, channel: object, *, dm: bool) -> Sequence[str]:
    """A DM or a thread, in which a conversation continues without a reply."""
    if dm:
        return [f"discord:dm:{channel_id}"]
    return [f"discord:thread:{channel_id}"] if isinstance(channel, discord.Thread) else []


def overheard(message: discord.Message, bot: int) -> bool:
    """Whether a member replied to the answer to their own command: Discord keeps such words from us."""
    replied = message.reference.resolved if message.reference else None
    if not isinstance(replied, discord.Message) or message.guild is None or message.content:
        return False
    asked = replied.interaction_metadata
    ours = replied.author.id == bot and asked is not None and asked.user.id == message.author.id
    return ours and not message.author.bot and message.type in WRITTEN
