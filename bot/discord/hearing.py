"""Which messages are meant for us, and what they ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.discord.attached import of_message
from bot.discord.canvas import message_anchor
from bot.discord.places import place_of
from bot.intake import Source
from bot.reply import Reply
from bot.words import say
from engine.domain import Ask, Person, Place, Platform, Seat

WRITTEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
"""Messages that somebody wrote; the others are joins, pins and the like."""
TO_OTHERS = re.compile(r"\s*<@[!&]?\d+>")
"""How a message begins that speaks to somebody."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message to us: its words without our name, and where it was said."""

    person: Person
    text: str
    key: str
    anchors: tuple[str, ...]
    place: Place | None
    seat: Seat
    files: tuple[Source, ...] = ()

    @property
    def dm(self) -> bool:
        """Whether nobody else can read it."""
        return self.place is None

    def ask(self, text: str, model: str | None = None) -> Ask:
        """A question at this place."""
        return Ask(self.key, self.person, text, self.anchors, self.dm, model, self.place, seat=self.seat)


def person_of(user: discord.abc.User) -> Person:
    """Somebody on Discord."""
    return Person(Platform.DISCORD, "", str(user.id))


def heard(message: discord.Message, bot: int, *, follow: bool = False) -> Heard | None:
    """A message to the bot (by its user id); None for what is not, or was not written by a person.

    `follow`: in threads that the bot opened, it is spoken to without being named.
    """
    dm = message.guild is None
    if by_machine(message) or not (dm or named(message, bot) or (follow and followed(message, bot))):
        return None
    if withheld(message, bot):
        return None
    text = without_name(message, bot)
    anchors = (*replied_anchors(message), *place_anchors(message.channel.id, message.channel, dm=dm))
    place = place_of(message.guild.id if message.guild else None, message.channel, message.author)
    key = f"discord:message:{message.id}"
    seat = Seat(str(message.channel.id), str(message.id))
    return Heard(person_of(message.author), text, key, anchors, place, seat, of_message(message))


def by_machine(message: discord.Message) -> bool:
    """Whether no person wrote it."""
    return message.author.bot or bool(message.webhook_id) or message.type not in WRITTEN


def named(message: discord.Message, bot: int) -> bool:
    """Whether it mentions the bot, or the role that Discord made for it, which is easily taken for it."""
    return any(user.id == bot for user in message.mentions) or own_role(message) is not None


def own_role(message: discord.Message) -> discord.Role | None:
    """The bot's own role, if the message mentions that."""
    own = message.guild.self_role if message.guild else None
    return own if own is not None and own in message.role_mentions else None


def without_name(message: discord.Message, bot: int) -> str:
    """The words of a message but for the bot's name."""
    role = own_role(message)
    text = re.sub(rf"<@!?{bot}>", "", message.content)
    return (text.replace(role.mention, "") if role else text).strip()


def followed(message: discord.Message, bot: int) -> bool:
    """Whether it is said in a thread that the bot opened, and to nobody else there."""
    thread = message.channel
    if not isinstance(thread, discord.Thread) or thread.owner_id != bot:
        return False
    return not replied_to_another(message, bot) and not TO_OTHERS.match(message.content)


def replied_to_another(message: discord.Message, bot: int) -> bool:
    """Whether it replies to a message that is not known to be the bot's."""
    if message.reference is None:
        return False
    replied = message.reference.resolved
    return not isinstance(replied, discord.Message) or replied.author.id != bot


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
    return ours and not by_machine(message)


def withheld(message: discord.Message, bot: int) -> bool:
    """Whether a member mentioned the bot's role in words that Discord keeps from us."""
    role_alone = own_role(message) is not None and all(user.id != bot for user in message.mentions)
    return role_alone and not message.content and not by_machine(message)


def told_instead(message: discord.Message, bot: int) -> Reply | None:
    """What to say to words that Discord keeps from us; None if there is nothing to say."""
    if overheard(message, bot):
        return Reply(say("discord-unread"))
    return Reply(say("unread-role", mention=f"<@{bot}>")) if withheld(message, bot) else None


def language_of(message: discord.Message) -> str | None:
    """The language of the server that a message was written in."""
    return message.guild.preferred_locale.value if message.guild else None
