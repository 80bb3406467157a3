"""Questions and commands on their way to their answers, at whatever spot these are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.delivery import compare, deliver
from bot.discord.board import Board
from bot.discord.canvas import DiscordCanvas
from bot.discord.elsewhere import IN_THREAD, asked_here, seated
from bot.discord.hearing import Heard, person_of
from bot.discord.opening import LIFE_SECONDS
from bot.discord.places import place_of
from bot.discord.rests import Rests
from bot.discord.spots import InteractionSpot, Spot
from bot.discord.threads import ThreadSpot
from bot.front import Front, Request, request_of
from bot.intake import Fetcher, Source
from bot.pacing import Pacing
from bot.reply import Reply
from bot.typed import Typed, parse
from bot.words import say
from engine.comparison import MOST
from engine.domain import Ask, KeptId, Seat


@dataclass(frozen=True, slots=True)
class Pacings:
    """Clocks for messages, and for interactions: Discord does not count those among a bot's requests."""

    messages: Pacing
    interactions: Pacing
    life: float = LIFE_SECONDS
    """Seconds for which an interaction is written to."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a question; `quoted`: those of a message that it is about."""

    sources: Sequence[Source] = ()
    quoted: bool = False


class Answers:
    """Shows what becomes of questions and commands."""

    def __init__(self, front: Front, pacings: Pacings, fetcher: Fetcher) -> None:
        self._front = front
        self._pacings = pacings
        self._fetcher = fetcher
        self.rests = Rests()

    async def say(self, said: Heard, spot: Spot) -> None:
        """Answer a message."""
        typed = parse(said.text) if said.text.startswith("/") else None
        pacing, files = self._pacings.messages, Files(said.files)
        if not isinstance(typed, Typed):
            await self._ask(said.ask(said.text), spot, pacing, files)
        elif typed.command.streams:
            ask = said.ask(typed.options["prompt"], typed.options.get("model"))
            request = request_of(typed, said.person, said.key)
            await self._answer(request, ask, spot, pacing, files)
        elif said.dm:
            await self.run(request_of(typed, said.person, said.key, said.anchors, dm=True), spot)
        else:
            await spot.show(Reply(say("discord-choose-command", name=typed.command.name)))

    async def used(
        self, interaction: discord.Interaction[Any], request: Request, spot: InteractionSpot, files: Files
    ) -> None:
        """Answer a slash command that streams."""
        threaded = request.options.get("thread") == "on" and not spot.private
        seat = Seat(str(interaction.channel_id), IN_THREAD if threaded else "", spot.private)
        ask = replace(self._front.ask_of(request), seat=seat)
        if threaded:
            thread = ThreadSpot(interaction, spot, ask.text)
            await self._ask(ask, thread, self._pacings.messages, files)
        else:
            await self._answer(request, ask, spot, self._pacings.interactions, files)

    async def again(self, ask: Ask, spot: Spot) -> None:
        """Answer a question that is behind a button."""
        await self._ask(ask, spot, self._pacings.interactions, Files())

    async def kept(
        self, interaction: discord.Interaction[Any], question: KeptId, spot: InteractionSpot, *, aloud: bool
    ) -> None:
        """Answer a question that a limit stopped, where it was asked if that can be.

        `aloud`: if it was asked for everybody and here, everybody sees the answer to the press.
        """
        asker, key = interaction.user, f"discord:interaction:{interaction.id}"
        place = place_of(interaction.guild_id, interaction.channel, asker)
        found = await self._front.kept(person_of(asker), question, key, place)
        if isinstance(found, Reply):
            await spot.show(found)
            return
        if aloud and asked_here(interaction, found.ask):
            spot.open_to_all()
        where = seated(interaction, spot, found.ask)
        pacing = self._pacings.interactions if where is spot else self._pacings.messages
        if found.models is None:
            await self._ask(found.ask, where, pacing, Files())
        else:
            await self._compare(found.ask, found.models, where, pacing, Files())

    async def run(self, request: Request, spot: Spot) -> None:
        """Show the replies to a command."""
        for reply in await self._front.run(request):
            await spot.show(reply)

    async def _answer(self, request: Request, ask: Ask, spot: Spot, pacing: Pacing, files: Files) -> None:
        if request.command.together:
            await self._compare(ask, self._front.models_of(request), spot, pacing, files)
        else:
            await self._ask(ask, spot, pacing, files)

    async def _ask(self, ask: Ask, spot: Spot, pacing: Pacing, files: Files) -> None:
        if taken := await self._taken(ask, spot, files):
            await deliver(self._front.chat, taken, DiscordCanvas(spot, self.rests), pacing)

    async def _compare(
        self, ask: Ask, models: Sequence[str], spot: Spot, pacing: Pacing, files: Files
    ) -> None:
        if taken := await self._taken(ask, spot, files):
            board = Board(spot, self.rests, pacing, MOST)
            await compare(self._front.chat, taken, models, board.sections, pacing)

    async def _taken(self, ask: Ask, spot: Spot, files: Files) -> Ask | None:
        """The question with its files; None if they cannot be taken, of which its member is told."""
        taken = await self._front.intake.take(ask, files.sources, self._fetcher, quoted=files.quoted)
        if isinstance(taken, Reply):
            await spot.show(taken)
            return None
        return taken
