"""The bot in the playground: takes what its page and scripts send, and delivers notices there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from bot import alarms, announcing, news
from bot.errands import Errands
from bot.front import Front
from bot.local.canvas import dm_anchor, message_anchor
from bot.local.description import PEOPLE, describe
from bot.local.feed import Feed
from bot.local.posts import SENT, Post, Room, Spot, Wall
from bot.local.reception import Reception, Said
from bot.local.show import post, show
from bot.pacing import Pace, Pacing
from bot.render import kept_in
from bot.reply import Reply
from bot.words import speaking
from engine.alerts import Bulletin
from engine.announcements import Letter
from engine.channels import Channel
from engine.domain import Person, TurnId
from engine.errors import UnreachableError
from engine.notices import Notice
from engine.ports import Clock, Store
from engine.simulated import LocalMessage

PACE = Pace(channel=0.12, process=200.0)
"""As quick as the eye likes; the limits are only our own database's."""
LONGEST_TEXT = 16_000


class LocalBot:
    """The playground's `LocalSurface`, `Messenger`, `Herald`, `Crier`, `Mender`; `run` owns the work."""

    def __init__(self, front: Front, store: Store, clock: Clock, pace: Pace = PACE) -> None:
        self._front = front
        self._feed = Feed()
        self._wall = Wall(store, clock, self._feed)
        self._reception = Reception(self._wall, front, Pacing(pace))
        self._errands = Errands()
        self._people = dict.fromkeys(PEOPLE)

    async def run(self) -> None:
        """Let open work end, for a few seconds, once cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._errands.finish()

    def describe(self) -> Mapping[str, object]:
        return describe(self._front, self._people)

    async def profile(self, person: Person) -> Mapping[str, object]:
        tier = (await self._front.members.overview(person)).tier.name
        return {"name": person.user, "tier": tier.value}

    async def send(self, person: Person, room: str, text: str, reply_to: str | None, key: str | None) -> str:
        said = await self._read(person, room, text, reply_to, key)
        said = replace(said, hidden=await self._reception.hidden(said))
        spot = Spot(person.user, said.room, reply_to)
        kind = spot.kind(private=said.private)
        new = await self._wall.add(Post(said.id, spot, kind, said.text, SENT, bot=False))
        self._people[person.user] = None
        if new or said.asks or not said.private:  # a question is answered once; a command is not repeated
            self._begin(Spot(person.user, said.room, said.id), said)
        return said.id

    async def press(self, person: Person, message: str, action: str) -> None:
        found = await self._wall.get(message, person.user)
        if found is None or action not in actions(found):
            raise ValueError("There is no such button on a message that you see.")
        spot = Spot(person.user, Room(found.room), message)
        stem = f"press-{uuid4().hex}"

        async def welcome(reply: Reply) -> None:
            await show(self._wall, spot, [reply], f"{stem}.welcome")

        places = (dm_anchor(person.user),) if spot.room is Room.DM else ()
        ask = self._front.question_of(person, action, f"local:{stem}", places, dm=bool(places))
        kept = kept_in(action)

        async def work() -> None:
            meeting = await self._front.greeter.meet(person)
            if kept:
                await self._reception.kept(person, kept, spot, stem)
            elif ask:
                await self._reception.answer(ask, spot, stem)
            else:
                here = (message_anchor(message), *places)
                await show(self._wall, spot, await self._front.press(person, action, here), stem)
            await self._front.greeter.welcome(meeting, welcome)

        self._errands.begin(work, lambda reply: show(self._wall, spot, [reply], stem))

    async def messages(self, person: Person, limit: int) -> Sequence[Mapping[str, object]]:
        return await self._wall.seen_by(person.user, limit)

    async def file(self, person: Person, message: str) -> tuple[str, bytes] | None:
        return await self._wall.file(message, person.user)

    def events(self, person: Person) -> AbstractAsyncContextManager[AsyncIterator[Mapping[str, object]]]:
        return self._feed.listen(person.user)

    async def deliver(self, notice: Notice, *, again: bool) -> None:  # noqa: ARG002 - its id shows it once
        """Show a notice in the person's DM, under an id made of its key, and the tier that comes with it."""
        place = Spot(notice.person.user, Room.DM)
        with speaking(notice.locale):
            told = post(f"notice-{digest(notice.key)}", place, news.notice(notice))
        await self._wall.add(told)
        profile = await self.profile(notice.person)
        self._feed.publish(notice.person.user, "person", {"type": "person", "person": profile})

    async def tell(self, bulletin: Bulletin, *, again: bool) -> None:  # noqa: ARG002 - as for a notice
        if isinstance(bulletin.to, Channel):
            raise UnreachableError("the playground has no channels")
        with speaking(bulletin.locale):
            told = alarms.bulletin(bulletin)
        await self._wall.add(post(f"alert-{bulletin.id}", Spot(bulletin.to.user, Room.DM), told))

    async def announce(self, letter: Letter, *, again: bool) -> None:  # noqa: ARG002 - as for a notice
        with speaking(letter.locale):
            told = announcing.announcement(letter)
        await self._wall.add(post(f"announced-{digest(letter.key)}", Spot(letter.person.user, Room.DM), told))

    async def publish(self, channel: Channel, key: str, text: str, tried_since: datetime | None) -> None:
        del channel, key, text, tried_since
        raise UnreachableError("the playground has no channels")

    async def mend(self, place: str, turn: TurnId, locale: str | None = None) -> None:
        with speaking(locale):
            await self._wall.mend(place, turn)

    def _begin(self, spot: Spot, said: Said) -> None:
        async def apologise(reply: Reply) -> None:
            await show(self._wall, spot, [reply], f"{said.id}.answer")

        self._errands.begin(lambda: self._reception.serve(said), apologise)

    async def _read(
        self, person: Person, room: str, text: str, reply_to: str | None, key: str | None
    ) -> Said:
        """What is said, or ValueError for what cannot be."""
        words = text.strip()
        if room not in set(Room):
            raise ValueError(f"There is no room {room!r}; there are {' and '.join(Room)}.")
        if not words or len(words) > LONGEST_TEXT:
            raise ValueError(f"A message has 1 to {LONGEST_TEXT} characters.")
        replied = await self._wall.get(reply_to, person.user) if reply_to else None
        if reply_to and (replied is None or replied.room != room):
            raise ValueError("There is no such message to reply to in this room.")
        message = f"m-{digest(f'{person}:{key}')}" if key else f"m-{uuid4().hex}"
        return Said(
            message, person, Room(room), words, reply_to, to_bot=replied is not None and by_bot(replied)
        )


def actions(message: LocalMessage) -> Sequence[object]:
    """What the buttons of a message do."""
    buttons = message.body["buttons"]
    return [button["action"] for button in buttons if button["action"]] if isinstance(buttons, list) else []


def by_bot(message: LocalMessage) -> bool:
    """Whether the bot wrote it."""
    author = message.body["author"]
    return isinstance(author, Mapping) and bool(author["bot"])


def digest(text: str) -> str:
    """A short id that is always the same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]
