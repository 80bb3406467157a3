"""Who and where: the users, channels, threads and DM channels of the fake Discord."""

from collections.abc import Callable

from tests.fakes.discord import shapes
from tests.fakes.discord.errors import (
    Json,
    closed_dms,
    missing_access,
    missing_permissions,
    thread_archived,
    unknown_channel,
)
from tests.fakes.discord.ids import FakeTime, Snowflakes
from tests.fakes.discord.shapes import (
    CATEGORY,
    DM_CHANNEL,
    EVERYTHING,
    GROUP_DM,
    ORDINARY,
    PUBLIC_THREAD,
    SEND,
    SEND_IN_THREADS,
    TEXT_CHANNEL,
    VIEW,
    Channel,
    User,
)
from tests.fakes.pulse import Pulse

Emit = Callable[[str, Json, Channel], None]


class Places:
    """One server with its members and channels, and the DM channels of its bot."""

    def __init__(self) -> None:
        self.clock = FakeTime()
        self.ids = Snowflakes(self.clock)
        self.pulse = Pulse()
        self.guild = self.ids.next()
        self.elsewhere = self.ids.next()
        """A server in which the bot is not."""
        self.bot = User(self.ids.next(), "loopback-bot", bot=True)
        self.own_role = self.ids.next()
        self.bot.roles.append(self.own_role)
        self.roles: dict[str, Json] = {
            self.own_role: shapes.role_json(self.own_role, "loopback", bot=self.bot.id)
        }
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.closed: dict[str, int] = {}
        self.locales: dict[str, str] = {}
        """What users have set, by id, where that is not American English."""
        self.preferred_locale = "en-US"
        self.emit: Emit = lambda _name, _data, _channel: None
        self.user("alice").admin = True
        self.channel("general")

    def user(self, name: str) -> User:
        """Return the user of that name or id, who joins the server when first named."""
        for user in self.users.values():
            if name in {user.id, user.name}:
                return user
        user = User(self.ids.next(), name)
        self.users[user.id] = user
        return user

    def role(self, name: str) -> str:
        """Return the id of the server's role of that name; a new name makes a new role."""
        for known in self.roles.values():
            if known["name"] == name:
                return str(known["id"])
        made = shapes.role_json(self.ids.next(), name)
        self.roles[made["id"]] = made
        self.emit("GUILD_ROLE_CREATE", {"guild_id": self.guild, "role": made}, self.channel("general"))
        return str(made["id"])

    def channel(self, name: str, *, reachable: bool = True, category: str | None = None) -> Channel:
        """Return the channel of that name or id; a new name makes a new channel."""
        for channel in self.channels.values():
            if name in {channel.id, channel.name}:
                return channel
        guild = self.guild if reachable else self.elsewhere
        above = self._category(category).id if category else None
        return self._open(
            Channel(self.ids.next(), TEXT_CHANNEL, name, guild=guild, reachable=reachable, parent=above)
        )

    def _category(self, name: str) -> Channel:
        found = next((each for each in self.channels.values() if each.name == name), None)
        return found or self._open(Channel(self.ids.next(), CATEGORY, name, guild=self.guild))

    def group_dm(self, name: str) -> Channel:
        """Return a group DM, in which only the user's own installation of the app is present."""
        found = next((each for each in self.channels.values() if each.name == name), None)
        return found or self._open(Channel(self.ids.next(), GROUP_DM, name, reachable=False))

    def deny(self, channel: Channel, permissions: int) -> None:
        """Deny the bot (and all who manage nothing) permissions in a channel; 0 gives all back."""
        channel.denied = permissions
        self.emit("CHANNEL_UPDATE", shapes.channel_json(channel), channel)

    def allowed(self, channel: Channel) -> int:
        """Return the permissions of the bot in a channel or in a thread of it."""
        holder = self.channels.get(channel.parent or "") if channel.kind == PUBLIC_THREAD else channel
        return EVERYTHING if channel.guild is None else ORDINARY & ~(holder or channel).denied

    def thread(
        self, name: str, parent: str, *, owner: User | None = None, number: str | None = None
    ) -> Channel:
        """Open a thread in a channel, and tell the bot; `number` is that of the message it is of."""
        above = self.channel(parent).id
        identity = number or self.ids.next()
        opened = Channel(identity, PUBLIC_THREAD, name, self.guild, parent=above)
        opened.owner = owner.id if owner else None
        thread = self._open(opened)
        self.emit("THREAD_CREATE", {**shapes.channel_json(thread), "newly_created": True}, thread)
        return thread

    def dm_channel(self, user: User) -> Channel:
        """Return the DM channel of the bot and a user."""
        name = f"dm:{user.id}"
        found = next((channel for channel in self.channels.values() if channel.name == name), None)
        return found or self._open(Channel(self.ids.next(), DM_CHANNEL, name, recipient=user))

    def _open(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        if channel.kind in {TEXT_CHANNEL, CATEGORY} and channel.reachable:
            self.emit("CHANNEL_CREATE", shapes.channel_json(channel), channel)
        return channel

    def writable(self, channel_id: str) -> Channel:
        """Return a channel in which the bot may write; ApiError if it may not."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise unknown_channel()
        if not channel.reachable:
            raise missing_access()
        if channel.recipient is not None and channel.recipient.id in self.closed:
            raise closed_dms(self.closed[channel.recipient.id])
        allowed = self.allowed(channel)
        if not allowed & VIEW:
            raise missing_access()
        if not allowed & (SEND_IN_THREADS if channel.kind == PUBLIC_THREAD else SEND):
            raise missing_permissions()
        if channel.archived and channel.locked:
            raise thread_archived()
        return channel

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Put a thread to sleep."""
        thread.archived, thread.locked = True, locked
        self.emit("THREAD_UPDATE", shapes.channel_json(thread), thread)
