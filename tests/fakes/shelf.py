"""Hands out files over HTTP as a platform does, and as it does when something is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from aiohttp import web

ELSEWHERE = "http://127.0.0.2:9/stolen"
DRIP = 0.05


class Manner(Enum):
    """How a file is handed out."""

    WELL = auto()
    AWAY = auto()
    """The request is led to another host."""
    MISSING = auto()
    SIGN_IN = auto()
    """A page instead of the file, with a status that says all is well."""
    CUT = auto()
    """The connection ends before the announced length."""
    ENDLESS = auto()
    """No length is announced, and it never ends."""
    DRIP = auto()
    """A byte at a time."""
    PACKED = auto()
    """Compressed on the way, which nobody asked for."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as a member sends it; `announced` is its size as the platform tells it."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    manner: Manner = Manner.WELL
    announced: int | None = None

    @property
    def size(self) -> int:
        """The size that is told."""
        return len(self.data) if self.announced is None else self.announced


class Shelf:
    """Keeps files by path; with a token, for those alone who give it."""

    def __init__(self, token: str | None = None) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._token = token
        self._files: dict[str, File] = {}

    def put(self, path: str, file: File) -> None:
        """Keep a file."""
        self._files[path] = file

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request in the file's manner."""
        self.asked.append((request.path, dict(request.headers)))
        file = self._files.get(request.path)
        if self._token and request.headers.get("Authorization") != f"Bearer {self._token}":
            raise web.HTTPFound("/signin")
        if file is None or file.manner is Manner.MISSING:
            return web.Response(status=404, text="This content is no longer available.")
        if file.manner is Manner.AWAY:
            raise web.HTTPFound(ELSEWHERE)
        if file.manner is Manner.SIGN_IN:
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        return await self._stream(request, file)

    async def _stream(self, request: web.Request, file: File) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": file.media_type})
        if file.manner is Manner.ENDLESS:
            response.enable_chunked_encoding()
        else:
            response.content_length = len(file.data) + (file.manner is Manner.CUT)
        if file.manner is Manner.PACKED:
            response.headers["Content-Encoding"] = "gzip"
        await response.prepare(request)
        while file.manner is Manner.ENDLESS:
            await response.write(bytes(64_000))
        step = 1 if file.manner is Manner.DRIP else len(file.data) or 1
        for start in range(0, len(file.data), step):
            await response.write(file.data[start : start + step])
            await asyncio.sleep(DRIP if file.manner is Manner.DRIP else 0)
        if file.manner is Manner.CUT and request.transport:
            request.transport.close()
        else:
            await response.write_eof()
        return response
