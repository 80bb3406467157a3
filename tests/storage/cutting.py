"""A proxy before PostgreSQL that cuts the connection at a chosen moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto

from psycopg.conninfo import conninfo_to_dict

COMMIT = b"COMMIT\0"


class Cut(Enum):
    """What happens to the next COMMIT that comes by."""

    NOTHING = auto()
    BEFORE = auto()
    """The server never sees it."""
    AFTER = auto()
    """The server does it, and its answer is lost."""


class CuttingProxy:
    """Passes bytes on between clients on loopback and a server's unix socket."""

    def __init__(self, database: str, socket: str) -> None:
        self.next_commit = Cut.NOTHING
        self.accepting = True
        self.url = ""
        self._serving: set[asyncio.Task[None]] = set()
        self._database = database
        self._socket = socket

    async def listen(self) -> asyncio.Server:
        """Start on a free port; `url` leads through here afterwards."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = (
            f"postgresql://postgres@127.0.0.1:{port}/{self._database}?sslmode=disable&gssencmode=disable"
        )
        return server

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._serving.add(task)
        try:
            with suppress(ConnectionError):
                await self._connect(client, to_client)
        finally:
            self._serving.discard(task)

    async def _connect(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            if self.accepting:
                server, to_server = await asyncio.open_unix_connection(self._socket)
                try:
                    await self._pass_on(client, to_client, server, to_server)
                finally:
                    await hang_up(to_server)
        finally:
            await hang_up(to_client)

    async def stop(self) -> None:
        """Hang up on everybody."""
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _pass_on(
        self,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        cut = Cut.NOTHING
        asking = asyncio.ensure_future(client.read(65536))
        answering = asyncio.ensure_future(server.read(65536))
        try:
            while True:
                await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    if cut is Cut.AFTER or not answering.result():
                        return
                    to_client.write(answering.result())
                    answering = asyncio.ensure_future(server.read(65536))
                if asking.done():
                    cut = self._look(asking.result())
                    if cut is Cut.BEFORE or not asking.result():
                        return
                    to_server.write(asking.result())
                    asking = asyncio.ensure_future(client.read(65536))
        finally:
            asking.cancel()
            answering.cancel()

    def _look(self, data: bytes) -> Cut:
        if COMMIT not in data:
            return Cut.NOTHING
        cut, self.next_commit = self.next_commit, Cut.NOTHING
        return cut


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close one side of a connection, whatever state it is in."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncIterator[CuttingProxy]:
    """A running proxy before the database at `url`, which names a unix socket's folder as its host."""
    parts = conninfo_to_dict(url)
    proxy = CuttingProxy(str(parts["dbname"]), f"{parts['host']}/.s.PGSQL.5432")
    async with await proxy.listen():
        try:
            yield proxy
        finally:
            await proxy.stop()
