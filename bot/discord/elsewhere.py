"""Where a question that was kept is answered: where it was asked, wherever its button is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import discord

from bot.discord.limits import channel_clock
from bot.discord.posts import Post, send
from bot.discord.spots import InteractionSpot, Spot
from bot.discord.threads import ThreadSpot
from bot.discord.views import Page
from bot.reply import Reply
from bot.words import say
from engine.domain import Ask, Seat
from engine.errors import GiveUpError, OutsideError

IN_THREAD = "thread"
"""What a seat is below if its answer is to open a thread of its own."""


def seated(interaction: discord.Interaction[Any], here: InteractionSpot, ask: Ask) -> Spot:
    """The place of an answer; what was asked privately is answered privately, so where the button is."""
    seat = ask.seat
    if seat is None or seat.private:
        return here
    if here.private or not asked_here(interaction, ask):
        return ElsewhereSpot(interaction, here, seat)
    return ThreadSpot(interaction, here, ask.text) if seat.below == IN_THREAD else here


def asked_here(interaction: discord.Interaction[Any], ask: Ask) -> bool:
    """Whether a question was asked in the place of an interaction, for everybody there."""
    seat = ask.seat
    return seat is not None and not seat.private and seat.channel == str(interaction.channel_id)


class ElsewhereSpot:
    """Below a question that stands elsewhere than its button; beside the button if nothing can be there."""

    def __init__(self, interaction: discord.Interaction[Any], here: InteractionSpot, seat: Seat) -> None:
        client: discord.Client = interaction.client
        self._here = here
        self._channel: discord.PartialMessageable | None = client.get_partial_messageable(int(seat.channel))
        self._reference = reference_to(seat)
        self._begun = False

    @property
    def clock(self) -> str:
        return channel_clock(self._channel.id) if self._channel else self._here.clock

    @property
    def anchors(self) -> Sequence[str]:
        """Those of the place are among the question's own."""
        return () if self._channel else self._here.anchors

    @property
    def owner(self) -> int:
        return self._here.owner

    @property
    def reach(self) -> int | None:
        return self._channel.id if self._channel else self._here.reach

    @property
    def private(self) -> bool:
        return self._channel is None and self._here.private

    @property
    def closing(self) -> bool:
        return self._channel is None and self._here.closing

    async def post(self, page: Page) -> Post:
        """Show one more message: the first below the question, which pings nobody."""
        if self._channel is None:
            return await self._here.post(page)
        try:
            post = await self._written(self._channel, page)
        except GiveUpError:
            if self._begun:
                raise
            self._channel = None
            return await self._here.post(page)
        if not self._begun:
            self._begun = True
            with suppress(OutsideError):
                await self._here.show(Reply(say("kept-there", place=f"<#{self._channel.id}>")))
        return post

    async def show(self, reply: Reply) -> None:
        """Show a reply to the press, which is beside its button."""
        await self._here.show(reply)

    async def _written(self, channel: discord.PartialMessageable, page: Page) -> Post:
        """Write there, as a reply if that is allowed."""
        reference, self._reference = self._reference, None
        if reference:
            with suppress(GiveUpError):
                return await send(channel, page, self.owner, reference)
        return await send(channel, page, self.owner)


def reference_to(seat: Seat) -> discord.MessageReference | None:
    """The question's message, if it was one."""
    if not seat.below.isdecimal():
        return None
    return discord.MessageReference(
        message_id=int(seat.below), channel_id=int(seat.channel), fail_if_not_exists=False
    )
