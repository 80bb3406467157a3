"""Reads the files of strangers: what they are by their content, and what a model may be shown of them."""

from __future__ import annotations

import asyncio
import codecs
import json
import logging
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

from engine.files import Attachment, Document, FileFault, FileLimits, Image, Unread

log = logging.getLogger("providers")

PROGRAM = str(Path(__file__).with_name("dissection.py"))
AT_ONCE = 2
"""Files that are taken apart at a time in this process; others wait."""
PATIENCE_SECONDS = 30.0
"""For one file; the ten seconds of work that it may take are longer on a loaded machine."""
MEGAPIXELS = 40
"""Above what phones and cameras take; a file of a few kB may claim more."""
LONGEST_SIDE = 2048
"""Pixels: larger ones the vendors scale down themselves."""
IMAGE_BYTES = 1_000_000
"""Of an image as it is sent: with those of earlier turns below the 20 MB that Gemini takes at once."""
PDF_HEADER = 1024
"""A PDF may have something else in front, within so many bytes (PDF 1.7, annex H)."""
PDF = "pdf"
MAGIC: Mapping[str, re.Pattern[bytes]] = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "WEBP": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
"""How the images begin that every vendor takes, by Pillow's names for them."""
SEEN_OR_HEARD = re.compile(r"(?:image|audio|video)/(?!svg\+xml)")
"""What says that it is no text is none, even if it can be read as such (an SVG that is called PNG)."""
CHARSETS = frozenset(
    {"ascii", "big5", "cp1250", "cp1251", "cp1252", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk"}
    | {"iso8859-1", "iso8859-2", "iso8859-15", "koi8-r", "shift_jis", "utf-8", "utf-16"}
)
"""What a file may declare, by Python's names; it knows other codecs, in which no text is written."""
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a file: a few facts, and text, an image, or text with a PDF behind it."""

    told: Mapping[str, str | int]
    data: bytes
    whole: bool = True
    """Whether its reader came to its end."""


class FileReader:
    """The `engine.files.Reader`: decodes text; has PDFs and images taken apart in processes of their own."""

    def __init__(self, limits: FileLimits, patience: float = PATIENCE_SECONDS) -> None:
        self._limits = limits
        self._patience = patience
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def read(self, attachment: Attachment) -> Image | Document | Unread:
        if len(attachment.data) > self._limits.bytes:
            return self._unread(attachment, FileFault.BIG)
        kind = kind_of(attachment.data)
        if kind is None:
            text = text_of(attachment)
            if text is None:
                return self._unread(attachment, FileFault.KIND)
            return Document(attachment.name, attachment.media_type.partition(";")[0] or "text/plain", text)
        async with self._slots:
            found = await dissected(attachment.data, kind, self._bounds(kind), self._patience)
        if found is None:
            return self._unread(attachment, FileFault.BROKEN)
        fault = fault_of(found)
        return self._unread(attachment, fault) if fault else named(attachment.name, found)

    def _bounds(self, kind: str) -> Mapping[str, int]:
        if kind == PDF:
            return {"pages": self._limits.pages, "most": self._limits.bytes}
        return {"pixels": MEGAPIXELS * 1_000_000, "side": LONGEST_SIDE, "most": IMAGE_BYTES}

    def _unread(self, attachment: Attachment, fault: FileFault) -> Unread:
        beyond = {
            FileFault.BIG: self._limits.megabytes,
            FileFault.PAGES: self._limits.pages,
            FileFault.PIXELS: MEGAPIXELS,
        }
        return Unread(attachment.name, fault, beyond.get(fault, 0))


def kind_of(data: bytes) -> str | None:
    """Pillow's name of an image's format, `pdf`, or None for what may be text."""
    if PDF_MAGIC.search(data[:PDF_HEADER]):
        return PDF
    return next((name for name, magic in MAGIC.items() if magic.match(data)), None)


PDF_MAGIC = re.compile(rb"%PDF-\d")


def text_of(attachment: Attachment) -> str | None:
    """A file's text: by its byte order mark, by the charset it declares or as UTF-8; None if it is none."""
    if SEEN_OR_HEARD.match(attachment.media_type):
        return None
    try:
        text = attachment.data.decode(charset_of(attachment))
    except ValueError:
        return None
    return None if "\0" in text else text


def charset_of(attachment: Attachment) -> str:
    """The name of the codec to try."""
    for mark, name in BOMS:
        if attachment.data.startswith(mark):
            return name
    declared = re.search(r'charset="?([\w.:-]+)', attachment.media_type, re.IGNORECASE)
    try:
        name = codecs.lookup(declared[1]).name if declared else ""
    except LookupError:
        name = ""
    return name if name in CHARSETS else "utf-8"


def fault_of(found: Found) -> FileFault | None:
    """Why a file cannot be taken though it was read, if so."""
    if "fault" in found.told:
        return FileFault(str(found.told["fault"]))
    nothing = found.told.get("text") == 0 and not (found.whole and found.data)
    return FileFault.WORDLESS if nothing else None


def named(name: str, found: Found) -> Image | Document:
    """What was found, with the name of its file."""
    told = found.told
    if "pages" in told:
        end = int(told["text"])
        text, pdf = found.data[:end].decode(), found.data[end:] if found.whole else b""
        return Document(name, "application/pdf", text, int(told["pages"]), pdf)
    return Image(name, str(told["media_type"]), found.data, int(told["width"]), int(told["height"]))


async def dissected(data: bytes, kind: str, bounds: Mapping[str, int], patience: float) -> Found | None:
    """Have a file taken apart; None if that fails or takes longer than `patience` seconds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        PROGRAM,
        kind,
        json.dumps(bounds),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(patience):
            written, _ = await process.communicate(data)
    except TimeoutError:
        log.warning("a file took too long to read", extra={"kind": kind, "bytes": len(data)})
        return None
    finally:
        await ended(process)
    whole = process.returncode == 0
    if not whole:
        status = {"kind": kind, "bytes": len(data), "status": process.returncode}
        log.info("a file could not be read to its end", extra=status)
    head, line, rest = written.partition(b"\n")
    told = json.loads(head) if line else {}
    there = whole or len(rest) >= told.get("text", inf)
    return Found(told, rest, whole) if there else None


async def ended(process: Process) -> None:
    """Kill a process that is still there, and wait until it is gone."""
    if process.returncode is None:
        process.kill()
        await asyncio.shield(process.wait())
