"""Where an answer goes: under a member's message, or to their interaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Protocol

import discord

from bot.discord.opening import Opening
from bot.discord.posts import ChannelPost, Post, channel_of
from bot.discord.views import PLAIN_LIMIT, Page, of_reply
from bot.discord.wire import TokenOverError, sure
from bot.reply import Reply
from engine.errors import UnreachableError

NONCE_BYTES = 12
"""As hexadecimal digits just below the 25 characters that Discord takes."""


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

    async def post(self, page: Page) -> Post:
        """Show one more message. GoneError: the place was deleted."""
        ...

    async def show(self, reply: Reply) -> None:
        """Show a reply, as privately as this place allows."""
        ...


class MessageSpot:
    """Below a message in a channel, thread or DM."""

    def __init__(self, message: discord.Message, anchors: Sequence[str], *, replies: bool = True) -> None:
        """`replies`: whether Discord lets us reply, which takes the right to read back."""
        self._message = message
        self.anchors = anchors
        self._first = replies

    @property
    def clock(self) -> str:
        return f"discord:{self._message.channel.id}"

    async def post(self, page: Page) -> Post:
        """Show one more message: the first as a reply, which pings nobody.

        In a DM, which rings, that one begins as plain text: notifications show nothing of components.
        """
        channel, owner, first = self._message.channel, self._message.author.id, self._first
        reference = self._message.to_reference(fail_if_not_exists=False) if first else None
        if first and self._message.guild is None:
            post = await send_plain(channel, page, owner, reference=reference)
            await post.edit(page)
        else:
            post = await send(channel, page, owner, reference)
        self._first = False
        return post

    async def show(self, reply: Reply) -> None:
        """Show a reply here; in a DM that is what belongs into one."""
        here = reply.direct if reply.direct is not None and self._message.guild is None else reply
        for page in of_reply(here):
            await self.post(page)


class InteractionSpot:
    """The answer to a slash command or a button."""

    def __init__(self, opening: Opening, anchors: Sequence[str]) -> None:
        self._opening = opening
        self.anchors = anchors

    @property
    def clock(self) -> str:
        """One clock for each interaction: Discord counts its edits apart from the channel's."""
        return f"discord:interaction:{self._opening.interaction.id}"

    async def post(self, page: Page) -> Post:
        """Show one more message, as any of the bot's own once the interaction is over."""
        try:
            return await self._opening.say(page, private=False)
        except TokenOverError:
            interaction = self._opening.interaction
            return await send(channel_of(interaction), page, interaction.user.id)

    async def show(self, reply: Reply) -> None:
        """Show a reply; what belongs into a DM is sent there, or shown privately if DMs are closed."""
        shown = reply
        if reply.direct is not None and not await self._sent(reply.direct):
            shown = reply.direct
        for page in of_reply(shown):
            await self._opening.say(page, private=shown.private)

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


async def send(
    channel: discord.abc.Messageable,
    page: Page,
    owner: int,
    reference: discord.MessageReference | None = None,
) -> ChannelPost:
    """Write into a channel; a repeated call makes the same message."""
    named = secrets.token_hex(NONCE_BYTES)
    message = await sure(
        lambda: channel.send(
            view=page.view(owner),
            files=page.uploads(),
            nonce=named,
            reference=reference,  # type: ignore[arg-type]  # None is its default
        )
    )
    return ChannelPost(message, owner)


async def send_plain(
    channel: discord.abc.Messageable,
    page: Page,
    owner: int,
    *,
    reference: discord.MessageReference | None = None,
    nonce: str | None = None,
    silent: bool = False,
) -> ChannelPost:
    """Write words and buttons alone, which a notification shows; `silent` rings no bell.

    The nonce makes a repeated call the same message. An edit may make it the whole page, never the reverse.
    """
    named = nonce or secrets.token_hex(NONCE_BYTES)
    view = page.plain_view(owner)
    message = await sure(
        lambda: channel.send(
            page.words,
            view=view,  # type: ignore[arg-type]  # None is its default
            nonce=named,
            reference=reference,  # type: ignore[arg-type]  # None is its default
            suppress_embeds=True,
            silent=silent,
        )
    )
    return ChannelPost(message, owner, plain=True)
