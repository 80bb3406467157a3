"""An interaction's answer: at once where words are ready in time, else acknowledged and completed later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import discord

from bot.discord.posts import InteractionPost
from bot.discord.views import Page
from bot.discord.wire import sure
from engine.errors import OutsideError

log = logging.getLogger("bot.discord")

PROMPT_SECONDS = 0.8
"""How long words may take before the interaction is acknowledged without them; Discord gives up after 3 s."""
ALREADY_ACKNOWLEDGED = 40060
Callback = discord.InteractionCallbackResponse[Any] | None
Answer = discord.InteractionMessage | discord.WebhookMessage


class Opening:
    """The answers to one interaction, as a context within which all of them are given.

    What is said first may be private or not, as long as it comes promptly; after that, the first answer is as
    private as `private` says, because Discord fixes that with the acknowledgement.
    """

    def __init__(
        self, interaction: discord.Interaction[Any], *, private: bool, prompt: float = PROMPT_SECONDS
    ) -> None:
        self.interaction = interaction
        self._private = private
        self._prompt = prompt
        self._lock = asyncio.Lock()
        self._acknowledged = False
        self._said = False
        self._timer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to watch the time."""
        self._timer = asyncio.create_task(self._defer_in_time())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop watching; if nothing was said nor will be in apology, nothing keeps on "thinking"."""
        async with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                await asyncio.wait({self._timer})
        if self._acknowledged and not self._said and not isinstance(error, Exception):
            with suppress(OutsideError):
                await sure(self.interaction.delete_original_response)

    async def say(self, page: Page, *, private: bool) -> InteractionPost:
        """Show a message. TokenOverError: too late; GoneError: another process has answered already."""
        async with self._lock:
            message = (
                await self._follow(page, private) if self._acknowledged else await self._open(page, private)
            )
            self._acknowledged = self._said = True
        return InteractionPost(self.interaction, message)

    async def nothing(self) -> None:
        """Acknowledge a pressed button without any answer."""
        async with self._lock:
            if not self._acknowledged:
                self._acknowledged = self._said = True
                await self._respond(self.interaction.response.defer)

    async def _defer_in_time(self) -> None:
        await asyncio.sleep(self._prompt)
        async with self._lock:
            if self._acknowledged:
                return
            try:
                await self._respond(
                    lambda: self.interaction.response.defer(ephemeral=self._private, thinking=True)
                )
            except OutsideError as error:
                log.info("an interaction could not be acknowledged", extra={"why": str(error)})
            else:
                self._acknowledged = True

    async def _open(self, page: Page, private: bool) -> Answer:  # noqa: FBT001 - ours alone
        owner = self.interaction.user.id
        callback = await self._respond(
            lambda: self.interaction.response.send_message(
                view=page.view(owner), files=page.uploads(), ephemeral=private
            )
        )
        shown = callback.resource if callback else None
        if isinstance(shown, discord.InteractionMessage):
            return shown
        return await sure(self.interaction.original_response)

    async def _follow(self, page: Page, private: bool) -> Answer:  # noqa: FBT001 - ours alone
        owner = self.interaction.user.id
        return await sure(
            lambda: self.interaction.followup.send(
                view=page.view(owner), files=page.uploads(), ephemeral=private, wait=True
            )
        )

    async def _respond(self, call: Callable[[], Awaitable[Callback]]) -> Callback:
        """Acknowledge; an answer that got lost on its way back shows as being acknowledged already."""
        tried = False

        async def attempt() -> Callback:
            nonlocal tried
            again, tried = tried, True
            try:
                return await call()
            except discord.HTTPException as error:
                if not (again and error.code == ALREADY_ACKNOWLEDGED):
                    raise
                return None

        return await sure(attempt)
