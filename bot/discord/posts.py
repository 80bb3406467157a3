"""Messages of ours on Discord, edited by whatever way is open."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import discord

from bot.discord.views import Page
from bot.discord.wire import sure

TOKEN_SECONDS = 14 * 60.0
"""An interaction's token dies after 15 minutes; from here on its message is edited as any of the bot's."""


class Post(Protocol):
    """A message that is shown."""

    @property
    def id(self) -> int:
        """Discord's id."""
        ...

    async def edit(self, page: Page) -> None:
        """Make it this page."""
        ...

    async def delete(self) -> None:
        """Take it away."""
        ...


class ChannelPost:
    """A message in a channel, thread or DM, written by the bot itself."""

    def __init__(self, message: discord.Message | discord.PartialMessage, owner: int) -> None:
        self._message = message
        self._owner = owner

    @property
    def id(self) -> int:
        return self._message.id

    async def edit(self, page: Page) -> None:
        view = page.view(self._owner)
        await sure(lambda: self._message.edit(content=page.text, view=view))

    async def delete(self) -> None:
        await sure(self._message.delete)


class InteractionPost:
    """A message that answers an interaction."""

    def __init__(
        self,
        interaction: discord.Interaction[Any],
        message: discord.InteractionMessage | discord.WebhookMessage,
        expires: float,
    ) -> None:
        """`expires`: when, by the loop's clock, the interaction's token is no longer used."""
        self._interaction = interaction
        self._message = message
        self._expires = expires

    @property
    def id(self) -> int:
        return self._message.id

    async def edit(self, page: Page) -> None:
        if self._over():
            return await self._as_bot().edit(page)
        view = page.view(self._interaction.user.id)
        await sure(lambda: self._message.edit(content=page.text, view=view))
        return None

    async def delete(self) -> None:
        if self._over():
            return await self._as_bot().delete()
        return await sure(self._message.delete)

    def _over(self) -> bool:
        return asyncio.get_running_loop().time() > self._expires

    def _as_bot(self) -> ChannelPost:
        channel = self._interaction.client.get_partial_messageable(self._interaction.channel_id or 0)
        return ChannelPost(channel.get_partial_message(self.id), self._interaction.user.id)
