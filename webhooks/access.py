"""The gate before the playground and the simulated pages: loopback visitors, or holders of the key."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from webhooks.body import read_body
from webhooks.boundary import origin
from webhooks.words import page, wants_page

COOKIE = "playground"
COOKIE_SECONDS = 30 * 24 * 3600
WRONG_KEYS_A_MINUTE = 10
A_MINUTE = 60.0

NOT_LOCAL = (
    "This page is open only to a browser on the machine that runs the server, at http://localhost or "
    "http://127.0.0.1. To open it from elsewhere, set PLAYGROUND_KEY and give that key here."
)
NOT_PUBLIC = (
    "This server has a public address (APP_URL), so this page is closed to everybody: a proxy in front of it "
    "can look like a visitor on this machine. To open it, set PLAYGROUND_KEY and give that key here."
)
"""nginx's plain `proxy_pass http://127.0.0.1:8080` asks by a loopback name and adds no header of its own."""
NOT_SAME_SITE = (
    "This request comes from another site, so it is refused. "
    "Open this server's own page, at the address that APP_URL names."
)
KEY_NEEDED = "This needs the playground's key: send it as Authorization: Bearer PLAYGROUND_KEY."
WRONG_KEY = "That is not the playground's key."
TOO_MANY_KEYS = "Too many wrong keys. Try again in a minute."

_FORWARDED = re.compile(r"(x-forwarded-.*|forwarded|x-real-ip|via|cf-connecting-ip)", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")
_INSIDE = re.compile(r"/(playground|simulated)(/[A-Za-z0-9_-]+)*")


class Gate:
    """Decides who may use what is meant for one developer or for the holders of a key."""

    def __init__(self, app_url: str, key: str | None, *, pace: Callable[[], float] = time.monotonic) -> None:
        self._app_url = app_url
        self._public = not is_loopback_host(urlsplit(app_url).netloc)
        self._key = key
        self._pace = pace
        self._wrong: deque[float] = deque(maxlen=WRONG_KEYS_A_MINUTE)

    def guard(self, handler: Handler) -> Handler:
        """The same handler, for those who may pass; everybody else gets 403 in words."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            self._same_site(request)
            if self._key is None and self._public:
                raise web.HTTPForbidden(text=NOT_PUBLIC)
            if self._key is None:
                _local(request)
            elif not self._has_key(request, self._key):
                return self._ask(request)
            return await handler(request)

        return guarded

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Take the key form: the right key sets the cookie and leads to where the visitor wanted to be."""
        self._same_site(request)
        if self._key is None:
            raise web.HTTPNotFound
        form = await read_form(request)
        goal = form.get("goal", "")
        goal = goal if _INSIDE.fullmatch(goal) else "/playground"
        if not self._is_key(form.get("key", ""), self._key):
            return page("key.html", status=403, goal=goal, words=WRONG_KEY)
        response = web.Response(status=303, headers={"Location": goal})
        response.set_cookie(
            COOKIE,
            _token(self._key),
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Strict",
            secure=self._app_url.startswith("https:"),
        )
        return response

    def _same_site(self, request: web.Request) -> None:
        ours = {f"{request.scheme}://{request.headers.get('Host', '')}", origin(self._app_url)}
        claimed = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        crossing = request.method not in {"GET", "HEAD"} and site not in {"same-origin", "none"}
        if crossing or (claimed is not None and claimed not in ours):
            raise web.HTTPForbidden(text=NOT_SAME_SITE)

    def _has_key(self, request: web.Request, key: str) -> bool:
        if _same(request.cookies.get(COOKIE, ""), _token(key)):
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._is_key(given.strip(), key)

    def _is_key(self, given: str, key: str) -> bool:
        """Compare in constant time; after ten wrong ones in a minute even the right one has to wait."""
        now = self._pace()
        if len(self._wrong) == self._wrong.maxlen and now - self._wrong[0] < A_MINUTE:
            raise web.HTTPTooManyRequests(text=TOO_MANY_KEYS, headers={"Retry-After": "60"})
        right = _same(given, key)
        if not right:
            self._wrong.append(now)
        return right

    def _ask(self, request: web.Request) -> web.StreamResponse:
        if not wants_page(request):
            raise web.HTTPForbidden(text=KEY_NEEDED)
        return page("key.html", status=403, goal=request.path, words="")


def is_loopback_visit(address: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the peer is this machine, asks for this machine by name, and nobody forwarded the request."""
    forwarded = any(_FORWARDED.fullmatch(name) for name in headers)
    return not forwarded and _is_loopback(address or "") and is_loopback_host(headers.get("Host", ""))


async def read_form(request: web.Request) -> Mapping[str, str]:
    """A small form that a page of ours posted."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="This address takes a form.")
    body = await read_body(request, 8 * 1024)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


async def read_parts(request: web.Request, most: int) -> Mapping[str, str]:
    """A form with files, each as the text that it holds; 400 for one that is no UTF-8."""
    if request.content_type != "multipart/form-data":
        raise web.HTTPUnsupportedMediaType(text="This address takes a form with files.")
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode("utf-8", "replace")
    whole = BytesParser(policy=HTTP).parsebytes(head + await read_body(request, most))
    try:
        return {_name_of(part): _text_of(part) for part in whole.iter_parts()}
    except ValueError:
        raise web.HTTPBadRequest(text="What was sent is not text in UTF-8, so nothing was done.") from None


def _name_of(part: Message) -> str:
    return str(part.get_param("name", "", "Content-Disposition"))


def _text_of(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode() if isinstance(content, bytes) else ""


def _local(request: web.Request) -> None:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not is_loopback_visit(peer[0] if peer else None, request.headers):
        raise web.HTTPForbidden(text=NOT_LOCAL)


def is_loopback_host(host: str) -> bool:
    """Whether a `Host` header or the host and port of an address name this machine itself."""
    found = _HOST.fullmatch(host)
    name = found[1].strip("[]").lower() if found else ""
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    plain = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (plain or found).is_loopback


def _token(key: str) -> str:
    """What the cookie holds: proof of the key, which it does not give away."""
    return hmac.new(key.encode(), b"playground cookie", hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right.encode())
