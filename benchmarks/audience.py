"""Members in a process of their own, who ask on a fake Discord or Slack and note what they see when."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from bot.slack.manifest import manifest
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.shapes import Channel
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.state import BOT_USER, Kind

WORD = re.compile(r"word-(\d+)\b")
PATIENCE = 10.0
"""Seconds after which an answer that is not complete counts as lost."""
SETTLING = 0.5
"""Seconds for what may come behind the last words."""
RATE_LIMITED = 429


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many members, in turn in so many channels, each of whom asks for so many words."""

    members: int
    channels: int
    words: int


@dataclass(slots=True)
class Seen:
    """What one crowd saw: question, newest word and unix time of each change, and what it took."""

    changes: list[tuple[int, int, float]] = field(default_factory=list)
    over: set[int] = field(default_factory=set)
    writes: int = 0
    refused: int = 0
    until: float = 0.0

    def note(self, question: int, shown: str, words: int, at: float) -> None:
        """A message that answers a question has changed."""
        newest = max((int(number) for number in WORD.findall(shown)), default=-1)
        if newest >= 0:
            self.changes.append((question, newest, at))
        if newest == words - 1 and "stop:" not in shown:
            self.over.add(question)


@dataclass(slots=True)
class Stage:
    """The ends of the pipe to the audience."""

    pipe: Connection
    address: Mapping[str, str]

    async def ask(self, crowd: Crowd) -> Seen:
        """Let a crowd ask, and wait until every answer is complete."""
        self.pipe.send(crowd)
        seen: Seen = await asyncio.to_thread(self.pipe.recv)
        return seen


@asynccontextmanager
async def audience(play: Callable[[Connection], None]) -> AsyncIterator[Stage]:
    """A platform with its members, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=play, args=(there,))
    process.start()
    try:
        yield Stage(here, await asyncio.to_thread(here.recv))
    finally:
        here.send(None)
        await asyncio.to_thread(process.join)


def discord(pipe: Connection) -> None:
    """Play Discord, with its limits, until the pipe says no more."""
    asyncio.run(_discord(pipe))


async def _discord(pipe: Connection) -> None:
    async with FakeDiscord(check=False) as fake:
        fake.faults.limit()
        pipe.send(fake.variables)
        while crowd := await asyncio.to_thread(pipe.recv):
            pipe.send(await Watch(fake, crowd).seen())


class Watch:
    """One crowd on Discord: looks at every change that the gateway announces."""

    def __init__(self, fake: FakeDiscord, crowd: Crowd) -> None:
        self._fake = fake
        self._crowd = crowd
        self._seen = Seen()
        self._asked: dict[str, int] = {}
        self._answers: dict[str, int] = {}
        self._emit = fake.world.emit

    async def seen(self) -> Seen:
        """Ask, and wait for all answers."""
        fake, crowd = self._fake, self._crowd
        calls, limited = len(fake.calls), fake.faults.limited
        fake.world.emit = self._watched
        for number in range(crowd.members):
            place = f"channel-{number % crowd.channels}"
            said = fake.say(f"member-{number}", place, f"question-{number}", mention_bot=True)
            self._asked[said.id] = number
        with suppress(TimeoutError):
            await fake.world.pulse.until(lambda: len(self._seen.over) >= crowd.members, PATIENCE)
        self._seen.until = time.time()
        await asyncio.sleep(SETTLING)
        fake.world.emit = self._emit
        self._seen.writes = sum("/messages" in call.path for call in fake.calls[calls:])
        self._seen.refused = fake.faults.limited - limited
        return self._seen

    def _watched(self, name: str, data: dict[str, Any], channel: Channel) -> None:
        self._emit(name, data, channel)
        reference = (data.get("message_reference") or {}).get("message_id", "")
        if name == "MESSAGE_CREATE" and reference in self._asked:
            self._answers[data["id"]] = self._asked[reference]
        if (number := self._answers.get(data.get("id", ""))) is not None:
            shown = json.dumps([data.get("content"), data.get("components")])
            self._seen.note(number, shown, self._crowd.words, time.time())


def slack(pipe: Connection) -> None:
    """Play Slack, with its tiers, until the pipe says no more."""
    asyncio.run(_slack(pipe))


async def _slack(pipe: Connection) -> None:
    async with FakeSlack(manifest=manifest(None)) as fake:
        fake.faults.enforce_tiers = True
        pipe.send(fake.variables)
        while crowd := await asyncio.to_thread(pipe.recv):
            pipe.send(await asked_on_slack(fake, crowd))


async def asked_on_slack(fake: FakeSlack, crowd: Crowd) -> Seen:
    """One crowd on Slack: every message there remembers what it showed when."""
    calls = len(fake.log.calls)
    users = {f"U0MEMBER{number}" for number in range(crowd.members)}
    for user in users - fake.workspace.users.keys():
        fake.workspace.add_user(user, user.lower())
    for number in range(crowd.channels):
        fake.workspace.add_channel(f"C0CROWD{number}", f"crowd-{number}", Kind.PUBLIC, {*users, BOT_USER})
    said = await asyncio.gather(*(
        fake.mention(f"U0MEMBER{number}", f"C0CROWD{number % crowd.channels}", f"question-{number}")
        for number in range(crowd.members)
    ))  # fmt: skip
    asked = {each.ts: number for number, each in enumerate(said)}

    def look() -> Seen:
        seen = Seen()
        places = [fake.workspace.channels[f"C0CROWD{number}"] for number in range(crowd.channels)]
        for message in [one for place in places for one in place.messages.values() if one.by_app]:
            if (question := asked.get(message.thread_ts or "")) is not None:
                for at, shown in message.versions:
                    seen.note(question, shown, crowd.words, at)
        return seen

    with suppress(TimeoutError):
        await fake.wait_for(lambda: len(look().over) >= crowd.members, PATIENCE)
    until = time.time()
    await asyncio.sleep(SETTLING)
    seen = look()
    seen.until = until
    own = [call for call in fake.log.calls[calls:] if call.method.startswith(("chat.", "agents."))]
    seen.writes, seen.refused = len(own), sum(call.status == RATE_LIMITED for call in own)
    return seen
