"""An interaction's answer: at once where words are ready in time, else acknowledged and completed later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import discord

from bot.discord.places import lacking, to_write
from bot.discord.posts import ChannelPost, components_of, permitted
from bot.discord.views import Page
from bot.discord.wire import ANSWERED_ELSEWHERE, FullError, PostLostError, TokenOverError, sure
from engine.errors import OutsideError

log = logging.getLogger("bot.discord")

PROMPT_SECONDS = 0.8
"""How long words may take before the interaction is acknowledged without them; Discord gives up after 3 s."""
LIFE_SECONDS = 14 * 60.0
"""How long an interaction is written to; Discord forgets its token after 15 minutes."""
MOST_POSTS = 6
"""An answer and five follow-ups: what Discord takes where only the member's own installation is present."""
Callback = discord.InteractionCallbackResponse[Any] | None
Answer = discord.InteractionMessage | discord.WebhookMessage


class Opening:
    """The answers to one interaction, as a context within which all of them are given.

    What is said first may be private or not, as long as it comes promptly; after that, the first answer is as
    private as `private` says, because Discord fixes that with the acknowledgement.
    """

    def __init__(
        self, interaction: discord.Interaction[Any], *, private: bool, life: float = LIFE_SECONDS
    ) -> None:
        """`life` is in seconds from now; has to be made inside a running event loop."""
        self.interaction = interaction
        self._over_at = asyncio.get_running_loop().time() + life
        self._posts = 0
        self.private = private
        self._fixed = False
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

    def decide(self, *, private: bool) -> None:
        """How private the answers are, as long as Discord does not know yet."""
        if not self._fixed:
            self.private = private

    @property
    def over(self) -> bool:
        """Whether its token is about to be forgotten; it always takes what is said first."""
        return self._said and asyncio.get_running_loop().time() >= self._over_at

    @property
    def takes_more(self) -> bool:
        """Whether it takes another message."""
        return not (self.over or self._full)

    @property
    def _full(self) -> bool:
        return self._posts >= MOST_POSTS and not self.interaction.is_guild_integration()

    @property
    def way(self) -> discord.PartialMessageable | None:
        """The interaction's channel as the bot itself writes there; None where it may not, or is not."""
        asked = self.interaction
        present = asked.is_guild_integration() or asked.context.dm_channel
        if not present or (asked.guild_id and lacking(asked.app_permissions, to_write(asked.channel))):
            return None
        client: discord.Client = asked.client
        return client.get_partial_messageable(asked.channel_id or 0)

    async def say(self, page: Page, *, private: bool) -> InteractionPost:
        """Show a message.

        TokenOverError: too late; FullError: too many; GoneError: another process has answered already.
        """
        async with self._lock:
            if self._full:
                raise FullError("Discord takes no more follow-ups where the bot is not")
            if not self._acknowledged:
                message = await self._open(page, private)
            elif not self._said and not (private and not self.private):
                message, private = await self._complete(page), self.private
            else:
                message = await self._follow(page, private)
            self._posts += 1
            self._acknowledged = self._said = True
        return InteractionPost(self, message, private=private)

    async def nothing(self) -> None:
        """Acknowledge a pressed button without any answer."""
        async with self._lock:
            if not self._acknowledged:
                self._acknowledged = self._said = True
                await self._respond(self.interaction.response.defer)

    async def _defer_in_time(self) -> None:
        await asyncio.sleep(PROMPT_SECONDS)
        async with self._lock:
            if self._acknowledged:
                return
            self._fixed = True
            try:
                await self._respond(
                    lambda: self.interaction.response.defer(ephemeral=self.private, thinking=True)
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

    async def _complete(self, page: Page) -> Answer:
        """Say what "thinking" has stood for; as an edit it may reach Discord twice."""
        owner = self.interaction.user.id
        return await permitted(
            page,
            lambda page: sure(
                lambda: self.interaction.edit_original_response(**components_of(page, owner)),
            ),
        )

    async def _follow(self, page: Page, private: bool) -> Answer:  # noqa: FBT001 - ours alone
        """Say more; what is private does not complete what everybody sees as "thinking"."""
        owner = self.interaction.user.id
        if not self._said:
            with suppress(PostLostError):
                await sure(self.interaction.delete_original_response)
        return await permitted(
            page,
            lambda page: sure(
                lambda: self.interaction.followup.send(
                    view=page.view(owner), files=page.uploads(), ephemeral=private, wait=True
                )
            ),
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
                if not (again and error.code == ANSWERED_ELSEWHERE):
                    raise
                return None

        return await sure(attempt)


class InteractionPost:
    """A message that answers an interaction; once that is over, it is edited as any of the bot's own."""

    def __init__(self, opening: Opening, message: Answer, *, private: bool) -> None:
        self._opening = opening
        self._message = message
        self._private = private

    @property
    def id(self) -> int:
        return self._message.id

    async def edit(self, page: Page) -> None:
        owner = self._opening.interaction.user.id
        await self._by_either_way(
            lambda: permitted(
                page, lambda page: sure(lambda: self._message.edit(**components_of(page, owner)))
            ),
            lambda own: own.edit(page),
        )

    async def delete(self) -> None:
        await self._by_either_way(lambda: sure(self._message.delete), lambda own: own.delete())

    async def _by_either_way(
        self, call: Callable[[], Awaitable[object]], own: Callable[[ChannelPost], Awaitable[None]]
    ) -> None:
        """Write by the interaction, or as the bot itself. TokenOverError: neither way is open any more."""
        way = None if self._private else self._opening.way
        if way is None:
            await call()
            return
        if not self._opening.over:
            with suppress(TokenOverError):
                await call()
                return
        await own(ChannelPost(way.get_partial_message(self.id), self._opening.interaction.user.id))
