"""The playground's messages: their shape, their keeping, and their way to those who see them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.local.feed import Feed
from bot.render import lost_buttons
from bot.reply import RUNNING, Button, State
from bot.words import say
from engine.domain import TurnId
from engine.errors import GoneError
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.simulated import LocalMessage

BOT_NAME = "Assistant"


class Room(StrEnum):
    """Where something is said: before all, or between one person and the bot."""

    GENERAL = "general"
    DM = "dm"


class Kind(StrEnum):
    """Who sees a message: all, one person among others, or the two of a DM."""

    PUBLIC = "public"
    PRIVATE = "private"
    DM = "dm"


SENT = "sent"
"""The state of what people say; answers have a `State`."""
MOST_FILES = 8


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a person and the bot speak, and the message that is answered there."""

    person: str
    room: Room
    reply_to: str | None = None

    def kind(self, *, private: bool) -> Kind:
        """What a message here is."""
        if self.room is Room.DM:
            return Kind.DM
        return Kind.PRIVATE if private else Kind.PUBLIC


@dataclass(frozen=True, slots=True)
class Post:
    """One message as it is to be shown."""

    id: str
    spot: Spot
    kind: Kind
    text: str
    state: str = State.DONE
    footer: str = ""
    buttons: tuple[Button, ...] = ()
    bot: bool = True

    @property
    def audience(self) -> str | None:
        """The one person who sees it, None for all."""
        return None if self.kind is Kind.PUBLIC else self.spot.person

    @property
    def author(self) -> str:
        """The name that it is shown under."""
        return BOT_NAME if self.bot else self.spot.person


class Wall:
    """All messages of the playground."""

    def __init__(self, store: Store, clock: Clock, feed: Feed) -> None:
        self._store = store
        self._clock = clock
        self._feed = feed
        self._opened_at = clock.now()
        self._files: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    async def put(self, post: Post, file: tuple[str, bytes] | None = None) -> None:
        """Show a message, or what has become of it; one that is shown keeps its place and time.

        A file that comes with it is kept in memory, the newest few of all.
        """
        if file:
            self._files[post.id] = file
            if len(self._files) > MOST_FILES:
                self._files.popitem(last=False)
        shown = await self._store.transact(lambda tx: put(tx, post, self._clock.now()))
        self._feed.publish(shown.audience, f"message:{shown.id}", changed(shown))

    async def add(self, post: Post) -> bool:
        """Show a message unless its id is there already; whether it is new."""

        def work(tx: Tx) -> LocalMessage | None:
            return None if tx.get_local(post.id) else put(tx, post, self._clock.now())

        shown = await self._store.transact(work)
        if shown:
            self._feed.publish(shown.audience, f"message:{shown.id}", changed(shown))
        return shown is not None

    async def mend(self, message: str, turn: TurnId) -> None:
        """Show an answer that is still being written as broken off. GoneError: there is no such message."""

        def work(tx: Tx) -> LocalMessage | None:
            found = tx.get_local(message)
            if found is None:
                raise GoneError("the message is gone")
            if found.body["state"] not in RUNNING:
                return None
            buttons = [asdict(button) for button in lost_buttons(turn)]
            mended = replace(found, body={**broken_off(found.body), "buttons": buttons})
            tx.put_local(mended)
            return mended

        shown = await self._store.transact(work)
        if shown:
            self._feed.publish(shown.audience, f"message:{shown.id}", changed(shown))

    async def get(self, message: str, person: str) -> LocalMessage | None:
        """A message that the person sees."""
        found = await self._store.read(lambda tx: tx.get_local(message))
        return found if found and found.audience in {None, person} else None

    async def file(self, message: str, person: str) -> tuple[str, bytes] | None:
        """The file that comes with a message that the person sees, if it is still kept."""
        return self._files.get(message) if await self.get(message, person) else None

    async def seen_by(self, person: str, limit: int) -> Sequence[Mapping[str, object]]:
        """The newest messages that the person sees, oldest first."""
        found = await self._store.read(lambda tx: tx.local_messages(person, limit))
        return [as_it_is(plain(message), self._opened_at) for message in found]


def put(tx: Tx, post: Post, now: datetime) -> LocalMessage:
    """Keep a message; the second time it counts as edited."""
    known = tx.get_local(post.id)
    asked = post.spot.reply_to
    forgotten = post.bot and known is None and asked is not None and tx.get_local(asked) is None
    body = {
        "author": {"name": post.author, "bot": post.bot},
        "kind": post.kind,
        "text": post.text,
        "state": post.state,
        "footer": post.footer,
        "buttons": [asdict(button) for button in post.buttons],
        "reply_to": post.spot.reply_to,
        "edited": now.isoformat() if known else None,
    }
    at = known.at if known else now
    message = LocalMessage(post.id, post.spot.room, post.author, post.audience, body, at)
    if not forgotten:  # whoever asked was erased meanwhile: it is shown, and not kept
        tx.put_local(message)
    return message


def plain(message: LocalMessage) -> Mapping[str, object]:
    """A message as docs/playground-api.md describes it."""
    at = message.at.isoformat() if message.at else None
    return {"id": message.id, "room": message.room, "at": at, **message.body}


def changed(message: LocalMessage) -> Mapping[str, object]:
    """A message as an event."""
    return {"type": "message", "message": plain(message)}


def as_it_is(message: Mapping[str, object], opened_at: datetime) -> Mapping[str, object]:
    """The message, but broken off if it was being written when an earlier process ended."""
    last = str(message["edited"] or message["at"])
    if message["state"] not in RUNNING or datetime.fromisoformat(last) >= opened_at:
        return message
    return broken_off(message)


def broken_off(body: Mapping[str, object]) -> Mapping[str, object]:
    """What is left of an answer whose process is gone."""
    text = "\n\n".join(filter(None, (str(body["text"]), say("local-broken-off"))))
    footer = say("footer-not-counted")
    return {**body, "text": text, "state": State.FAILED.value, "footer": footer, "buttons": []}
