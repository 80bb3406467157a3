"""Repaints on Discord the answers whose process was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import discord

from bot.discord.posts import ChannelPost
from bot.discord.relics import broken_board
from bot.discord.views import Page
from bot.discord.wire import sure
from bot.render import lost_buttons
from bot.words import say, speaking
from engine.domain import TurnId
from engine.errors import TryAgainError


class DiscordMender:
    """The engine's Mender for Discord."""

    def __init__(self, client: Callable[[], discord.Client | None]) -> None:
        """`client` gives the connected client, None while there is none."""
        self._client = client

    @property
    def client(self) -> discord.Client:
        """The connected client. TryAgainError: there is none."""
        client = self._client()
        if client is None:
            raise TryAgainError("Discord is not connected yet")
        return client

    async def mend(self, place: str, turn: TurnId, locale: str | None = None) -> None:
        """Let a message that is still being written say that it broke off; its text stays."""
        client = self.client
        channel, message, owner, *turns = place.split("/")
        there = client.get_partial_messageable(int(channel))
        found = await sure(lambda: there.fetch_message(int(message)))
        with speaking(locale):
            page = broken_board(found, turns) if turns else broken_off(found, turn)
        if page:
            await ChannelPost(found, int(owner), plain=bool(found.content)).edit(page)


def runs(message: discord.Message, turn: TurnId) -> bool:
    """Whether a message seems to be still being written: it can be stopped."""
    ids = [str(getattr(each, "custom_id", "")) for each in every(message.components)]
    return any(each.endswith(f":stop:{turn}") for each in ids)


def broken_off(message: discord.Message, turn: TurnId) -> Page | None:
    """The message as it stays: the text, if there is one, stands above the line; None if it is complete."""
    if not runs(message, turn):
        return None
    kinds = [type(each) for each in message.components]
    text = ""
    if discord.SeparatorComponent in kinds and isinstance(message.components[0], discord.TextDisplay):
        text = message.components[0].content
    return Page(text, say("discord-broken-off"), say("discord-failed"), lost_buttons(turn))


def every(components: Sequence[Any]) -> Iterator[Any]:
    """Components with what is inside them."""
    for each in components:
        yield each
        yield from every(getattr(each, "children", ()))
