"""Everything that is said on the fake Discord, and who was notified of what."""

import re
import time
from collections.abc import Iterator

from tests.fakes.discord import components, rules, shapes
from tests.fakes.discord.errors import (
    Json,
    invalid_form,
    missing_access,
    no_history,
    unknown_channel,
    unknown_message,
)
from tests.fakes.discord.message import Message
from tests.fakes.discord.places import Places
from tests.fakes.discord.shapes import Channel, User

NONCE_MEMORY = 300.0
"""Seconds for which a nonce is remembered; Discord says "the past few minutes"."""
EDITABLE = ("content", "embeds", "components", "flags", "attachments")


class World(Places):
    """A server in which messages are written, edited and deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Message] = {}
        self.typing: list[str] = []
        self.granted: int | None = shapes.ORDINARY
        """What the bot may do all over the server; None: it is in none."""
        self._nonces: dict[tuple[str, str], tuple[float, Message]] = {}

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel with all that is in it."""
        del self.channels[channel.id]
        for message in [found for found in self.messages.values() if found.channel is channel]:
            del self.messages[message.id]
        self.emit("CHANNEL_DELETE", shapes.channel_json(channel), channel)

    def visible(self, channel_id: str, message_id: str) -> Message:
        """Return a message that the bot may see in its channel, so no ephemeral one; ApiError without."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise unknown_channel()
        if not channel.reachable:
            raise missing_access()
        message = self.messages.get(message_id)
        if message is None or message.channel is not channel or message.only_for:
            raise unknown_message()
        return message

    def post(
        self,
        channel: Channel,
        author: User,
        body: Json,
        *,
        only_for: str | None = None,
        extra: Json | None = None,
    ) -> Message:
        """Create a message and tell the bot of it, unless it is a repetition of an enforced nonce."""
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce") and (same := self._repeated(author, str(nonce))):
            return same
        replied = self._replied(channel, body)
        if author is self.bot and replied is not None and not self.allowed(channel) & shapes.HISTORY:
            raise no_history()
        wire = self._wire(channel, author, body) | (extra or {})
        if replied is not None:
            wire |= {"type": 19, "message_reference": self._reference(replied)}
            wire["referenced_message"] = replied.wire
        message = Message(wire, channel, author, only_for)
        channel.archived = False
        message.pings = rules.pinged(message.text, body.get("allowed_mentions"), self._notified(replied))
        wire["mentions"] = [shapes.user_json(user) for user in self._mentioned(message, replied)]
        self._store(message)
        if nonce is not None:
            self._nonces[author.id, str(nonce)] = (self.clock.now(), message)
        self.announce("MESSAGE_CREATE", message)
        return message

    def _repeated(self, author: User, nonce: str) -> Message | None:
        when, message = self._nonces.get((author.id, nonce), (0.0, None))
        return message if self.clock.now() - when < NONCE_MEMORY else None

    def _replied(self, channel: Channel, body: Json) -> Message | None:
        reference = body.get("message_reference")
        if not reference:
            return None
        found = self.messages.get(str(reference["message_id"]))
        if found is not None and found.channel is channel:
            return found
        if reference.get("fail_if_not_exists", True):
            raise invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return None

    def _notified(self, replied: Message | None) -> str | None:
        """Return whom a reply pings: nobody, if it is to the answer to an interaction."""
        answers_interaction = replied is not None and "interaction_metadata" in replied.wire
        return None if replied is None or answers_interaction else replied.author.id

    def _reference(self, replied: Message) -> Json:
        inside = {} if replied.channel.guild is None else {"guild_id": replied.channel.guild}
        return {"type": 0, "channel_id": replied.channel.id, "message_id": replied.id, **inside}

    def _mentioned(self, message: Message, replied: Message | None) -> Iterator[User]:
        everyone = {**self.users, self.bot.id: self.bot}
        named = {user for user in everyone if f"<@{user}>" in message.text}
        if replied is not None and replied.author.id in message.pings:
            named.add(replied.author.id)
        yield from (everyone[user] for user in sorted(named))

    def _wire(self, channel: Channel, author: User, body: Json) -> Json:
        kept = {"nonce": body["nonce"]} if body.get("nonce") is not None else {}
        return {
            "id": self.ids.next(),
            "channel_id": channel.id,
            "author": shapes.user_json(author),
            "content": (body.get("content") or "").strip(),
            "timestamp": self.clock.stamp(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": re.findall(r"<@&(\d+)>", body.get("content") or ""),
            "attachments": [] if author is self.bot else body.get("attachments") or [],
            "embeds": body.get("embeds") or [],
            "pinned": False,
            "type": 0,
            "flags": body.get("flags") or 0,
            "components": components.numbered(body.get("components") or []),
            **kept,
        }

    def _store(self, message: Message) -> None:
        self.messages[message.id] = message
        message.versions.append((time.monotonic(), message.text))

    def edit(self, message: Message, body: Json) -> None:
        """Change what a body names of a message; it stops "thinking"."""
        change = {name: body[name] for name in EDITABLE if name in body}
        if change.get("components") is not None:
            change["components"] = components.numbered(change["components"])
        if change.get("attachments") is not None:
            kept = {str(entry["id"]) for entry in change["attachments"]}
            change["attachments"] = [one for one in message.wire["attachments"] if one["id"] in kept]
        flags = (change.pop("flags", None) or 0) & rules.COMPONENTS_V2
        message.wire |= {name: value if value is not None else [] for name, value in change.items()}
        message.wire["content"] = (message.wire["content"] or "").strip()
        message.wire["flags"] = (message.wire["flags"] | flags) & ~rules.LOADING
        message.wire["edited_timestamp"] = self.clock.stamp()
        message.versions.append((time.monotonic(), message.text))
        message.pings += rules.pinged(message.text, body.get("allowed_mentions"), None)
        self.announce("MESSAGE_UPDATE", message)

    def attach(self, message: Message, files: dict[str, bytes]) -> None:
        """Keep uploaded files with a message, and let its components show them."""
        message.files |= files
        for name, data in files.items():
            url = f"https://cdn.example/{message.id}/{name}"
            entry = {"id": self.ids.next(), "filename": name, "size": len(data), "url": url, "proxy_url": url}
            message.wire["attachments"] = [*message.wire["attachments"], entry]
        components.filed(message.wire["components"], message.wire["attachments"])

    def delete(self, message: Message) -> None:
        """Remove a message and tell the bot."""
        del self.messages[message.id]
        data: Json = {"id": message.id, "channel_id": message.channel.id}
        if message.channel.guild is not None:
            data["guild_id"] = message.channel.guild
        if not message.only_for:
            self.emit("MESSAGE_DELETE", data, message.channel)
        self.pulse.beat()

    def announce(self, event: str, message: Message) -> None:
        """Tell the bot of a message, if it may see it, and wake the tests that wait."""
        self.pulse.beat()
        hidden = not message.channel.reachable or not self.allowed(message.channel) & shapes.VIEW
        if message.only_for or hidden:
            return
        data = dict(message.wire)
        if message.channel.guild is not None:
            data["guild_id"] = message.channel.guild
            data["member"] = shapes.member_json(message.author, with_user=False)
        self.emit(event, data, message.channel)

    def in_channel(self, channel: Channel) -> list[Message]:
        """Return a channel's messages, ephemeral ones included, oldest first."""
        found = [message for message in self.messages.values() if message.channel is channel]
        return sorted(found, key=lambda message: int(message.id))
