"""The HTTP side: reads each request, lets planned faults strike, checks it, answers as Discord does."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes.discord.errors import ApiError, Json, no_such_route, unauthorized
from tests.fakes.discord.faults import Faults
from tests.fakes.discord.limits import Refusal
from tests.fakes.discord.routes import Answer, Call, Handler, Routes
from tests.fakes.discord.spec import Spec

ROOT = "/api/v10"
TOKEN_IN_PATH = ("/interactions/", "/webhooks/")
OUTAGE = {"message": "upstream connect error", "code": 0}
UNFORESEEABLE = {50083}
"""Refusals that no bot can know of before: somebody has just archived the thread."""
LARGEST = 25 * 1024 * 1024


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:  # noqa: ANN401 - JSON
    """Return a JSON answer with exactly the content type that Discord sends: clients compare it literally."""
    if body is None:
        return web.Response(status=204)
    typed = {**(headers or {}), "Content-Type": "application/json"}
    return web.Response(body=json.dumps(body).encode(), status=status, headers=typed)


async def read_body(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    """Return a request's JSON and the files that came with it."""
    if request.content_type == "application/json":
        return await request.json(), {}
    if not request.content_type.startswith("multipart/"):
        return None, {}
    body: Json = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):  # a nested multipart, which no client sends
            continue
        data = bytes(await part.read())
        if part.name == "payload_json":
            body = json.loads(data)
        else:
            files[str(part.filename)] = data
    return body, files


def refused(seconds: float | None) -> web.Response:
    """Return a 429: Discord's, or Cloudflare's, which comes without its own `Via` and as text."""
    if seconds is None:
        return web.Response(status=429, text="error code: 1015")
    refusal = Refusal(seconds)
    return reply(refusal.body(), 429, refusal.headers())


class Server:
    """Discord's REST API under /api/v10."""

    def __init__(self, routes: Routes, token: str, findings: list[str], spec: Spec | None) -> None:
        self.routes = routes
        self.token = token
        self.findings = findings
        self.spec = spec
        self.faults = Faults()
        self.calls: list[Call] = []

    def mount(self, app: web.Application) -> None:
        """Add the API to an application."""
        for method, template, handler in self.routes.table():
            app.router.add_route(method, ROOT + template, self._serve(template, handler))
        app.router.add_route("*", ROOT + "/{rest:.*}", self._nowhere)

    async def _nowhere(self, request: web.Request) -> web.Response:
        self.findings.append(f"{request.method} {request.path}: no such route in the fake")
        error = no_such_route()
        return reply(error.body(), error.status)

    def _serve(self, template: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            body, files = await read_body(request)
            path = request.path.removeprefix(ROOT)
            call = Call(
                request.method, template, path, dict(request.match_info), dict(request.query), body, files,
                time.monotonic(),
            )  # fmt: skip
            self.calls.append(call)
            self.routes.world.pulse.beat()
            return await self._answer(request, call, handler)

        return serve

    async def _answer(self, request: web.Request, call: Call, handler: Handler) -> web.Response:
        fault = self.faults.take(call.method, call.path)
        if fault is None:
            return await self._passed(request, call, handler)
        if fault.lost:
            await self._done(request, call, handler)
            if fault.gate is not None:
                await fault.gate.wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault.status == 429:
            return refused(fault.retry_after)
        return reply(OUTAGE, fault.status)

    async def _passed(self, request: web.Request, call: Call, handler: Handler) -> web.Response:
        found = self.faults.over(call.method, call.path)
        if isinstance(found, Refusal):
            return reply(found.body(), 429, found.headers())
        response = await self._done(request, call, handler)
        response.headers.update(found)
        return response

    async def _done(self, request: web.Request, call: Call, handler: Handler) -> web.Response:
        try:
            self._check_token(request, call)
            self._check(call)
            answer = await handler(call)
        except ApiError as error:
            if error.status == 400 and error.code not in UNFORESEEABLE:
                self.findings.append(f"{call.method} {call.template}: {error} {error.errors or ''}")
            return reply(error.body(), error.status)
        self._check_own(call, answer)
        return reply(answer.body, answer.status)

    def _check_token(self, request: web.Request, call: Call) -> None:
        given = request.headers.get("Authorization")
        if not call.path.startswith(TOKEN_IN_PATH) and given != f"Bot {self.token}":
            raise unauthorized()

    def _check(self, call: Call) -> None:
        if self.spec is not None:
            self.findings += self.spec.request(call.method, call.template, call.body, call.query)

    def _check_own(self, call: Call, answer: Answer) -> None:
        if self.spec is not None:
            self.findings += self.spec.response(call.method, call.template, answer.status, answer.body)
