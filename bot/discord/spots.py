"""Where an answer goes: under a member's message, or to their interaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import discord

from bot.discord.aloud import openly
from bot.discord.limits import channel_clock, interaction_clock
from bot.discord.opening import Opening
from bot.discord.posts import ChannelPost, Post, send, send_plain
from bot.discord.views import PLAIN_LIMIT, Page, of_reply
from bot.discord.wire import FullError, NotAllowedError, PostLostError, ShutError, TokenOverError, sure
from bot.reply import Reply
from bot.words import say
from engine.errors import UnreachableError


class Spot(Protocol):
    """A place in the chat for one answer."""

    @property
    def clock(self) -> str:
        """What the pacing clock is shared by."""
        ...

    @property
    def anchors(self) -> Sequence[str]:
        """The place itself, if conversations continue there: a DM or a thread."""
        ...

    @property
    def owner(self) -> int:
        """Whose answer it is: a user id."""
        ...

    @property
    def reach(self) -> int | None:
        """The channel in which the bot itself can edit what it shows here; None if it cannot."""
        ...

    @property
    def private(self) -> bool:
        """Whether only one member sees what is posted here, by Discord's own doing."""
        ...

    @property
    def closing(self) -> bool:
        """Whether soon nothing can be written here any more, nor go on elsewhere."""
        ...

    async def post(self, page: Page) -> Post:
        """Show one more message.

        GoneError: the place was deleted; TokenOverError, FullError: it takes no more.
        """
        ...

    async def show(self, reply: Reply) -> None:
        """Show a reply, as privately as this place allows."""
        ...


class Upkeep:
    """Edits the messages of an answer; one that was deleted meanwhile is written anew, once."""

    def __init__(self) -> None:
        self._lost = False

    async def edit(self, spot: Spot, post: Post, page: Page) -> Post:
        """The message as this page: a new one if it was deleted or its thread archived.

        PostLostError: a second one was deleted, so somebody does not want it there.
        """
        try:
            await post.edit(page)
        except PostLostError:
            if self._lost:
                raise
            self._lost = True
        except ShutError:
            pass
        else:
            return post
        return await spot.post(page)


class MessageSpot:
    """Below a message in a channel, thread or DM."""

    private = closing = False

    def __init__(self, message: discord.Message, anchors: Sequence[str], *, replies: bool = True) -> None:
        """`replies`: whether Discord lets us reply, which takes the right to read back."""
        self._message = message
        self._channel: discord.abc.MessageableChannel = message.channel
        self._reference = message.to_reference(fail_if_not_exists=False) if replies else None
        self._rings = message.guild is None
        self._rung: ChannelPost | None = None
        """The first message of a DM, until it is more than plain text."""
        self.anchors = anchors

    @property
    def owner(self) -> int:
        return self._message.author.id

    @property
    def reach(self) -> int | None:
        return self._channel.id

    @property
    def clock(self) -> str:
        return channel_clock(self._message.channel.id)

    async def post(self, page: Page) -> Post:
        """Show one more message: the first as a reply, which pings nobody.

        What an archived thread takes opens it again; if it is locked, the channel above gets the rest.
        """
        try:
            return await self._write(page)
        except (ShutError, NotAllowedError):
            if not await self._moved_up():
                raise
        return await self._write(page)

    async def _write(self, page: Page) -> ChannelPost:
        """Write here; the first in a DM, which rings, begins as plain text that a notification shows."""
        owner = self.owner
        if self._rings:
            post = self._rung = self._rung or await send_plain(
                self._channel, page, owner, reference=self._reference
            )
            await post.edit(page)
            self._rings, self._reference = False, None
            return post
        post = await send(self._channel, page, owner, self._reference)
        self._reference = None
        return post

    async def _moved_up(self) -> bool:
        """Go on in the channel of a thread, below the message that the thread is of."""
        thread = self._channel
        if not isinstance(thread, discord.Thread) or not isinstance(thread.parent, discord.TextChannel):
            return False
        self._channel = thread.parent
        self._reference = discord.MessageReference(
            message_id=thread.id, channel_id=thread.parent_id, fail_if_not_exists=False
        )
        await self._write(Page(notice=say("discord-moved", thread=thread.mention)))
        return True

    async def show(self, reply: Reply) -> None:
        """Show a reply here; in a DM that is what belongs into one."""
        here = reply.direct if reply.direct is not None and self._message.guild is None else reply
        for page in of_reply(here):
            await self.post(page)


class InteractionSpot:
    """The answer to a slash command or a button."""

    def __init__(self, opening: Opening, anchors: Sequence[str]) -> None:
        """An answer here is as private as the opening."""
        self._opening = opening
        self.anchors = anchors

    @property
    def private(self) -> bool:
        return self._opening.private

    @property
    def owner(self) -> int:
        return self._opening.interaction.user.id

    @property
    def reach(self) -> int | None:
        return self._way.id if self._way else None

    @property
    def clock(self) -> str:
        """One clock for each interaction: Discord counts its edits apart from the channel's."""
        return interaction_clock(self._opening.interaction.token)

    @property
    def closing(self) -> bool:
        return self._opening.over and self._way is None

    @property
    def _way(self) -> discord.PartialMessageable | None:
        """How the answer goes on after the interaction; a private one cannot."""
        return None if self.private else self._opening.way

    async def post(self, page: Page) -> Post:
        """Show one more message, as any of the bot's own once the interaction is over."""
        way = self._way
        if way is None or not self._opening.over:
            try:
                return await self._opening.say(page, private=self.private)
            except (TokenOverError, FullError):
                if way is None:
                    raise
        return await send(way, page, self.owner)

    async def show(self, reply: Reply) -> None:
        """Show a reply; what belongs into a DM is sent there, or shown privately if DMs are closed."""
        shown = reply if self.private else openly(reply)
        if reply.direct is not None and not await self._sent(reply.direct):
            shown = reply.direct
        for page in of_reply(shown):
            await self._opening.say(page, private=shown.private)

    def open_to_all(self) -> None:
        """Let everybody see what is said here, unless Discord was told otherwise before."""
        self._opening.decide(private=False)

    async def nothing(self) -> None:
        """Acknowledge without any words."""
        await self._opening.nothing()

    async def _sent(self, reply: Reply) -> bool:
        user = self._opening.interaction.user
        try:
            channel = await sure(lambda: self._opening.interaction.client.create_dm(user))
            for page in of_reply(reply, PLAIN_LIMIT):
                await send_plain(channel, page, user.id)
        except UnreachableError:
            return False
        return True
