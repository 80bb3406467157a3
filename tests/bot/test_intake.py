"""How files come in: from known hosts, in bounded time, and one person's after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web

from bot.fetching import HostFetcher, nearby
from bot.intake import Intake, Source
from bot.reply import Reply
from engine.context import PDF_BYTES
from engine.domain import Ask
from engine.files import Attachment, Document, FileFault, FileLimits, Image
from tests.engine.conftest import ALICE, BOB
from tests.fakes.shelf import DRIP, File, Manner, Shelf

NOTES = File("notes.txt", "text/plain", b"The sky is green.")
SOURCE = Source("notes.txt", "text/plain", 17, "/notes.txt")


@pytest.fixture
async def shelf() -> AsyncIterator[tuple[Shelf, str]]:
    """A shelf with a token, and its address."""
    made, app = Shelf("xoxb-secret"), web.Application()
    app.router.add_get("/{rest:.*}", made.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield made, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_file_that_drips_is_given_up_in_time(shelf: tuple[Shelf, str]) -> None:
    kept, address = shelf
    kept.put("/notes.txt", replace(NOTES, data=NOTES.data * 100, manner=Manner.DRIP))
    fetcher = HostFetcher(nearby(address), "xoxb-secret", patience=5 * DRIP)
    began = time.monotonic()
    source = replace(SOURCE, url=f"{address}/notes.txt")
    assert await fetcher.fetch(source, 10_000) is FileFault.UNFETCHED
    assert time.monotonic() - began < 2


async def test_a_token_goes_to_its_own_host_alone_and_nobody_is_followed(shelf: tuple[Shelf, str]) -> None:
    kept, address = shelf
    kept.put("/notes.txt", NOTES)
    here = replace(SOURCE, url=f"{address}/notes.txt")
    good = HostFetcher(nearby(address), "xoxb-secret")
    assert await good.fetch(here, 100) == NOTES.data
    assert await HostFetcher(nearby(address), "another").fetch(here, 100) is FileFault.UNFETCHED
    for away in (
        here.url.replace("127.0.0.1", "localhost"),
        here.url.replace("http", "https"),
        "http://[",
        "",
    ):
        assert await good.fetch(replace(here, url=away), 100) is FileFault.UNFETCHED
    assert [path for path, _ in kept.asked] == ["/notes.txt", "/notes.txt"]
    assert "xoxb-secret" not in repr(good)


def test_only_an_api_on_this_machine_keeps_files_beside_it() -> None:
    assert nearby("http://127.0.0.1:4000/api/v10") == {"http://127.0.0.1:4000"}
    assert nearby("https://proxy.example.com/api/v10") == nearby(None) == frozenset()


@dataclass(slots=True)
class Slow:
    """A reader that waits, and counts who waits with it."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    two: asyncio.Event = field(default_factory=asyncio.Event)
    reading: list[str] = field(default_factory=list)

    async def read(self, attachment: Attachment) -> Image | Document:
        """Read once it is let go."""
        self.reading.append(attachment.name)
        if len(self.reading) > 1:
            self.two.set()
        await self.go.wait()
        return Document(attachment.name, "text/plain", "x")


@dataclass(frozen=True, slots=True)
class Given:
    """A fetcher that has all files."""

    async def fetch(self, source: Source, _most: int) -> bytes | FileFault:
        """The name as the file."""
        return source.name.encode()


async def test_the_files_of_one_member_wait_for_each_other_and_for_nobody_else() -> None:
    reader = Slow()
    intake = Intake(reader, FileLimits())
    who = {"a1": ALICE, "a2": ALICE, "a3": ALICE, "b1": BOB}
    asked = [
        asyncio.create_task(intake.take(Ask(key, person, "?"), [replace(SOURCE, name=key)], Given()))
        for key, person in who.items()
    ]
    await reader.two.wait()
    assert sorted(reader.reading) == ["a1", "b1"]
    reader.go.set()
    taken = await asyncio.gather(*asked)
    assert all(isinstance(ask, Ask) and len(ask.attachments) == 1 for ask in taken)


@dataclass(frozen=True, slots=True)
class Scanner:
    """A reader that takes everything for a PDF of that size, with or without text."""

    size: int
    text: str = ""

    async def read(self, attachment: Attachment) -> Document:
        """The same PDF each time."""
        return Document(attachment.name, "application/pdf", self.text, 1, bytes(self.size))


HALF = PDF_BYTES // 2


@pytest.mark.parametrize(
    ("size", "text", "kind"), [(HALF, "", Ask), (HALF + 1, "", Reply), (2 * HALF, "x", Ask)]
)
async def test_scans_that_no_request_has_room_for_are_told_as_too_large(
    size: int, text: str, kind: type[Ask | Reply]
) -> None:
    intake = Intake(Scanner(size, text), FileLimits())
    found = await intake.take(Ask("key", ALICE, "?"), [SOURCE, SOURCE], Given())
    assert isinstance(found, kind)
    if isinstance(found, Reply):
        assert "too large" in found.text
        assert "10 MB" in found.text
