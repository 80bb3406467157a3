"""A workspace as Slack remembers it: people, channels, messages, and who may see what."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.fakes.pulse import Pulse
from tests.fakes.slack import blocks as block_kit

Json = dict[str, Any]

TEAM = "T0FAKE001"
APP = "A0FAKE001"
BOT_USER = "U0FAKEBOT"
BOT = "B0FAKE001"


class Kind(StrEnum):
    """Slack's word for where a message is, as in `channel_type`."""

    PUBLIC = "channel"
    PRIVATE = "group"
    GROUP = "mpim"
    """A direct message of several people and the app."""
    DM = "im"


class Stream(StrEnum):
    """Whether a message is being streamed."""

    NEVER = "never"
    RUNNING = "running"
    STOPPED = "stopped"
    """By a member, with Slack's own button."""
    DONE = "done"


@dataclass(slots=True)
class User:
    """Somebody in the workspace; `dm_error` is what opening a DM with them gives."""

    id: str
    name: str
    dm_error: str | None = None
    locale: str = "en-US"
    ranks: frozenset[str] = frozenset()
    """What they are of the workspace: `is_admin`, `is_owner`, `is_primary_owner`."""


@dataclass(slots=True)
class Message:
    """One message, with every text it ever showed and when."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: Json | None = None
    only_for: str | None = None
    files: list[Json] = field(default_factory=list)
    stream: Stream = Stream.NEVER
    stream_until: float = 0.0
    stream_mode: str | None = None
    """`markdown_text` or `chunks`: what a stream was given first, it has to be given always."""
    versions: list[tuple[float, str]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """What a reader sees: the blocks if there are any, else the text."""
        return block_kit.shown(self.blocks) if self.blocks else self.text

    @property
    def buttons(self) -> list[Json]:
        """Every button of the message, in order."""
        return block_kit.buttons(self.blocks)

    @property
    def thumbs(self) -> list[Json]:
        """Its feedback buttons."""
        return block_kit.thumbs(self.blocks)

    @property
    def by_app(self) -> bool:
        """Whether our app wrote it."""
        return self.user == BOT_USER


@dataclass(slots=True)
class Channel:
    """A channel or a DM; ephemeral messages are kept beside the others."""

    id: str
    name: str
    kind: Kind
    members: set[str]
    messages: dict[str, Message] = field(default_factory=dict)
    archived: bool = False


@dataclass(slots=True)
class Window:
    """A window that a user has open, and what it shows now."""

    id: str
    user: str
    view: Json
    errors: Json = field(default_factory=dict)
    """What the app found wrong, by field."""

    @property
    def shown(self) -> str:
        """What a reader sees."""
        return block_kit.shown(self.view["blocks"])


@dataclass(slots=True)
class Session:
    """An agent session in a thread: its state, its name, and the words shown while nothing else is."""

    status: str = "active"
    title: str | None = None
    initiator: str | None = None
    words: str = ""
    words_until: float = 0.0
    history: list[str] = field(default_factory=list)

    def answers(self) -> None:
        """A message came: it takes the words away, and a stream begins a session by itself."""
        self.words, self.status = "", "processing"


class Workspace:
    """The people, channels and messages of one team."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.pulse = Pulse()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.homes: dict[str, Json] = {}
        self.sessions: dict[tuple[str, str], Session] = {}
        self.prompts: dict[str, list[Json]] = {}
        self.windows: dict[str, Window] = {}
        self.files: dict[str, Json] = {}
        """The files of members, by their ids."""
        self.shared_files = False
        """Whether messages tell nothing of files but their ids, as those from other companies may."""
        self.uploads: dict[str, tuple[str, int, bytes | None]] = {}
        """Files on their way: name, announced length, and the content once it has come."""
        self.triggers: dict[str, tuple[str, float]] = {}
        """Who may be shown a window, and until when (loop time)."""
        self._numbers = itertools.count(1)
        self.add_user(BOT_USER, "bot")

    def share(self, other: Workspace) -> None:
        """Take numbers from the same source as another workspace, and wake whoever waits there."""
        self._numbers, self.pulse = other._numbers, other.pulse

    def number(self) -> int:
        """A number never given before."""
        return next(self._numbers)

    def add_user(self, user: str, name: str) -> User:
        """Make somebody known."""
        self.users[user] = User(user, name)
        return self.users[user]

    def add_channel(self, channel: str, name: str, kind: Kind, members: set[str]) -> Channel:
        """Make a channel, or a DM between two."""
        self.channels[channel] = Channel(channel, name, kind, members)
        return self.channels[channel]

    def escaped(self, text: str) -> str:
        """What was typed, with the channels and people in it as Slack writes them."""
        for user in self.users.values():
            text = re.sub(rf"@{re.escape(user.name)}\b", f"<@{user.id}|{user.name}>", text)
        for channel in self.channels.values():
            text = re.sub(rf"#{re.escape(channel.name)}\b", f"<#{channel.id}|{channel.name}>", text)
        return text

    def dm(self, user: str) -> Channel:
        """The DM between a user and the app, made if need be."""
        channel = "D" + user[1:]
        found = self.channels.get(channel)
        return found or self.add_channel(channel, "directmessage", Kind.DM, {user, BOT_USER})

    def session(self, channel: str, thread_ts: str) -> Session:
        """The agent session in a thread, made if need be."""
        return self.sessions.setdefault((channel, thread_ts), Session())

    def add(self, message: Message) -> Message:
        """Put a message into its channel."""
        self.channels[message.channel].messages[message.ts] = message
        self.touched(message)
        return message

    def touched(self, message: Message) -> None:
        """Note what a message shows now."""
        message.versions.append((self.now(), message.shown))
        self.pulse.beat()

    def new_ts(self) -> str:
        """A fresh message timestamp, above all given before."""
        return f"{int(self.now())}.{self.number():06d}"

    def visible(self, channel: str) -> list[Message]:
        """The messages everybody in a channel sees, in the order they came."""
        return [m for m in self.channels[channel].messages.values() if m.only_for is None]
