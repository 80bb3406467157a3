"""Control over HTTP, for tests that run the bot as a process of its own."""

from typing import Any

from aiohttp import web

from tests.fakes.discord.errors import Json
from tests.fakes.discord.fake import FakeDiscord
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.message import Message
from tests.fakes.pulse import PATIENCE

ROOT = "/_control"


def message_json(message: Message) -> Json:
    """Return what a reader sees of a message."""
    return {
        "id": message.id,
        "author": message.author.name,
        "text": message.text,
        "loading": message.loading,
        "private": message.only_for is not None,
        "buttons": message.buttons(),
        "versions": [text for _, text in message.versions],
    }


def interaction_json(found: Interaction) -> Json:
    """Return what became of an interaction."""
    return {
        "id": found.id,
        "acknowledged": found.acknowledged,
        "private": found.private(),
        "choices": found.choices,
        "messages": [message_json(message) for message in found.messages],
    }


class Control:
    """The routes under /_control, all JSON.

    `POST say|dm|slash|autocomplete|press|repeat|close-dms|open-dms|fault|drop|advance` do something; their
    fields are the arguments of the fake's method of that name. `GET transcript?channel=`, `dms?user=`,
    `interaction/{id}` and `state` read. With `contains=TEXT` the first two wait until a message of the bot
    contains it, `interaction` with `wait=1` until something is answered (408 after `seconds`, default 60).
    """

    def __init__(self, fake: FakeDiscord) -> None:
        self.fake = fake

    def mount(self) -> None:
        """Add the routes to the fake's server; to be called before it starts."""
        router = self.fake.app.router
        for name in ("say", "dm", "slash", "autocomplete", "press", "repeat", "fault", "drop", "advance"):
            router.add_post(f"{ROOT}/{name}", getattr(self, name))
        router.add_post(f"{ROOT}/close-dms", self.close_dms)
        router.add_post(f"{ROOT}/open-dms", self.open_dms)
        router.add_get(f"{ROOT}/transcript", self.transcript)
        router.add_get(f"{ROOT}/dms", self.dms)
        router.add_get(f"{ROOT}/interaction/{{id}}", self.interaction)
        router.add_get(f"{ROOT}/state", self.state)

    def _messages_named(self, asked: Json) -> Json:
        if asked.get("reply_to") is None:
            return asked
        return {**asked, "reply_to": self.fake.world.messages[asked["reply_to"]]}

    async def say(self, request: web.Request) -> web.Response:
        """Write in a channel."""
        return web.json_response(message_json(self.fake.say(**self._messages_named(await request.json()))))

    async def dm(self, request: web.Request) -> web.Response:
        """Write to the bot."""
        return web.json_response(message_json(self.fake.dm(**self._messages_named(await request.json()))))

    async def slash(self, request: web.Request) -> web.Response:
        """Use a command."""
        return web.json_response(interaction_json(self.fake.slash(**await request.json())))

    async def autocomplete(self, request: web.Request) -> web.Response:
        """Type into an option."""
        return web.json_response(interaction_json(self.fake.autocomplete(**await request.json())))

    async def press(self, request: web.Request) -> web.Response:
        """Press the button of a message that has this `custom_id`, or whose label contains `label`."""
        asked = await request.json()
        message = self.fake.world.messages[asked["message"]]
        custom_id = asked.get("custom_id") or message.button(asked["label"])["custom_id"]
        return web.json_response(interaction_json(self.fake.press(asked["user"], message, custom_id)))

    async def repeat(self, request: web.Request) -> web.Response:
        """Announce a message again."""
        self.fake.repeat(self.fake.world.messages[(await request.json())["message"]])
        return web.json_response({})

    async def fault(self, request: web.Request) -> web.Response:
        """Plan a failure; `lost` loses the answer instead."""
        asked = await request.json()
        if asked.pop("lost", False):
            self.fake.faults.lose(**asked)
        else:
            self.fake.faults.plan(**asked)
        return web.json_response({})

    async def drop(self, request: web.Request) -> web.Response:
        """Cut every gateway socket."""
        await self.fake.gateway.drop(**await request.json())
        return web.json_response({})

    async def advance(self, request: web.Request) -> web.Response:
        """Let seconds pass."""
        self.fake.world.clock.advance((await request.json())["seconds"])
        return web.json_response({})

    async def close_dms(self, request: web.Request) -> web.Response:
        """Let a user refuse direct messages."""
        self.fake.close_dms(**await request.json())
        return web.json_response({})

    async def open_dms(self, request: web.Request) -> web.Response:
        """Let a user take direct messages again."""
        self.fake.open_dms(**await request.json())
        return web.json_response({})

    async def transcript(self, request: web.Request) -> web.Response:
        """Read a channel."""
        channel = request.query.get("channel", "general")
        return await self._read(request, lambda: self.fake.transcript(channel))

    async def dms(self, request: web.Request) -> web.Response:
        """Read a user's direct messages."""
        return await self._read(request, lambda: self.fake.dms(request.query["user"]))

    async def _read(self, request: web.Request, look: Any) -> web.Response:  # noqa: ANN401 - a callable
        wanted = request.query.get("contains")
        bot = self.fake.world.bot

        def there() -> bool:
            return any(found.author is bot and str(wanted) in found.text for found in look())

        if wanted is not None:
            await self._until(request, there)
        return web.json_response([message_json(message) for message in look()])

    async def interaction(self, request: web.Request) -> web.Response:
        """Read what became of an interaction."""
        found = next(one for one in self.fake.interactions.all.values() if one.id == request.match_info["id"])
        if request.query.get("wait"):
            await self._until(request, lambda: found.answered)
        return web.json_response(interaction_json(found))

    async def _until(self, request: web.Request, look: Any) -> None:  # noqa: ANN401 - a callable
        try:
            await self.fake.world.pulse.until(look, float(request.query.get("seconds", PATIENCE)))
        except TimeoutError:
            raise web.HTTPRequestTimeout from None

    async def state(self, _request: web.Request) -> web.Response:
        """Read how things stand."""
        fake = self.fake
        return web.json_response(
            {
                "ready": fake.gateway.ready(),
                "resumes": fake.gateway.resumes,
                "commands": sorted(fake.commands),
                "findings": fake.findings,
                "pings": fake.pings(),
                "requests": len(fake.calls),
            }
        )
