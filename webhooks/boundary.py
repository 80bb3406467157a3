"""What surrounds every request: errors become words, answers carry safe headers, and each is logged once."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler

from engine.errors import TryAgainError
from engine.tracing import traced
from webhooks.words import DEFAULT_WORDS, refuse, said

logger = logging.getLogger("webhooks")

STRIPE_PATH = "/stripe/webhook"
ADMIN_PATH = "/admin"
"""Nothing below it is kept by a browser or proxy."""
REQUEST = web.RequestKey("request", str)
"""Its id in the log."""
STARTED = web.RequestKey("started", web.StreamResponse)
"""A stream whose headers are out: an error can only break it off."""
FORM_TARGETS = web.ResponseKey("form_targets", tuple)
"""Addresses elsewhere that a page's form may lead to."""

_KEPT = ("Allow", "Location", "Retry-After", "WWW-Authenticate")

_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers call the origin of our own forms null
    "Server": "multi-llm-chat",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@web.middleware
async def errors_in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into an answer; the one place of this room that logs what nobody foresaw."""
    with traced() as request[REQUEST]:
        return await _in_words(request, handler)


async def _in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        return _with_kept_headers(refuse(request, error.status, said(error)), error)
    except TryAgainError as error:
        logger.warning("%s cannot be done now: %s", _route(request), error)
        return _later(request, error.retry_after)
    except Exception:
        logger.exception("%s %s failed", request.method, _route(request))
        return _broken(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer, files and streams too, the headers that keep browsers careful."""
    elsewhere = {origin(address) for address in response.get(FORM_TARGETS, ()) if urlsplit(address).netloc}
    targets = " ".join(sorted(elsewhere))
    policy = f"{_CONTENT_POLICY} {targets}".rstrip()
    response.headers.setdefault("Content-Security-Policy", policy)
    private = request.path.startswith(ADMIN_PATH)
    response.headers.setdefault("Cache-Control", "no-store" if private else "no-cache")
    response.headers.update(_HEADERS)


def origin(address: str) -> str:
    """Scheme, host and port of an address, as browsers write an origin."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


class AccessLog(AbstractAccessLogger):
    """One line a request: method, route, status and milliseconds; no query, no header, no body."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log one finished request; health checks and files only for those who debug."""
        route = _route(request)
        level = logging.DEBUG if route in {"/health", "/metrics", "/ready", "/static"} else logging.INFO
        method, status = request.method, response.status
        facts = {"method": method, "route": route, "status": status, "ms": round(time * 1000)}
        with traced(request.get(REQUEST, "")):
            self.logger.log(level, "%s %s %d", method, route, status, extra=facts)


def _route(request: web.BaseRequest) -> str:
    """The route's pattern, which holds no ids; for no route, the path as it was escaped."""
    info = getattr(request, "match_info", None)
    resource = info.route.resource if info is not None else None
    return resource.canonical if resource is not None else request.rel_url.raw_path[:200]


def _with_kept_headers(response: web.Response, error: web.HTTPException) -> web.Response:
    response.headers.update({name: error.headers[name] for name in _KEPT if name in error.headers})
    return response


def _later(request: web.Request, retry_after: float | None) -> web.StreamResponse:
    if STARTED in request:
        return _broken_off(request)
    response = refuse(request, 503, DEFAULT_WORDS[503])
    response.headers["Retry-After"] = str(max(1, round(retry_after or 1)))
    return response


def _broken(request: web.Request) -> web.StreamResponse:
    """Stripe alone is told 503, so that it delivers again."""
    if STARTED in request:
        return _broken_off(request)
    status = 503 if request.path == STRIPE_PATH else 500
    return refuse(request, status, DEFAULT_WORDS[500])


def _broken_off(request: web.Request) -> web.StreamResponse:
    """Close the connection before the stream's end, so that nobody takes a part for the whole."""
    if request.transport:
        request.transport.abort()
    return request[STARTED]
