"""The pages by which somebody enters the dashboard and leaves it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from aiohttp import web

from engine.entry import SESSION_LIFE, Entered, Refused
from webhooks.access import read_form
from webhooks.admin.door import A_MINUTE, TOKEN, TOO_MANY, VISITOR, Door
from webhooks.admin.pace import Pace
from webhooks.words import page

TRIED_OF_ADDRESS = 10
TRIED_OF_ALL = 100
"""Links tried in a minute, after which only one that works is taken: those who come through a proxy share one
address, and nobody may keep an operator out."""

CUT = "This link is incomplete. Open it again from the message that it came in."
WORDS: Mapping[Refused, str] = {
    Refused.UNKNOWN: "This link is not one of ours, or it is very old.",
    Refused.EXPIRED: "This link is older than five minutes.",
    Refused.USED: "This link was used before. If that was not you, end all sessions with /admin signout.",
    Refused.VOID: "There is a newer link than this one.",
    Refused.NOT_ADMITTED: "This link is for somebody whom ADMIN_IDS does not name any more.",
}


class Entering:
    """Shows a button for a link, so that only a person uses it up and no program that looks at links."""

    def __init__(self, door: Door, pace: Callable[[], float] = time.monotonic) -> None:
        self._door = door
        self._tried = (Pace(TRIED_OF_ADDRESS, A_MINUTE, pace), Pace(TRIED_OF_ALL, A_MINUTE, pace))

    def routes(self) -> list[web.RouteDef]:
        """`/admin/enter` and `/admin/signout`."""
        return [
            web.get("/admin/enter", self.show),
            web.post("/admin/enter", self.enter),
            web.post("/admin/signout", self._door.write(self.leave)),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The button; nothing is looked up, so a look tells nothing and changes nothing."""
        token = request.query.get("link", "")
        if not TOKEN.fullmatch(token):
            return page("admin/closed.html", status=400, words=CUT)
        return page("admin/enter.html", token=token)

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Use the link up; the right one sets the cookie and leads to the dashboard."""
        self._door.from_our_page(request)
        token, entrance = (await read_form(request)).get("link", ""), self._door.entrance
        known = TOKEN.fullmatch(token) is not None
        if (wait := self._wait(request)) and not (known and await entrance.works(token)):
            raise web.HTTPTooManyRequests(text=TOO_MANY, headers={"Retry-After": str(wait)})
        found = await entrance.enter(token) if known else None
        if not isinstance(found, Entered):
            return page("admin/closed.html", status=403, words=WORDS[found] if found else CUT)
        response = web.Response(status=303, headers={"Location": "/admin", "Cache-Control": "no-store"})
        self._door.remember(response, found.token, int(SESSION_LIFE.total_seconds()))
        return response

    async def leave(self, request: web.Request, form: Mapping[str, str]) -> web.StreamResponse:
        """End this session, or with `all` every one of the person."""
        visitor = request[VISITOR]
        if form.get("all"):
            await self._door.entrance.end_sessions(visitor.actor)
        else:
            await self._door.entrance.leave(self._door.token(request), visitor.name)
        response = web.Response(status=303, headers={"Location": "/admin", "Cache-Control": "no-store"})
        self._door.forget(response)
        return response

    def _wait(self, request: web.Request) -> int | None:
        """Count a try; the seconds until the next one of its kind, if there were too many."""
        counted = zip(self._tried, (request.remote or "", ""), strict=True)
        waits = [wait for pace, key in counted if (wait := pace.take(key))]
        return max(waits, default=None)
