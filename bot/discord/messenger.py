"""Notices by DM, each shown once; plain, since they ring and a notification shows no components."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import discord

from bot import news
from bot.discord.mender import DiscordMender
from bot.discord.posts import send_plain
from bot.discord.views import PLAIN_LIMIT, Page, of_reply
from bot.discord.wire import sure
from bot.words import speaking
from engine.errors import GoneError, UnreachableError
from engine.notices import Notice

NONCE_LIMIT = 25
LOOK_BACK = 50
"""Messages of a DM that are searched for an earlier try; Discord forgets a nonce after some minutes."""
DISCORD_BEHIND = timedelta(minutes=2)
"""How far Discord's clock may be behind ours."""


class DiscordMessenger(DiscordMender):
    """The engine's Messenger for Discord, and its Mender."""

    async def deliver(self, notice: Notice, *, again: bool) -> None:
        """Send the notice; an earlier try is recognised by its nonce, or later by its words."""
        client = self.client
        user = int(notice.person.user)
        with speaking(notice.locale):
            pages = of_reply(news.notice(notice), PLAIN_LIMIT)
        try:
            channel = await sure(lambda: client.create_dm(discord.Object(user)))
            for number, page in enumerate(pages):
                if not (again and await shown(channel, client, notice, page)):
                    await send_plain(
                        channel, page, user, nonce=nonce(notice.key, number), silent=news.quiet(notice)
                    )
        except GoneError as error:
            raise UnreachableError(str(error)) from error


async def shown(channel: discord.DMChannel, client: discord.Client, notice: Notice, page: Page) -> bool:
    """Whether these words were written there since the notice was owed."""

    async def recent() -> list[discord.Message]:
        return [message async for message in channel.history(limit=LOOK_BACK)]

    me = client.user.id if client.user else 0
    since = notice.created_at - DISCORD_BEHIND
    return any(
        message.author.id == me and message.content == page.words and message.created_at >= since
        for message in await sure(recent)
    )


def nonce(key: str, number: int) -> str:
    """The nonce of a notice's page: the same for every try, and within Discord's 25 characters."""
    return hashlib.sha256(f"{key}/{number}".encode()).hexdigest()[:NONCE_LIMIT]
