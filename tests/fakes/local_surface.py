"""A chat surface in memory that answers by script, so that the playground's page can be shown alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.domain import Person

Json = dict[str, Any]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOT = {"name": "Assistant", "bot": True}

ANSWER = """Here is **what differs**:

| | HTTP/1.1 | HTTP/2 |
|---|---|---|
| Streams | one | *many* |

1. Open a connection
2. Ask with `fetch`

```python
print("hello <b>world</b>")
```

More at [the RFC](https://www.rfc-editor.org/rfc/rfc9113)."""

COMMANDS: list[Json] = [
    {
        "name": "ask",
        "description": "Ask a model; the answer starts a new conversation.",
        "usage": "/ask <prompt> [model]",
        "options": [
            {"name": "prompt", "description": "What you want to know.", "required": True, "choices": []},
            {
                "name": "model",
                "description": "Which model should answer.",
                "required": False,
                "choices": ["demo-brief", "demo-poet"],
                "prefix": "model:",
            },
        ],
    },
    {
        "name": "upgrade",
        "description": "Get a checkout link for a higher tier.",
        "usage": "/upgrade [tier] [month|year]",
        "options": [
            {
                "name": "tier",
                "description": "The tier you want.",
                "required": False,
                "choices": ["premium", "pro"],
            },
            {
                "name": "interval",
                "description": "Pay by the month or by the year.",
                "required": False,
                "choices": ["month", "year"],
            },
        ],
    },
    {"name": "usage", "description": "See what is left for you today.", "usage": "/usage", "options": []},
]


class MemorySurface:
    """Everything said, and who listens."""

    def __init__(self) -> None:
        self.tiers: dict[str, str] = {}
        self.said: dict[str, tuple[str | None, Json]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.pressed: list[tuple[str, str, str]] = []
        self.listeners = 0
        self.left = asyncio.Event()
        self._queues: list[tuple[Person, asyncio.Queue[Json]]] = []

    def describe(self) -> Mapping[str, object]:
        """What the page needs to know before anybody speaks."""
        return {
            "bot": {"name": "Assistant"},
            "people": ["alice", "bob", "carol"],
            "rooms": [{"id": "general", "name": "general"}, {"id": "dm", "name": "Assistant"}],
            "commands": COMMANDS,
            "simulated": {"models": True, "billing": True},
        }

    async def profile(self, person: Person) -> Mapping[str, object]:
        """Free, unless a test says otherwise."""
        return {"name": person.user, "tier": self.tiers.get(person.user, "free")}

    async def send(self, person: Person, room: str, text: str, reply_to: str | None, key: str | None) -> str:
        """Keep the words; nobody answers by itself."""
        if room not in {"general", "dm"} or not text:
            raise ValueError("There is no such room; there are general and dm.")
        known = f"key-{key}" if key else None
        if known in self.said:
            return str(known)
        author = {"name": person.user, "bot": False}
        kind, audience = ("dm", person.user) if room == "dm" else ("public", None)
        return self.say(
            text, author=author, room=room, kind=kind, audience=audience, reply_to=reply_to, id=known
        )

    async def press(self, person: Person, message: str, action: str) -> None:
        """Remember what was pressed."""
        if message not in self.said:
            raise ValueError("There is no such message.")
        self.pressed.append((person.user, message, action))

    async def messages(self, person: Person, limit: int) -> Sequence[Mapping[str, object]]:
        """What was said to all or to this person."""
        seen = [body for audience, body in self.said.values() if audience in {None, person.user}]
        return seen[-limit:]

    async def file(self, person: Person, message: str) -> tuple[str, bytes] | None:
        """What goes with a message that the person sees."""
        audience, _ = self.said.get(message, (person.user, {}))
        return self.files.get(message) if audience in {None, person.user} else None

    @asynccontextmanager
    async def events(self, person: Person) -> AsyncIterator[AsyncIterator[Mapping[str, object]]]:
        """A queue of its own for each listener."""
        entry = (person, asyncio.Queue[Json]())
        self._queues.append(entry)
        self.listeners += 1
        try:
            yield _drain(entry[1])
        finally:
            self._queues.remove(entry)
            self.listeners -= 1
            self.left.set()

    def say(self, text: str, *, audience: str | None = None, **more: object) -> str:
        """Have a message appear, the bot's own unless another author is given."""
        number = len(self.said) + 1
        at = (NOON + timedelta(minutes=number)).isoformat()
        body: Json = {
            "id": more.pop("id", None) or f"m{number}",
            "room": "general",
            "author": BOT,
            "kind": "public",
            "text": text,
            "state": "done",
            "footer": "",
            "buttons": [],
            "reply_to": None,
            "at": at,
            "edited": at,
            **more,
        }
        self.said[body["id"]] = (audience, body)
        self._publish(audience, {"type": "message", "message": body})
        return str(body["id"])

    def change(self, message: str, **more: object) -> None:
        """Have a message change."""
        audience, body = self.said[message]
        self.said[message] = (audience, {**body, **more})
        self._publish(audience, {"type": "message", "message": {**body, **more}})

    def set_tier(self, name: str, tier: str) -> None:
        """Have a person's tier change."""
        self.tiers[name] = tier
        self._publish(name, {"type": "person", "person": {"name": name, "tier": tier}})

    def _publish(self, audience: str | None, change: Json) -> None:
        for person, queue in self._queues:
            if audience in {None, person.user}:
                queue.put_nowait(change)


async def _drain(queue: asyncio.Queue[Json]) -> AsyncIterator[Mapping[str, object]]:
    while True:
        yield await queue.get()
