"""Files on their way: what breaks off is seen to be broken, and who stops a download is no fault."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientPayloadError, ClientSession, web

from engine.errors import TryAgainError
from webhooks.admin.asked import View
from webhooks.admin.export import BYTES_AT_ONCE, IN_MEMORY, ROWS_AT_ONCE, contents, send
from webhooks.admin.tables import Column, Row, Slice, Table
from webhooks.boundary import errors_in_words
from webhooks.server import listening


class Endless:
    """Rows without end, unless the database goes away after some."""

    def __init__(self, most: int = -1) -> None:
        self.given, self._most = 0, most

    async def some(self, _view: View, _offset: int, _limit: int) -> Slice:
        return Slice((), 0)

    async def all(self, _view: View) -> AsyncIterator[Row]:
        while self.given != self._most:
            self.given += 1
            yield Row("", {"name": "x" * 100})
        message = "the database is away"
        raise TryAgainError(message)


@asynccontextmanager
async def served(rows: Endless) -> AsyncIterator[str]:
    """The address of a file of them."""
    table = Table("m", "Members", (Column("name", "Member"),), rows)

    async def file(request: web.Request) -> web.StreamResponse:
        return await send(request, table, View(), "m")

    app = web.Application(middlewares=[errors_in_words])
    app.add_routes([web.get("/m.csv", file)])
    async with listening(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/m.csv"


async def test_a_file_that_breaks_off_does_not_look_whole() -> None:
    rows = Endless(3 * ROWS_AT_ONCE)
    async with served(rows) as address, ClientSession() as client, client.get(address) as answer:
        assert answer.status == 200
        with pytest.raises(ClientPayloadError):
            await answer.read()


async def test_a_file_that_cannot_begin_says_so_in_words() -> None:
    async with served(Endless(9)) as address, ClientSession() as client, client.get(address) as answer:
        assert (answer.status, "Content-Disposition" in answer.headers) == (503, False)


class Interrupted:
    """Rows that have to be gone through again, since the database was lost in between."""

    async def some(self, _view: View, _offset: int, _limit: int) -> Slice:
        return Slice((), 0)

    async def through(self, _view: View, take: Callable[[Iterable[Row]], None]) -> None:
        for last in (3 * IN_MEMORY // 100, 2):
            await asyncio.to_thread(take, (Row("", {"name": "x" * 100}) for _ in range(last)))


async def test_rows_that_are_gone_through_again_stand_in_a_file_once() -> None:
    table = Table("m", "Members", (Column("name", "Member"),), Interrupted())
    parts = [part async for part in contents(table, View())]
    assert b"".join(parts).decode().split("\r\n") == ["Member", "x" * 100, "x" * 100, ""]


async def test_a_long_file_is_sent_in_parts() -> None:
    class Many(Interrupted):
        async def through(self, _view: View, take: Callable[[Iterable[Row]], None]) -> None:
            take(Row("", {"name": "x" * 100}) for _ in range(3 * IN_MEMORY // 100))

    table = Table("m", "Members", (Column("name", "Member"),), Many())
    parts = [part async for part in contents(table, View())]
    assert max(map(len, parts)) <= BYTES_AT_ONCE
    assert sum(part.count(b"\r\n") for part in parts) == 3 * IN_MEMORY // 100 + 1


async def test_a_download_that_is_stopped_ends_and_is_no_fault_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = Endless()
    async with served(rows) as address:
        async with ClientSession() as client, client.get(address) as answer:
            await answer.content.readexactly(1000)
            answer.close()
        given = -1
        while given != rows.given:
            given = rows.given
            await asyncio.sleep(0.05)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
