"""What becomes of a message, a slash command or a pressed button."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import app_commands

from bot.commands import BY_NAME, Command, Option, Typed, parse
from bot.delivery import compare, deliver
from bot.discord.arrival import arrive
from bot.discord.asking import Quotes, question_in
from bot.discord.attached import of_command
from bot.discord.board import Board
from bot.discord.canvas import DiscordCanvas, message_anchor
from bot.discord.completion import complete
from bot.discord.hearing import Heard, heard, overheard, person_of, place_anchors, withheld
from bot.discord.opening import LIFE_SECONDS, Opening
from bot.discord.places import granted, lacking, may_reply, place_of, to_write
from bot.discord.rests import Rests
from bot.discord.spots import InteractionSpot, MessageSpot, Spot
from bot.discord.threads import ThreadSpot
from bot.discord.wire import sure
from bot.errands import Errands
from bot.front import Front, Request, request_of
from bot.intake import Fetcher, Source
from bot.pacing import Pacing
from bot.quoting import about
from bot.reply import Reply
from bot.words import say, speaking
from engine.comparison import MOST
from engine.domain import Ask
from engine.errors import OutsideError

SMALL = "-# "
"""Discord's Markdown for small, grey text."""
Work = Callable[[InteractionSpot], Awaitable[None]]
log = logging.getLogger("bot.discord")


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
        self._fetcher = fetcher
        self._ready = ready
        self._pacings = pacings
        self._errands = errands
        self._follow = follow
        self._quotes = Quotes()
        self._rests = Rests()
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
            self._open(interaction, lambda spot: self._used(interaction, request, spot, files), asks=request)
        else:
            self._open(interaction, lambda spot: self._run(request, spot))

    def pressed(self, interaction: discord.Interaction[Any], owner: int, action: str) -> None:
        if owner == interaction.user.id and (waiting := self._rests.take(action)):
            self._open(interaction, waiting.go_on, private=waiting.private)
        elif owner == interaction.user.id and (ask := self._asked_by(interaction, action)):
            pacing, hidden = self._pacings.interactions, is_private(interaction)
            self._open(interaction, lambda spot: self._ask(ask, spot, pacing, Files()), private=hidden)
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
            self._open(interaction, lambda spot: self._used(interaction, request, spot, files), asks=request)

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
                await greeter.welcome(meeting, spot.show)

        self._errands.begin_once(f"discord:interaction:{interaction.id}", answered, spot.show)

    async def _meet(self, message: discord.Message, said: Heard, spot: Spot) -> None:
        """Answer a message in its author's language; a server's own will do for somebody unknown."""
        meeting = await self._front.greeter.meet(said.person, place=language_of(message))
        await self._say(said, spot)
        await self._front.greeter.welcome(
            meeting, spot.show if said.dm else lambda reply: spot.show(small(reply)), openly=not said.dm
        )

    async def _tell(self, message: discord.Message, bot: int, spot: Spot) -> None:
        await self._front.greeter.meet(person_of(message.author), place=language_of(message))
        if told := told_instead(message, bot):
            await spot.show(told)

    async def _say(self, said: Heard, spot: Spot) -> None:
        pacing = self._pacings.messages
        typed = parse(said.text) if said.text.startswith("/") else None
        files = Files(said.files)
        if not isinstance(typed, Typed):
            await self._ask(said.ask(said.text), spot, pacing, files)
        elif typed.command.streams:
            ask = said.ask(typed.options["prompt"], typed.options.get("model"))
            models = self._front.models_of(request_of(typed, said.person, said.key))
            together = typed.command.together
            await (
                self._compare(ask, models, spot, pacing) if together else self._ask(ask, spot, pacing, files)
            )
        elif said.dm:
            await self._run(request_of(typed, said.person, said.key, said.anchors, dm=True), spot)
        else:
            await spot.show(Reply(say("discord-choose-command", name=typed.command.name)))

    async def _used(
        self, interaction: discord.Interaction[Any], request: Request, spot: InteractionSpot, files: Files
    ) -> None:
        ask = self._front.ask_of(request)
        if request.command.together:
            await self._compare(ask, self._front.models_of(request), spot, self._pacings.interactions)
        elif request.options.get("thread") == "on" and not spot.private:
            thread = ThreadSpot(interaction, spot, ask.text)
            await self._ask(ask, thread, self._pacings.messages, files)
        else:
            await self._ask(ask, spot, self._pacings.interactions, files)

    async def _ask(self, ask: Ask, spot: Spot, pacing: Pacing, files: Files) -> None:
        canvas = DiscordCanvas(spot, self._rests)
        taken = await self._front.intake.take(ask, files.sources, self._fetcher, quoted=files.quoted)
        if isinstance(taken, Reply):
            await canvas.reply(taken)
        else:
            await deliver(self._front.chat, taken, canvas, pacing)

    async def _compare(self, ask: Ask, models: Sequence[str], spot: Spot, pacing: Pacing) -> None:
        board = Board(spot, self._rests, pacing, MOST)
        await compare(self._front.chat, ask, models, board.sections, pacing)

    async def _run(self, request: Request, spot: Spot) -> None:
        for reply in await self._front.run(request):
            await spot.show(reply)

    def _asked_by(self, interaction: discord.Interaction[Any], action: str) -> Ask | None:
        """The question behind a button."""
        return self._front.question_of(
            person_of(interaction.user),
            action,
            f"discord:interaction:{interaction.id}",
            tuple(anchors_of(interaction)),
            dm=interaction.context.dm_channel,
            place=place_of(interaction.guild_id, interaction.channel, interaction.user),
        )

    async def _press(self, interaction: discord.Interaction[Any], action: str, spot: InteractionSpot) -> None:
        around = tuple(anchors_of(interaction))
        shown = (message_anchor(interaction.message.id),) if interaction.message else ()
        replies = await self._front.press(person_of(interaction.user), action, (*shown, *around))
        if not replies:
            await spot.nothing()
        for reply in replies:
            await spot.show(reply)


def language_of(message: discord.Message) -> str | None:
    """The language of the server that a message was written in."""
    return message.guild.preferred_locale.value if message.guild else None


def is_private(interaction: discord.Interaction[Any]) -> bool:
    """Whether a button was pressed on a message that only its owner sees."""
    return interaction.message is not None and interaction.message.flags.ephemeral


def small(reply: Reply) -> Reply:
    """The reply as a quiet line."""
    return replace(reply, text=f"{SMALL}{reply.text}")


def request_from(
    interaction: discord.Interaction[Any], command: Command, options: Mapping[str, str]
) -> Request:
    """A slash command as the front takes it; one that streams begins a conversation wherever it is used."""
    return Request(
        person_of(interaction.user),
        command,
        options,
        f"discord:interaction:{interaction.id}",
        () if command.streams else tuple(anchors_of(interaction)),
        interaction.context.dm_channel,
        place_of(interaction.guild_id, interaction.channel, interaction.user),
        admin=interaction.guild_id is not None and interaction.permissions.manage_guild,
    )


def told_instead(message: discord.Message, bot: int) -> Reply | None:
    """What to say to words that Discord keeps from us; None if there is nothing to say."""
    if overheard(message, bot):
        return Reply(say("discord-unread"))
    return Reply(say("unread-role", mention=f"<@{bot}>")) if withheld(message, bot) else None


async def open_window(interaction: discord.Interaction[Any], window: discord.ui.Modal) -> None:
    """Let a window open for the member."""
    await sure(lambda: interaction.response.send_modal(window))


async def unseen(_reply: Reply) -> None:
    """Where nothing can be shown."""


def anchors_of(interaction: discord.Interaction[Any]) -> Sequence[str]:
    """The place of an interaction, if conversations continue there."""
    dm = interaction.context.dm_channel
    return place_anchors(interaction.channel_id or 0, interaction.channel, dm=dm)
