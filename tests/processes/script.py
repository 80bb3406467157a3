"""A script that uses the playground through its documented interface, as docs/playground-api.md has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.fakes.pulse import PATIENCE

Message = Mapping[str, Any]
FINAL = frozenset({"done", "stopped", "failed"})


@dataclass(frozen=True, slots=True)
class Script:
    """One person at one process."""

    session: ClientSession
    url: str
    person: str

    async def say(self, text: str, *, room: str = "dm", key: str | None = None) -> str:
        """Say something; the message's id."""
        body = {"person": self.person, "room": room, "text": text, "key": key}
        async with self.session.post(f"{self.url}/playground/api/messages", json=body) as answer:
            assert answer.status == 202, await answer.text()
            return str((await answer.json())["id"])

    async def press(self, message: Message, label: str) -> None:
        """Press the button whose label begins so."""
        (action,) = [each["action"] for each in message["buttons"] if each["label"].startswith(label)]
        body = {"person": self.person, "message": message["id"], "action": action}
        async with self.session.post(f"{self.url}/playground/api/press", json=body) as answer:
            assert answer.status == 202, await answer.text()

    async def messages(self) -> list[Message]:
        """What the person sees, oldest first."""
        query = {"person": self.person, "limit": "500"}
        async with self.session.get(f"{self.url}/playground/api/messages", params=query) as answer:
            return asked_for((await answer.json())["messages"])

    async def tier(self) -> str:
        """The person's tier."""
        async with self.session.get(
            f"{self.url}/playground/api/person", params={"person": self.person}
        ) as answer:
            return str((await answer.json())["person"]["tier"])

    async def until(self, enough: Callable[[Mapping[str, Message]], bool]) -> dict[str, Message]:
        """Listen until what the person sees, by message id, is enough."""
        async with asyncio.timeout(PATIENCE), self._events() as events:
            seen = {each["id"]: each for each in await self.messages()}
            async for messages in events:
                seen |= {each["id"]: each for each in messages}
                if enough(seen):
                    return seen
        raise AssertionError(f"the stream ended: {seen}")

    async def answers(self, asked: Collection[str]) -> dict[str, Message]:
        """Listen until each of these messages has its answer; the answers by what they answer."""
        wanted = frozenset(asked)
        seen = await self.until(lambda messages: wanted <= finished(messages).keys())
        return {number: each for number, each in finished(seen).items() if number in wanted}

    async def answer(self, text: str) -> Message:
        """Say something and wait for the answer."""
        asked = await self.say(text)
        return (await self.answers([asked]))[asked]

    async def noticed(self, words: str) -> Message:
        """Wait for a notice with these words."""

        def found(messages: Mapping[str, Message]) -> list[Message]:
            notices = [each for name, each in messages.items() if name.startswith("notice-")]
            return [each for each in notices if words in each["text"]]

        return found(await self.until(lambda messages: bool(found(messages))))[0]

    async def begun(self, text: str) -> None:
        """Ask a question and wait until its answer is at these words."""
        asked = await self.say("/ask What is 6 times 7?")

        def shown(messages: Mapping[str, Message]) -> bool:
            return any(each["reply_to"] == asked and each["text"] == text for each in messages.values())

        await self.until(shown)

    @asynccontextmanager
    async def _events(self) -> AsyncIterator[AsyncIterator[list[Message]]]:
        async with self.session.get(
            f"{self.url}/playground/api/events", params={"person": self.person}
        ) as answer:

            async def changes() -> AsyncIterator[list[Message]]:
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        data = json.loads(line[6:])
                        new = data.get("messages") or ([data["message"]] if "message" in data else [])
                        yield asked_for(new)

            yield changes()


Meet = Callable[[str, str], Script]
"""Makes a script by URL and person."""


def asked_for(messages: Iterable[Message]) -> list[Message]:
    """All but the words that welcome a newcomer once."""
    return [each for each in messages if ".welcome." not in each["id"]]


def finished(messages: Mapping[str, Message]) -> dict[str, Message]:
    """The bot's messages that will not change any more, by what they reply to."""
    bots = [each for each in messages.values() if each["author"]["bot"] and each["state"] in FINAL]
    return {each["reply_to"]: each for each in bots if each["reply_to"]}


@asynccontextmanager
async def scripts() -> AsyncIterator[Meet]:
    """Makes scripts by URL and person; as many requests at once as they like."""
    timeout = ClientTimeout(total=PATIENCE)
    async with ClientSession(connector=TCPConnector(limit=0), timeout=timeout, read_bufsize=2**20) as session:
        yield lambda url, person: Script(session, url, person)
