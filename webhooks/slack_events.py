"""Hands Slack's signed calls to the bot, raw as they came."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from engine.ports import HttpRequest, PlatformEndpoint
from webhooks.body import read_body
from webhooks.site import Knocked

PATH = "/slack/events"
MOST_BYTES = 1024 * 1024

OFF = "Slack does not call this server over HTTP: SLACK_SIGNING_SECRET is not set."


def routes(endpoint: PlatformEndpoint | None, knocked: Knocked | None = None) -> list[web.RouteDef]:
    """The endpoint, or where Slack does not call us the words that say so."""
    if endpoint is None:
        return [web.route("*", PATH, _off)]
    return [web.post(PATH, SlackEndpoint(endpoint, knocked).take)]


class SlackEndpoint:
    """Passes calls on; the platform's own code verifies them, and `knocked` hears of bad ones."""

    def __init__(self, endpoint: PlatformEndpoint, knocked: Knocked | None = None) -> None:
        self._endpoint = endpoint
        self._knocked = knocked

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer as the endpoint says."""
        body = await read_body(request, MOST_BYTES)
        query = request.rel_url.raw_query_string
        call = HttpRequest(request.method, request.path, query, dict(request.headers), body)
        said = await self._endpoint.handle(call)
        if said.status == HTTPStatus.UNAUTHORIZED and self._knocked:
            await self._knocked(PATH)
        headers = {"Content-Type": said.content_type, "Cache-Control": "no-store"}
        return web.Response(status=said.status, body=said.body.encode(), headers=headers)


async def _off(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound(text=OFF)
