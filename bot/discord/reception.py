"""What becomes of a message, a slash command or a pressed button."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import discord
from discord import app_commands

from bot.commands import BY_NAME, Command, Option
from bot.discord.aloud import openly
from bot.discord.answers import Answers, Files, Pacings
from bot.discord.arrival import arrive
from bot.discord.asking import Quotes, question_in
from bot.discord.attached import of_command
from bot.discord.canvas import message_anchor
from bot.discord.completion import complete
from bot.discord.hearing import Heard, heard, language_of, person_of, place_anchors, told_instead
from bot.discord.opening import Opening
from bot.discord.places import granted, lacking, may_reply, place_of, to_write
from bot.discord.requests import anchors_of, is_private, kept_behind, question_behind, request_from
from bot.discord.spots import InteractionSpot, MessageSpot, Spot
from bot.discord.wire import sure
from bot.errands import Errands
from bot.front import Front, Request
from bot.intake import Fetcher
from bot.quoting import about
from bot.reply import Reply
from bot.words import say, speaking
from engine.errors import OutsideError

SMALL = "-# "
"""Discord's Markdown for small, grey text."""
Work = Callable[[InteractionSpot], Awaitable[None]]
log = logging.getLogger("bot.discord")


class Reception:
    """Takes what the client hears and sees to it, each in a task of its own."""

    def __init__(
        self,
        front: Front,
        pacings: Pacings,
        errands: Errands,
        ready: asyncio.Event,
        fetcher: Fetcher,
        *,
        follow: bool = False,
    ) -> None:
        """`follow`: in threads that the bot opened, it is spoken to without being mentioned."""
        self._front = front
        self._answers = Answers(front, pacings, fetcher)
        self._ready = ready
        self._pacings = pacings
        self._errands = errands
        self._follow = follow
        self._quotes = Quotes()
        self._mute: set[int] = set()

    def heard(self, message: discord.Message, bot: int) -> None:
        said = heard(message, bot, follow=self._follow)
        unread = said is None and told_instead(message, bot) is not None
        if not (said or unread) or not self._may_write(message):
            return
        if said:
            around = place_anchors(message.channel.id, message.channel, dm=said.dm)
            spot = MessageSpot(message, around, replies=may_reply(message))
            self._errands.begin_once(said.key, lambda: self._meet(message, said, spot), spot.show)
        else:
            here, key = MessageSpot(message, (), replies=may_reply(message)), f"discord:message:{message.id}"
            self._errands.begin_once(key, lambda: self._tell(message, bot, here), here.show)

    def used(
        self, interaction: discord.Interaction[Any], command: Command, options: Mapping[str, str]
    ) -> None:
        request = request_from(interaction, command, options)
        if command.streams:
            files = Files(of_command(interaction))
            self._open(
                interaction, lambda spot: self._answers.used(interaction, request, spot, files), asks=request
            )
        else:
            self._open(interaction, lambda spot: self._answers.run(request, spot))

    def pressed(self, interaction: discord.Interaction[Any], owner: int, action: str) -> None:
        rests = self._answers.rests
        if owner == interaction.user.id and (waiting := rests.find(action)):
            self._open(interaction, lambda spot: rests.go_on(action, spot), private=waiting.private)
        elif owner == interaction.user.id and (ask := question_behind(self._front, interaction, action)):
            hidden = is_private(interaction, action)
            self._open(interaction, lambda spot: self._answers.again(ask, spot), private=hidden)
        elif owner == interaction.user.id and (kept := kept_behind(action)):
            aloud = not is_private(interaction, action)
            alone = not (aloud and interaction.context.dm_channel)
            self._open(
                interaction,
                lambda spot: self._answers.kept(interaction, kept, spot, aloud=aloud),
                private=alone,  # until it is known how the question was asked
            )
        elif owner == interaction.user.id:
            self._open(interaction, lambda spot: self._press(interaction, action, spot))
        else:
            self._open(interaction, lambda spot: spot.show(Reply(say("press-not-yours"))))

    def lost(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        log.warning("a command was not understood", extra={"why": str(error)})
        self._open(interaction, lambda spot: spot.show(Reply(say("discord-changed"))))

    def connected(self) -> None:
        self._ready.set()

    def about(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        with speaking(interaction.locale.value):
            window = self._quotes.window(interaction, message)
        self._errands.begin_once(
            f"discord:interaction:{interaction.id}",
            lambda: open_window(interaction, window),
            unseen,
        )

    def joined(self, guild: discord.Guild) -> None:
        if self._front.welcomes:
            self._errands.begin(lambda: arrive(guild), unseen)

    def submitted(self, interaction: discord.Interaction[Any]) -> None:
        data: Mapping[str, Any] = interaction.data or {}
        quoted = self._quotes.take(str(data.get("custom_id")))
        if quoted is None:
            self._open(interaction, lambda spot: spot.show(Reply(say("about-lost"))))
        elif not (quoted.text or quoted.files):
            self._open(interaction, lambda spot: spot.show(Reply(say("about-empty"))))
        else:
            with speaking(interaction.locale.value):
                options = {"prompt": about(quoted, question_in(data))}
            request = request_from(interaction, BY_NAME["ask"], options)
            files = Files(quoted.files, quoted=True)
            self._open(
                interaction, lambda spot: self._answers.used(interaction, request, spot, files), asks=request
            )

    async def completed(
        self, interaction: discord.Interaction[Any], command: Command, option: Option, typed: str
    ) -> list[app_commands.Choice[str]]:
        try:
            person = person_of(interaction.user)
            place = place_of(interaction.guild_id, interaction.channel, interaction.user)
            with speaking(interaction.locale.value):
                found = await complete(self._front, person, place, command, option, typed)
        except OutsideError:
            return []
        return [app_commands.Choice(name=name, value=value) for name, value in found]

    def _may_write(self, message: discord.Message) -> bool:
        """Whether the bot may answer there; where it may not nobody can be told, so the log is, once."""
        place = message.channel.id
        missing = lacking(granted(message.channel, message.guild), to_write(message.channel))
        if missing and place not in self._mute:
            log.warning("may not write", extra={"channel": place, "missing": ", ".join(missing)})
        (self._mute.add if missing else self._mute.discard)(place)
        return not missing

    def _ask(self, interaction: discord.Interaction[Any], request: Request, files: Files) -> None:
        self._open(
            interaction, lambda spot: self._answers.used(interaction, request, spot, files), asks=request
        )

    def _open(
        self,
        interaction: discord.Interaction[Any],
        work: Work,
        *,
        private: bool = True,
        asks: Request | None = None,
    ) -> None:
        """Answer an interaction; `asks` is a question: only its member sees it until it is known who may."""
        opening = Opening(interaction, private=private, life=self._pacings.life)
        spot, greeter = InteractionSpot(opening, anchors_of(interaction)), self._front.greeter

        async def answered() -> None:
            async with opening:
                if asks:
                    with suppress(OutsideError):  # which is told of below, privately
                        opening.decide(private=await self._front.private_for(asks))
                meeting = await greeter.meet(person_of(interaction.user), interaction.locale.value)
                await work(spot)
                if opening.takes_more:  # else with the next command
                    await greeter.welcome(meeting, spot.show)

        self._errands.begin_once(f"discord:interaction:{interaction.id}", answered, spot.show)

    async def _meet(self, message: discord.Message, said: Heard, spot: Spot) -> None:
        """Answer a message in its author's language; a server's own will do for somebody unknown."""
        meeting = await self._front.greeter.meet(said.person, place=language_of(message))
        await self._answers.say(said, spot)
        await self._front.greeter.welcome(
            meeting, spot.show if said.dm else lambda reply: spot.show(small(reply)), openly=not said.dm
        )

    async def _tell(self, message: discord.Message, bot: int, spot: Spot) -> None:
        await self._front.greeter.meet(person_of(message.author), place=language_of(message))
        if told := told_instead(message, bot):
            await spot.show(told)

    async def _press(self, interaction: discord.Interaction[Any], action: str, spot: InteractionSpot) -> None:
        around = tuple(anchors_of(interaction))
        shown = (message_anchor(interaction.message.id),) if interaction.message else ()
        replies = await self._front.press(person_of(interaction.user), action, (*shown, *around))
        if not replies:
            await spot.nothing()
        for reply in replies:
            await spot.show(reply if is_private(interaction, action) else openly(reply))


def small(reply: Reply) -> Reply:
    """The reply as a quiet line."""
    return replace(reply, text=f"{SMALL}{reply.text}")


async def open_window(interaction: discord.Interaction[Any], window: discord.ui.Modal) -> None:
    """Let a window open for the member."""
    await sure(lambda: interaction.response.send_modal(window))


async def unseen(_reply: Reply) -> None:
    """Where nothing can be shown."""
