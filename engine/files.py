"""The words of files: what comes with a question, and what a model is shown of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

MEGABYTE = 1_000_000


class Medium(StrEnum):
    """What a model takes beside text; documents reach every other model as their text."""

    IMAGES = "images"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was fetched: its bytes are neither checked nor read yet."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Image:
    """An image ready for a model: a PNG or JPEG of this many pixels, made anew and without metadata."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its text and, of a PDF, how many pages it has."""

    name: str
    media_type: str
    text: str = field(repr=False)
    pages: int | None = None
    pdf: bytes = field(default=b"", repr=False)
    """A PDF written anew, without what is no page of it; empty if it cannot be sent."""


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF that comes with a message, for models that take PDFs; all others read its text there."""

    name: str
    data: bytes = field(repr=False)
    pages: int
    start: int
    """Where in the text of its message it is read out: from here to before `stop`, in characters."""
    stop: int

    @property
    def wordless(self) -> bool:
        """Whether there is nothing to read out, as of scans: it reaches only models that take PDFs."""
        return self.start == self.stop


class FileFault(StrEnum):
    """Why a file does not go with a question, by what the member can do about it."""

    MANY = "many"
    BIG = "big"
    KIND = "kind"
    PAGES = "pages"
    PIXELS = "pixels"
    LOCKED = "locked"
    WORDLESS = "wordless"
    BROKEN = "broken"
    UNFETCHED = "unfetched"


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not taken; `limit` is what it went beyond: files, megabytes, pages or megapixels."""

    name: str
    fault: FileFault
    limit: int = 0


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How many files a question may bring, how large each may be, and how many pages a PDF may have."""

    files: int = 4
    megabytes: int = 8
    pages: int = 50

    @property
    def bytes(self) -> int:
        """The largest file."""
        return self.megabytes * MEGABYTE


class Reader(Protocol):
    """A port: reads files of strangers."""

    async def read(self, attachment: Attachment) -> Image | Document | Unread:
        """What a model may be shown of a file, told by its content and not its name; or why that is nothing.

        Its time and memory are bounded, whatever the file holds; nothing is raised.
        """
        ...
