"""The playground: its page, and the JSON interface that the page and scripts use (docs/playground-api.md)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from aiohttp import web

from engine.domain import Person, Platform
from engine.ports import LocalSurface
from webhooks.access import Gate
from webhooks.body import read_json
from webhooks.site import Site
from webhooks.stream import EventStreams
from webhooks.words import answer, page

VERSION = 1
MOST_BYTES = 64 * 1024
MOST_MESSAGES = 500
USUAL_MESSAGES = 100

OFF = "The playground is off. Set PLAYGROUND=1 to switch it on beside Discord or Slack."
NO_FILE = "There is no such file any more. Ask for it again."
BAD_NAME = "A person is a name of 1 to 32 small letters, digits, dots, dashes or underscores, such as alice."

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_SEND_FIELDS = ("person", "room", "text")
_SEND_EXTRAS = ("reply_to", "key")
_PRESS_FIELDS = ("person", "message", "action")


def routes(site: Site, gate: Gate, closing: asyncio.Event) -> list[web.RouteDef]:
    """The page and its interface behind the gate, or where it is off the words that say so."""
    if site.playground is None:
        off = gate.guard(_off)
        return [web.route("*", "/playground", off), web.route("*", "/playground/{rest:.*}", off)]
    playground = Playground(site.playground, EventStreams(site.playground, closing))
    return [
        web.get("/playground", gate.guard(playground.show)),
        web.get("/playground/api", gate.guard(playground.describe)),
        web.get("/playground/api/person", gate.guard(playground.profile)),
        web.get("/playground/api/messages", gate.guard(playground.messages)),
        web.post("/playground/api/messages", gate.guard(playground.send)),
        web.post("/playground/api/press", gate.guard(playground.press)),
        web.get("/playground/api/files/{message}", gate.guard(playground.file)),
        web.get("/playground/api/events", gate.guard(playground.events), allow_head=False),
    ]


class Playground:
    """HTTP on the outside, a `LocalSurface` on the inside."""

    def __init__(self, surface: LocalSurface, streams: EventStreams) -> None:
        self._surface = surface
        self._streams = streams

    async def show(self, _request: web.Request) -> web.StreamResponse:
        """The page; everything on it comes through the interface."""
        return page("playground.html")

    async def describe(self, _request: web.Request) -> web.StreamResponse:
        """What there is: people, rooms, commands, and what is simulated."""
        return answer({"version": VERSION, **self._surface.describe()})

    async def profile(self, request: web.Request) -> web.StreamResponse:
        """One person as they stand: name and tier."""
        person = _person(request.query.get("person", ""))
        return answer({"person": await self._surface.profile(person)})

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """What a person sees, oldest first."""
        person = _person(request.query.get("person", ""))
        limit = _limit(request.query.get("limit"))
        return answer({"messages": await self._surface.messages(person, limit)})

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Say something; 202 with the message's id, the answer comes as messages of its own."""
        given = _fields(await read_json(request, MOST_BYTES), _SEND_FIELDS, _SEND_EXTRAS)
        reply_to, key = given.get("reply_to"), given.get("key")
        try:
            person = _person(given["person"])
            sent = await self._surface.send(person, given["room"], given["text"], reply_to, key)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return answer({"id": sent}, status=202)

    async def press(self, request: web.Request) -> web.StreamResponse:
        """Press a button of a message that the person sees; 202, what it does comes as messages."""
        given = _fields(await read_json(request, MOST_BYTES), _PRESS_FIELDS, ())
        try:
            await self._surface.press(_person(given["person"]), given["message"], given["action"])
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return answer({"id": given["message"]}, status=202)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The file that comes with a message, to be saved."""
        person = _person(request.query.get("person", ""))
        found = await self._surface.file(person, request.match_info["message"])
        if found is None:
            raise web.HTTPNotFound(text=NO_FILE)
        name, content = found
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=content, content_type="application/octet-stream", headers=headers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """A stream of server-sent events of what a person sees."""
        return await self._streams.serve(request, _person(request.query.get("person", "")))


def _person(text: str) -> Person:
    """`alice` or `local:alice`."""
    name = text.removeprefix(f"{Platform.LOCAL}:")
    if not _NAME.fullmatch(name):
        raise web.HTTPBadRequest(text=BAD_NAME)
    return Person(Platform.LOCAL, "", name)


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_MESSAGES
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < 1:
        raise web.HTTPBadRequest(text=f"limit is a whole number from 1 to {MOST_MESSAGES}.")
    return min(int(text), MOST_MESSAGES)


def _fields(given: Mapping[str, object], needed: tuple[str, ...], extras: tuple[str, ...]) -> dict[str, str]:
    """The texts of a JSON object; an optional one may be null, an unknown one is a mistake worth telling."""
    unknown = sorted(set(given) - {*needed, *extras})
    if unknown:
        known = ", ".join(needed + extras)
        raise web.HTTPBadRequest(text=f"There is no field {unknown[0]!r}; the fields are {known}.")
    found = {name: value for name, value in given.items() if isinstance(value, str)}
    wrong = [name for name in given if name not in found and not (name in extras and given[name] is None)]
    missing = [name for name in needed if name not in given]
    if wrong or missing:
        raise web.HTTPBadRequest(text=f"{(wrong or missing)[0]} must be given, as a text.")
    return found


async def _off(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text=OFF)
