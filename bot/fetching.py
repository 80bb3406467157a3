"""Fetches members' files from a platform's own hosts, and from nowhere else, whatever an address says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse, ClientSession, DummyCookieJar
from yarl import URL

from bot.intake import Source
from engine.files import FileFault
from engine.settings import LOOPBACK

log = logging.getLogger("bot")

PATIENCE_SECONDS = 20.0
OK = 200
PAGE = "text/html"


@dataclass(frozen=True, slots=True)
class HostFetcher:
    """A `bot.intake.Fetcher` for some origins (`https://host`); the token goes to no other."""

    origins: frozenset[str]
    token: str | None = field(default=None, repr=False)
    patience: float = PATIENCE_SECONDS
    """Seconds for a whole file, however slowly it comes."""

    async def fetch(self, source: Source, most: int) -> bytes | FileFault:
        if (url := self._allowed(source.url)) is None:
            log.warning("a file is kept elsewhere", extra={"type": source.media_type})
            return FileFault.UNFETCHED
        try:
            async with (
                asyncio.timeout(self.patience),
                ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as session,
                session.get(url, headers=self._headers(), allow_redirects=False) as response,
            ):
                return await received(response, source, most)
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("a file could not be fetched", extra={"why": type(error).__name__})
            return FileFault.UNFETCHED

    def _allowed(self, address: str) -> URL | None:
        try:
            url = URL(address, encoded=True)  # it is signed as it is written
            return url if str(url.origin()) in self.origins else None
        except ValueError:
            return None

    def _headers(self) -> Mapping[str, str]:
        plain = {"Accept-Encoding": "identity"}
        return {**plain, "Authorization": f"Bearer {self.token}"} if self.token else plain


async def received(response: ClientResponse, source: Source, most: int) -> bytes | FileFault:
    """The body of a reply that is the file; a page in its place asks us to sign in."""
    page = response.content_type == PAGE and not source.media_type.startswith(PAGE)
    packed = response.headers.get("Content-Encoding", "identity") != "identity"
    if response.status != OK or page or packed:
        log.warning("a file was not handed out", extra={"status": response.status, "page": page})
        return FileFault.UNFETCHED
    if (response.content_length or 0) > most:
        return FileFault.BIG
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > most:
            return FileFault.BIG
    return bytes(data) if len(data) >= source.size else FileFault.UNFETCHED


def nearby(address: str | None) -> frozenset[str]:
    """The origin of an API that the settings put on this machine, where its files are too."""
    url = URL(address) if address else URL()
    return frozenset({str(url.origin())}) if url.host in LOOPBACK else frozenset()
