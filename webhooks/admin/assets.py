"""Serves Chart.js out of the package that brings it: compressed once, kept by browsers, named by content."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aiohttp import hdrs, web

PATH = "/static/chart.js"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Library:
    """Chart.js with its adapter for times."""

    content: bytes
    tag: str
    """Changes with the content."""


@cache
def library() -> Library:
    """Read it, once in a process."""
    content = files("chartkick").joinpath("django/static/chartkick/Chart.bundle.js").read_bytes()
    return Library(content, hashlib.sha256(content).hexdigest()[:20])


@cache
def compressed() -> bytes:
    """The same compressed, for whoever asks for it; pages do not wait for that."""
    return gzip.compress(library().content, mtime=0)


async def chart_js(request: web.Request) -> web.StreamResponse:
    """The library; 304 for whoever has it. Pages name it with its tag, so that it can be kept for ever."""
    found = await asyncio.to_thread(library)
    packed = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower()
    tag = f"{found.tag}-gzip" if packed else found.tag
    lasting = FOR_EVER if request.query.get("v") == found.tag else "no-cache"
    headers = {"Cache-Control": lasting, "Vary": "Accept-Encoding", "ETag": f'"{tag}"'}
    known = request.if_none_match or ()
    if any(each.value in {tag, "*"} for each in known):
        return web.Response(status=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = await asyncio.to_thread(compressed) if packed else found.content
    return web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)
