"""A thread of its own for the answer to an `/ask`, opened with its first words below the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from bot.discord.disarm import disarmed
from bot.discord.places import lacking
from bot.discord.posts import Post, send
from bot.discord.spots import InteractionSpot
from bot.discord.views import Page
from bot.discord.wire import NotAllowedError, ShutError, sure
from bot.reply import Reply
from bot.words import say
from engine.errors import GoneError

NAME_LIMIT = 100
SHOWN_LIMIT = 1500
"""Characters of a question that are shown above its thread."""
THREAD_EXISTS = 160004
"""Only an answer that got lost brings this: nobody else opens a thread of a message that is just written."""
TO_OPEN = ("view_channel", "create_public_threads", "send_messages_in_threads")
Opened = discord.Thread | discord.PartialMessageable


class ThreadSpot:
    """The thread of one answer; where none can be opened, the words why and the answer are in the channel.

    Nothing is opened before there is something to show: a refusal leaves no trace.
    """

    def __init__(
        self, interaction: discord.Interaction[Any], channel: InteractionSpot, question: str
    ) -> None:
        self._interaction = interaction
        self._channel = channel
        self._question = question
        self._tried = False
        self._thread: Opened | None = None

    @property
    def clock(self) -> str:
        return f"discord:{self._thread.id}" if self._thread else self._channel.clock

    @property
    def owner(self) -> int:
        return self._channel.owner

    @property
    def reach(self) -> int | None:
        return self._thread.id if self._thread else self._channel.reach

    @property
    def private(self) -> bool:
        return self._thread is None and self._channel.private

    @property
    def closing(self) -> bool:
        return self._thread is None and self._channel.closing

    @property
    def anchors(self) -> Sequence[str]:
        return [f"discord:thread:{self._thread.id}"] if self._thread else self._channel.anchors

    async def post(self, page: Page) -> Post:
        """Show one more message, the first one in the thread that it opens; once locked, in the channel."""
        if not self._tried:
            self._tried = True
            self._thread = await self._opened()
        if self._thread is None:
            return await self._channel.post(page)
        try:
            return await send(self._thread, page, self._interaction.user.id)
        except (ShutError, NotAllowedError):
            self._thread = None
        return await self._channel.post(page)

    async def show(self, reply: Reply) -> None:
        """Show a reply where the command was used."""
        await self._channel.show(reply)

    async def _opened(self) -> Opened | None:
        """The thread; None if there can be none, of which the member is told."""
        place, name = self._interaction.channel, name_for(self._question)
        if not isinstance(place, discord.TextChannel) or not self._interaction.is_guild_integration():
            await self._channel.show(Reply(say("thread-nowhere")))
            return None
        if missing := lacking(self._interaction.app_permissions, TO_OPEN):
            names = ", ".join(f"**{each}**" for each in missing)
            await self._channel.show(Reply(say("thread-lacking", permissions=names)))
            return None
        shown = await self._channel.post(question_page(self._question, self._interaction.user.display_name))
        client: discord.Client = self._interaction.client
        try:
            return await thread_of(place.get_partial_message(shown.id), name, client)
        except GoneError:
            await self._channel.show(Reply(say("thread-refused")))
            return None


async def thread_of(message: discord.PartialMessage, name: str, client: discord.Client) -> Opened:
    """Open the public thread of a message, which gets the message's id. GoneError: it may not be opened."""

    async def attempt() -> Opened:
        try:
            return await message.create_thread(name=name)
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                raise
            return client.get_partial_messageable(message.id)

    return await sure(attempt)


def question_page(question: str, asker: str) -> Page:
    """The question as it stands above its thread."""
    text = question if len(question) <= SHOWN_LIMIT else f"{question[: SHOWN_LIMIT - 1]}…"
    name = discord.utils.escape_markdown(asker)
    return Page(disarmed(text, SHOWN_LIMIT), footer=say("thread-question", name=name))


def name_for(question: str) -> str:
    """A thread's name: the question in one line, as far as it goes."""
    name = " ".join(question.split()) or say("thread-unnamed")
    return name if len(name) <= NAME_LIMIT else f"{name[: NAME_LIMIT - 1]}…"
