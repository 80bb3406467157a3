"""Chart.js as it is served."""

from __future__ import annotations

import gzip

from aiohttp import ClientSession

from tests.web.conftest import Start
from webhooks.admin.assets import PATH, library
from webhooks.site import Site


async def test_the_library_is_compressed_once_and_kept_for_ever(start: Start) -> None:
    client = await start(Site("http://127.0.0.1"))
    address = f"{PATH}?v={library().tag}"
    async with client.get(address, headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as answer:
        body, headers = await answer.read(), answer.headers
    assert gzip.decompress(body) == library().content
    assert len(body) < 300_000
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    async with client.get(
        address, headers={"If-None-Match": headers["ETag"], "Accept-Encoding": "gzip"}
    ) as again:
        assert (again.status, await again.read()) == (304, b"")


async def test_whoever_takes_no_gzip_gets_it_as_it_is(start: Start) -> None:
    client: ClientSession = await start(Site("http://127.0.0.1"))
    async with client.get(PATH, headers={"Accept-Encoding": "identity"}) as answer:
        assert await answer.read() == library().content
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "Chart.js v4" in library().content[:200].decode()
