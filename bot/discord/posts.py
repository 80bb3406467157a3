"""Messages of ours on Discord, edited by whatever way is open."""

from __future__ import annotations

from typing import Any, Protocol

import discord

from bot.discord.views import Page
from bot.discord.wire import TokenOverError, sure


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

    def __init__(
        self, message: discord.Message | discord.PartialMessage, owner: int, *, plain: bool = False
    ) -> None:
        """`plain` says that it was written without components, which its first edit brings."""
        self._message = message
        self._owner = owner
        self._plain = plain

    @property
    def id(self) -> int:
        return self._message.id

    async def edit(self, page: Page) -> None:
        emptied: dict[str, Any] = {"content": None} if self._plain else {}
        await sure(lambda: self._message.edit(**components_of(page, self._owner), **emptied))
        self._plain = False

    async def delete(self) -> None:
        await sure(self._message.delete)


class InteractionPost:
    """A message that answers an interaction; when that is over, it is edited as any of the bot's own."""

    def __init__(
        self,
        interaction: discord.Interaction[Any],
        message: discord.InteractionMessage | discord.WebhookMessage,
    ) -> None:
        self._interaction = interaction
        self._message = message

    @property
    def id(self) -> int:
        return self._message.id

    async def edit(self, page: Page) -> None:
        owner = self._interaction.user.id
        try:
            await sure(lambda: self._message.edit(**components_of(page, owner)))
        except TokenOverError:
            await self._as_bot().edit(page)

    async def delete(self) -> None:
        try:
            await sure(self._message.delete)
        except TokenOverError:
            await self._as_bot().delete()

    def _as_bot(self) -> ChannelPost:
        message = channel_of(self._interaction).get_partial_message(self.id)
        return ChannelPost(message, self._interaction.user.id)


def components_of(page: Page, owner: int) -> dict[str, Any]:
    """A page as an edit takes it; where no content changes, discord.py forgets what the client allows."""
    files = {"attachments": page.uploads()} if page.files else {}
    return {"view": page.view(owner), "allowed_mentions": discord.AllowedMentions.none(), **files}


def channel_of(interaction: discord.Interaction[Any]) -> discord.PartialMessageable:
    """The channel of an interaction as the bot itself reaches it, if it is there at all."""
    client: discord.Client = interaction.client
    return client.get_partial_messageable(interaction.channel_id or 0)
