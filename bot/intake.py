"""Files on their way into a question: fetched, read, and told in words where they cannot be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from weakref import WeakValueDictionary

from bot.reply import Reply
from bot.words import say
from engine.context import PDF_BYTES
from engine.domain import Ask, Person
from engine.files import MEGABYTE, Attachment, Document, FileFault, FileLimits, Image, Reader, Unread

AT_ONCE = 8
"""Files that are in memory at a time, whole and unread; the others stay where they are."""
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Source:
    """A file as a platform announces it; `size` in bytes."""

    name: str
    media_type: str
    size: int
    url: str


class Fetcher(Protocol):
    """Brings files from where a platform keeps them."""

    async def fetch(self, source: Source, most: int) -> bytes | FileFault:
        """The bytes of a file, at most so many; or why there are none. Nothing is raised."""
        ...


class Intake:
    """Takes the files of questions: those of one person one after the other, and few at a time of all."""

    def __init__(self, reader: Reader, limits: FileLimits) -> None:
        self._reader = reader
        self._limits = limits
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._turns: WeakValueDictionary[Person, asyncio.Lock] = WeakValueDictionary()

    def refit(self, reader: Reader, limits: FileLimits) -> None:
        """Take files like this from the next question on."""
        self._reader, self._limits = reader, limits

    async def take(
        self, ask: Ask, sources: Sequence[Source], fetcher: Fetcher, *, quoted: bool = False
    ) -> Ask | Reply:
        """The question with what was read of its files, or words about the first that cannot be taken.

        Files that are only `quoted` (of a message that is asked about) are left out where they cannot be.
        """
        if not sources:
            return ask
        limits = self._limits
        if len(sources) > limits.files and not quoted:
            return Reply(words(Unread("", FileFault.MANY, limits.files)))
        files: list[Image | Document] = []
        turn = self._turns.setdefault(ask.person, asyncio.Lock())
        async with turn:
            for source in sources[: limits.files]:
                read = await self._read(source, fetcher, limits)
                if not isinstance(read, Unread):
                    files.append(read)
                elif not quoted:
                    return Reply(words(read))
        if scanned(files) > PDF_BYTES:
            return Reply(words(Unread(files[-1].name, FileFault.BIG, PDF_BYTES // MEGABYTE)))
        return replace(ask, text=ask.text or say("file-question"), attachments=tuple(files))

    async def _read(self, source: Source, fetcher: Fetcher, limits: FileLimits) -> Image | Document | Unread:
        if source.size > limits.bytes:
            return Unread(source.name, FileFault.BIG, limits.megabytes)
        async with self._slots:
            data = await fetcher.fetch(source, limits.bytes)
            if isinstance(data, FileFault):
                return Unread(source.name, data, limits.megabytes)
            return await self._reader.read(Attachment(source.name, source.media_type, data))


def scanned(files: Sequence[Image | Document]) -> int:
    """The bytes of PDFs that have no text, and can only be sent as they are."""
    return sum(len(file.pdf) for file in files if isinstance(file, Document) and not file.text.strip())


def words(unread: Unread) -> str:
    """Why a file was not taken, and what to do about it."""
    if unread.fault is FileFault.MANY:
        return say("file-many", unread.limit) if unread.limit else say("file-none")
    name = f"`{' '.join(unread.name.replace('`', '').split())[:LONGEST_NAME] or '?'}`"
    number = unread.limit if unread.fault is FileFault.PAGES else None
    return say(f"file-{unread.fault}", number, file=name, limit=unread.limit)
