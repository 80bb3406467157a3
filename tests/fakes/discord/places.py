"""Who and where: the users, channels, threads and DM channels of the fake Discord."""

from collections.abc import Callable

from tests.fakes.discord import shapes
from tests.fakes.discord.errors import Json, closed_dms, missing_access, unknown_channel
from tests.fakes.discord.ids import FakeTime, Snowflakes
from tests.fakes.discord.pulse import Pulse
from tests.fakes.discord.shapes import DM_CHANNEL, PUBLIC_THREAD, TEXT_CHANNEL, Channel, User

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
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.closed: dict[str, int] = {}
        self.emit: Emit = lambda _name, _data, _channel: None
        self.user("alice")
        self.channel("general")

    def user(self, name: str) -> User:
        """Return the user of that name or id, who joins the server when first named."""
        for user in self.users.values():
            if name in {user.id, user.name}:
                return user
        user = User(self.ids.next(), name)
        self.users[user.id] = user
        return user

    def channel(self, name: str, *, reachable: bool = True) -> Channel:
        """Return the channel of that name or id; a new name makes a new channel."""
        for channel in self.channels.values():
            if name in {channel.id, channel.name}:
                return channel
        guild = self.guild if reachable else self.elsewhere
        return self._open(Channel(self.ids.next(), TEXT_CHANNEL, name, guild=guild, reachable=reachable))

    def thread(self, name: str, parent: str) -> Channel:
        """Open a thread in a channel, and tell the bot."""
        above = self.channel(parent).id
        thread = self._open(Channel(self.ids.next(), PUBLIC_THREAD, name, guild=self.guild, parent=above))
        self.emit("THREAD_CREATE", {**shapes.channel_json(thread), "newly_created": True}, thread)
        return thread

    def dm_channel(self, user: User) -> Channel:
        """Return the DM channel of the bot and a user."""
        name = f"dm:{user.id}"
        found = next((channel for channel in self.channels.values() if channel.name == name), None)
        return found or self._open(Channel(self.ids.next(), DM_CHANNEL, name, recipient=user))

    def _open(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        if channel.kind == TEXT_CHANNEL and channel.reachable:
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
        return channel
