"""The floor and the usual way: discord.py and a loop that edits on a timer, with nothing else of a bot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

import discord

from bot.discord.invite import intents

TIMER = 1.0
Stream = Callable[[str], AsyncGenerator[str, None]]


class BareBot(discord.Client):
    """Answers with an edit a second, timed for each message or, as llmcord does, by one clock for all."""

    def __init__(self, stream: Stream, *, one_clock: bool) -> None:
        super().__init__(intents=intents(), max_messages=None, chunk_guilds_at_startup=False)
        self._stream = stream
        self._one_clock = one_clock
        self._edited = 0.0

    async def on_message(self, message: discord.Message) -> None:
        """Stream into a reply."""
        if message.author.bot:
            return
        text, shown, edited = "", None, 0.0
        editing: asyncio.Task[discord.Message] | None = None
        async for word in self._stream(message.content):
            text += word
            last = self._edited if self._one_clock else edited
            if shown is None:
                shown = await message.reply(text, mention_author=False)
                self._edited = edited = time.monotonic()
            elif time.monotonic() - last >= TIMER and (editing is None or editing.done()):
                editing = asyncio.create_task(shown.edit(content=text))
                self._edited = edited = time.monotonic()
        if editing is not None:
            await editing
        if shown is not None:
            await shown.edit(content=text)
