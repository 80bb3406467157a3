"""The door of the dashboard: a session for every page, and for every write proof that our own page asked."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from engine.audit import Actor, Origin
from engine.entry import Entrance, digest
from webhooks.access import is_loopback_host, read_form
from webhooks.admin.pace import Pace
from webhooks.boundary import ADMIN_PATH, origin
from webhooks.words import page, wants_page

REQUESTS_A_MINUTE = 300
"""Of one session; a page of figures is a handful."""
A_MINUTE = 60.0
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""How links and sessions look; nothing else is looked up."""

OFF = (
    "The dashboard is off. It is for the people of ADMIN_IDS: set that variable to yourself, such as "
    "discord:ID or slack:TEAM/ID, start anew, and ask the bot for a link with /admin dashboard."
)
NOT_IN = "Ask the bot for a link with /admin dashboard, or run main.py dashboard on the server."
NOT_OURS = (
    "This request does not come from the dashboard's own page, so nothing was done. "
    "Open the dashboard at the address that APP_URL names, and try again there."
)
STALE_FORM = "This page is older than your session, so nothing was done. Load it again and try once more."
TOO_MANY = "Too many requests. Please wait a moment."

Written = Callable[[web.Request, Mapping[str, str]], Awaitable[web.StreamResponse]]
"""What a form of ours leads to; it gets the form's fields."""
Read = Callable[[web.Request], Awaitable[Mapping[str, str]]]
"""How the fields of a form are read."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has entered, until when at the latest, and what proves that a form is from a page of theirs."""

    name: str
    until: datetime
    csrf: str

    @property
    def actor(self) -> Actor:
        """As they stand in the audit log."""
        return Actor(self.name, Origin.DASHBOARD)

    def __repr__(self) -> str:
        """Without the proof."""
        return f"Visitor({self.name!r})"


VISITOR = web.RequestKey("visitor", Visitor)
"""On every request that came through `guard` or `write`."""


class Door:
    """Stands before everything at /admin."""

    def __init__(
        self, entrance: Entrance | None, app_url: str, pace: Callable[[], float] = time.monotonic
    ) -> None:
        """Without an entrance, or with one that admits nobody, everything is 404."""
        self._entrance = entrance
        self._app_url = app_url
        self._secure = app_url.startswith("https:")
        self._requests = Pace(REQUESTS_A_MINUTE, A_MINUTE, pace)

    @property
    def cookie(self) -> str:
        """The cookie's name; with `__Host-` browsers take it from this very host alone, and over TLS."""
        return "__Host-admin" if self._secure else "admin"

    @property
    def entrance(self) -> Entrance:
        """Who lets people in; 404 if nobody does."""
        if self._entrance is None or not self._entrance.open:
            raise web.HTTPNotFound(text=OFF)
        return self._entrance

    @web.middleware
    async def closed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """While it is off, everything at /admin says how to switch it on, also where there is no page."""
        if request.path == ADMIN_PATH or request.path.startswith(f"{ADMIN_PATH}/"):
            _ = self.entrance
        return await handler(request)

    def guard(self, handler: Handler) -> Handler:
        """The same handler for those with a session, `request[VISITOR]`; 401 in words for all others."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            visitor = await self.visitor(request)
            if visitor is None:
                return self._ask(request)
            self._paced(request)
            request[VISITOR] = visitor
            return await handler(request)

        return guarded

    def write(self, handler: Written, read: Read = read_form) -> Handler:
        """The same for what changes something: a form of our own page (if not read otherwise, of 8 KiB)."""

        async def written(request: web.Request) -> web.StreamResponse:
            self.from_our_page(request)
            form = await read(request)
            given = form.get("csrf", "") or request.headers.get("X-CSRF-Token", "")
            if not _same(given, request[VISITOR].csrf):
                raise web.HTTPForbidden(text=STALE_FORM)
            return await handler(request, form)

        return self.guard(written)

    async def visitor(self, request: web.Request) -> Visitor | None:
        """Whose session the request has, as things are now; a stream asks again from time to time."""
        entrance, token = self.entrance, self.token(request)
        found = await entrance.session(token) if TOKEN.fullmatch(token) else None
        return Visitor(found.person, found.until, csrf_of(token)) if found else None

    def page(self, request: web.Request, name: str, *, status: int = 200, **values: object) -> web.Response:
        """The template `name` with `visitor`, whose `csrf` goes into every form's field of that name."""
        return page(name, status=status, visitor=request[VISITOR], **values)

    def from_our_page(self, request: web.Request) -> None:
        """HTTPForbidden unless the browser says, in one header or both, that a page of ours sends this."""
        claimed, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        ours = claimed is None or claimed in self._ours(request)
        if not ours or site not in {None, "same-origin"} or (claimed is None and site is None):
            raise web.HTTPForbidden(text=NOT_OURS)

    def remember(self, response: web.StreamResponse, token: str, seconds: int) -> None:
        """Give the browser its session.

        Lax: a link in an alert leads to the page it is about, which a Strict cookie would not; whatever
        changes something is a POST, which a Lax cookie does not go along with from elsewhere.
        """
        response.set_cookie(
            self.cookie, token, max_age=seconds, httponly=True, samesite="Lax", secure=self._secure, path="/"
        )

    def forget(self, response: web.StreamResponse) -> None:
        """Take it away."""
        response.del_cookie(self.cookie, httponly=True, samesite="Lax", secure=self._secure, path="/")

    def token(self, request: web.Request) -> str:
        """The session's token as the browser sent it."""
        return request.cookies.get(self.cookie, "")

    def _ours(self, request: web.Request) -> set[str]:
        """APP_URL's origin; on a machine of one's own also the other names that it has for itself."""
        ours, host = {origin(self._app_url)}, request.headers.get("Host", "")
        if is_loopback_host(urlsplit(self._app_url).netloc) and is_loopback_host(host):
            ours.add(f"{request.scheme}://{host}")
        return ours

    def _paced(self, request: web.Request) -> None:
        if wait := self._requests.take(digest(self.token(request))):
            raise web.HTTPTooManyRequests(text=TOO_MANY, headers={"Retry-After": str(wait)})

    def _ask(self, request: web.Request) -> web.StreamResponse:
        if not wants_page(request):
            raise web.HTTPUnauthorized(text=f"There is no session, or it is over. {NOT_IN}")
        return page("admin/closed.html", status=401, words="")


def csrf_of(token: str) -> str:
    """What the forms of a session hold: made from its token, which it does not give away."""
    return hmac.new(token.encode("utf-8", "surrogateescape"), b"csrf", hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right.encode())
