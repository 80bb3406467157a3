"""What is done about something said in the playground: answered, commanded, or left alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.delivery import compare, deliver
from bot.front import Front, request_of
from bot.local.canvas import LocalCanvas, dm_anchor, message_anchor
from bot.local.posts import BOT_NAME, Room, Spot, Wall
from bot.local.show import show
from bot.pacing import Pacing
from bot.reply import Reply
from bot.typed import BadOption, Misspelt, Typed, parse
from bot.words import say
from engine.comparison import MOST
from engine.domain import Ask, KeptId, Person, Seat

MENTION = re.compile(rf"(?<![\w@])@(?:{BOT_NAME}|bot)\b[,:]?\s*", re.IGNORECASE)

Parsed = Typed | Misspelt | BadOption | None


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a person, parsed; `to_bot` is whether it replies to one of the bot's messages."""

    id: str
    person: Person
    room: Room
    text: str
    reply_to: str | None
    to_bot: bool
    hidden: bool = False
    """Whether a question and its answer are for its person alone."""

    @property
    def parsed(self) -> Parsed:
        """The command that it is, if it is one."""
        return parse(self.text) if self.text.startswith("/") else None

    @property
    def private(self) -> bool:
        """Whether only its person sees it; others see questions, as in any chat, but no other commands."""
        parsed = self.parsed
        return self.hidden or (parsed is not None and not self.asks)

    @property
    def asks(self) -> bool:
        """Whether it is a command that asks a model."""
        parsed = self.parsed
        return isinstance(parsed, Typed) and parsed.command.streams

    @property
    def for_us(self) -> bool:
        """Whether it is for the bot, not for other people in the room."""
        return (
            self.parsed is not None or self.room is Room.DM or self.to_bot or bool(MENTION.search(self.text))
        )


class Reception:
    """Serves one message each call; failures come out as OutsideErrors."""

    def __init__(self, wall: Wall, front: Front, pacing: Pacing) -> None:
        self._wall = wall
        self._front = front
        self._pacing = pacing

    async def serve(self, said: Said) -> None:
        """Do what was asked for, if anything was, and welcome whoever asks for the first time."""
        if not said.for_us:
            return
        meeting = await self._front.greeter.meet(said.person)
        await self._serve(said)
        await self._front.greeter.welcome(
            meeting, lambda reply: show(self._wall, spot_of(said), [reply], f"{said.id}.welcome")
        )

    async def _serve(self, said: Said) -> None:
        parsed = said.parsed
        if isinstance(parsed, Typed) and parsed.command.streams:
            request = request_of(parsed, said.person, key_of(said), (message_anchor(said.id),))
            seat = Seat(said.room, said.id, said.hidden)
            ask = replace(self._front.ask_of(request), message=message_anchor(said.id), seat=seat)
            if parsed.command.together:
                models = self._front.models_of(request)
                return await self._compare(
                    ask, models, spot_of(said), f"{said.id}.answer", private=said.hidden
                )
            return await self.answer(ask, spot_of(said), f"{said.id}.answer", private=said.hidden)
        if parsed is not None:
            return await self._command(said, parsed)
        return await self.answer(question(said), spot_of(said), f"{said.id}.answer")

    async def _command(self, said: Said, parsed: Typed | Misspelt | BadOption) -> None:
        if isinstance(parsed, Typed):
            dm = said.room is Room.DM
            request = request_of(parsed, said.person, key_of(said), places(said), dm=dm)
            replies = await self._front.run(request)
        else:
            replies = [self._front.misspelt(parsed)]
        await show(self._wall, spot_of(said), replies, f"{said.id}.answer")

    async def answer(self, ask: Ask, spot: Spot, message: str, *, private: bool = False) -> None:
        """Answer a question in a message of that id."""
        canvas = LocalCanvas(self._wall, spot, message, private=private)
        await deliver(self._front.chat, ask, canvas, self._pacing)

    async def kept(self, person: Person, question: KeptId, pressed: Spot, stem: str) -> None:
        """Answer a question that a limit stopped, where it was asked; say so where its button was pressed."""
        found = await self._front.kept(person, question, f"local:{stem}")
        if isinstance(found, Reply):
            return await show(self._wall, pressed, [found], stem)
        seat = found.ask.seat or Seat(pressed.room)
        spot = Spot(person.user, Room(seat.channel), seat.below or pressed.reply_to)
        if found.models is not None:
            await self._compare(found.ask, found.models, spot, stem, private=seat.private)
        else:
            await self.answer(found.ask, spot, stem, private=seat.private)
        if spot.room is not pressed.room:
            there = Reply(say("kept-there", place=f"**{spot.room}**"))
            await show(self._wall, pressed, [there], f"{stem}.there")
        return None

    async def _compare(
        self, ask: Ask, models: Sequence[str], spot: Spot, stem: str, *, private: bool
    ) -> None:
        """Show the answer of each model in a message of its own."""
        names = [f"{stem}.{number}" for number in range(MOST)]
        canvases = [LocalCanvas(self._wall, spot, name, private=private) for name in names]
        await compare(self._front.chat, ask, models, canvases, self._pacing)

    async def hidden(self, said: Said) -> bool:
        """Whether a question, and so its answer, is for its person alone."""
        parsed = said.parsed
        if not (isinstance(parsed, Typed) and parsed.command.streams):
            return False
        return await self._front.private_for(request_of(parsed, said.person, key_of(said)))


def question(said: Said) -> Ask:
    """A question that is asked by mention, by reply or in a DM."""
    text = said.text if said.room is Room.DM else MENTION.sub("", said.text, count=1)
    resting = said.room is Room.DM and said.reply_to is None
    asked = message_anchor(said.id)
    seat = Seat(said.room, said.id)
    return Ask(key_of(said), said.person, text.strip(), places(said), dm=resting, message=asked, seat=seat)


def places(said: Said) -> tuple[str, ...]:
    """What a message continues: the one it replies to, else its DM; and itself, for replies to come."""
    replied = (message_anchor(said.reply_to),) if said.reply_to else ()
    dm = (dm_anchor(said.person.user),) if said.room is Room.DM else ()
    return (*replied, *dm, message_anchor(said.id))


def spot_of(said: Said) -> Spot:
    """Where the answer is shown."""
    return Spot(said.person.user, said.room, said.id)


def key_of(said: Said) -> str:
    """The id by which the question is answered once."""
    return message_anchor(said.id)
