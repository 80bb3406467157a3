"""Notices by DM, alerts there and in channels, each once; plain: what rings shows no components."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import discord

from bot import alarms, announcing, news
from bot.discord.mender import DiscordMender
from bot.discord.posts import send_plain
from bot.discord.views import PLAIN_LIMIT, Page, of_reply
from bot.discord.wire import sure
from bot.reply import Reply
from bot.words import speaking
from engine.alerts import Bulletin
from engine.announcements import Letter
from engine.channels import Channel
from engine.domain import Person
from engine.errors import GoneError, UnreachableError
from engine.notices import Notice

NONCE_LIMIT = 25
NOBODY = 0
"""Whose the buttons of a message in a channel would be."""
LET_IN = "let the bot see the channel and send messages there, or name another one in config.toml"
LOOK_BACK = 50
"""Messages that are searched for an earlier try; Discord forgets a nonce after some minutes."""
DISCORD_BEHIND = timedelta(minutes=2)
"""How far Discord's clock may be behind ours."""


class DiscordMessenger(DiscordMender):
    """The engine's Messenger, Herald and Crier for Discord, and its Mender."""

    async def deliver(self, notice: Notice, *, again: bool) -> None:
        with speaking(notice.locale):
            pages = of_reply(news.notice(notice), PLAIN_LIMIT)
            words = news.notice(replace(notice, kept=None)).text  # what waits may be another since
        since = notice.created_at if again else None
        await self._write(notice.person, notice.key, pages, since, words, silent=news.quiet(notice))

    async def tell(self, bulletin: Bulletin, *, again: bool) -> None:
        with speaking(bulletin.locale):
            pages = of_reply(alarms.bulletin(bulletin), PLAIN_LIMIT)
        since = bulletin.since if again else None
        if isinstance(bulletin.to, Channel):
            await self._post(bulletin.to, bulletin.id, pages, since)
        else:
            await self._write(bulletin.to, bulletin.id, pages, since)

    async def publish(self, channel: Channel, key: str, text: str, tried_since: datetime | None) -> None:
        pages = of_reply(Reply(text), PLAIN_LIMIT)
        await self._post(channel, key, pages, tried_since, text.partition("\n")[0])

    async def _post(
        self,
        to: Channel,
        key: str,
        pages: Sequence[Page],
        tried_since: datetime | None,
        words: str | None = None,
    ) -> None:
        """Write into a channel; an earlier try is recognised as in `_write`, as far as we may read there."""
        client = self.client
        channel = client.get_partial_messageable(int(to.id))
        try:
            for number, page in enumerate(pages):
                begins = (words if number == 0 else None) or page.words
                if not (tried_since and await seen(channel, client, tried_since, begins)):
                    await send_plain(channel, page, NOBODY, nonce=nonce(key, number))
        except GoneError as error:
            raise UnreachableError(f"{error}; {LET_IN}") from error

    async def announce(self, letter: Letter, *, again: bool) -> None:
        with speaking(letter.locale):
            pages = of_reply(announcing.announcement(letter), PLAIN_LIMIT)
        await self._write(letter.person, letter.key, pages, letter.since if again else None, letter.text)

    async def _write(
        self,
        person: Person,
        key: str,
        pages: Sequence[Page],
        tried_since: datetime | None,
        words: str | None = None,
        *,
        silent: bool = False,
    ) -> None:
        """Write to a person; an earlier try is recognised by its nonce, or later by its (first) `words`."""
        client, user = self.client, int(person.user)
        try:
            channel = await sure(lambda: client.create_dm(discord.Object(user)))
            for number, page in enumerate(pages):
                begins = words or page.words
                if not (tried_since and await shown(channel, client, tried_since, begins)):
                    await send_plain(channel, page, user, nonce=nonce(key, number), silent=silent)
        except GoneError as error:
            raise UnreachableError(str(error)) from error


async def seen(
    channel: discord.PartialMessageable, client: discord.Client, since: datetime, words: str
) -> bool:
    """As `shown`; no where we may not read what was written: a nonce of some minutes has to do there."""
    try:
        return await shown(channel, client, since, words)
    except GoneError:
        return False


async def shown(
    channel: discord.abc.Messageable, client: discord.Client, since: datetime, words: str
) -> bool:
    """Whether a message that begins with these words was written there since that moment of ours."""

    async def recent() -> list[discord.Message]:
        return [message async for message in channel.history(limit=LOOK_BACK)]

    me = client.user.id if client.user else 0
    return any(
        message.author.id == me
        and message.content.startswith(words)
        and message.created_at >= since - DISCORD_BEHIND
        for message in await sure(recent)
    )


def nonce(key: str, number: int) -> str:
    """The nonce of a message's page: the same for every try, and within Discord's 25 characters."""
    return hashlib.sha256(f"{key}/{number}".encode()).hexdigest()[:NONCE_LIMIT]
