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
    """Chart.js with its adapter for times, as it is and compressed."""

    content: bytes
    packed: bytes
    tag: str
    """Changes with the content."""


@cache
def library() -> Library:
    """Read and compress it, once in a process; it takes a tenth of a second."""
    content = files("chartkick").joinpath("django/static/chartkick/Chart.bundle.js").read_bytes()
    return Library(content, gzip.compress(content, mtime=0), hashlib.sha256(content).hexdigest()[:20])


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
    return web.Response(
        body=found.packed if packed else found.content,
        content_type="text/javascript",
        charset="utf-8",
        headers=headers,
    )
