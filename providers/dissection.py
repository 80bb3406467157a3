"""Takes the file of a stranger apart: a program of its own, since what reads such files may loop or grow.

It reads the file from its input and writes a line of JSON and then what it found: a new image; or the text of
a PDF and behind it a new PDF, which is one only if the program ends well. It imports nothing of ours, has no
environment, and bounds its own time and memory. What breaks it ends it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pypdf import PdfReader

MEMORY = 800_000_000
"""Bytes of addresses. An image of 40 megapixels takes 390 million, a WebP 700 million (measured)."""
CPU_SECONDS = 10
QUALITIES = (85, 70, 50, 30)
OPAQUE = frozenset({"L", "RGB"})
PALETTES = frozenset({"1", "P", "PA"})
ROOT = frozenset({"/Type", "/Pages", "/AcroForm", "/OCProperties", "/Lang"})
"""What is kept of a PDF beside its pages: fields of forms, and which layers are seen. No scripts or files."""
PAGE = frozenset(
    {"/Type", "/Parent", "/Resources", "/Contents", "/Annots", "/Group", "/Rotate", "/UserUnit"}
    | {"/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox"}
)
DRAWN = frozenset(
    {"/Widget", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight"}
    | {"/Underline", "/Squiggly", "/StrikeOut", "/Stamp", "/Ink", "/Text", "/Redact", "/Watermark"}
)
"""Annotations that only show something."""
DOES = frozenset({"/A", "/AA", "/PA", "/AF", "/FS", "/XFA", "/Popup", "/IRT", "/P"})
"""What annotations and fields of forms do, and what else hangs on them."""


def main() -> None:
    """Do what the arguments say: a kind of file and, as JSON, the limits for it."""
    kind, limits = sys.argv[1], json.loads(sys.argv[2])
    step_back()
    data = sys.stdin.buffer.read()
    if kind == "pdf":
        take_apart(data, **limits)
    else:
        say(*image(data, kind, **limits))


def say(told: dict[str, Any], found: bytes) -> None:
    """Write down what was found, at once."""
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + found)
    sys.stdout.buffer.flush()


def step_back() -> None:
    """Leave room to others; each step is left out where a system does not have it or is stricter already."""
    os.nice(10)
    with suppress(OSError):  # let the kernel, short of memory, end this process and not its parent
        Path("/proc/self/oom_score_adj").write_text("1000")
    bounds = ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, 0))
    for what, most in (*bounds, (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def fault(name: str) -> tuple[dict[str, Any], bytes]:
    """A member of `engine.files.FileFault`, and nothing found."""
    return {"fault": name}, b""


def take_apart(data: bytes, pages: int, most: int) -> None:
    """Tell the text of a PDF, and then the PDF as it may be sent, if it is no longer than its text may be."""
    from pypdf import PdfReader  # noqa: PLC0415 - images do without

    reader = PdfReader(BytesIO(data))
    told, text = text_of(reader, pages, most)
    say(told, text)
    if "pages" in told and len(anew := rewritten(reader)) <= most:
        sys.stdout.buffer.write(anew)


def text_of(reader: PdfReader, pages: int, most: int) -> tuple[dict[str, Any], bytes]:
    """The text of a PDF of so many pages, at most so many bytes of it."""
    if reader.is_encrypted and not reader.decrypt(""):
        return fault("locked")
    count = len(reader.pages)
    if count > pages:
        return fault("pages")
    parts: list[bytes] = []
    for page in reader.pages:
        parts.append(page.extract_text().replace("\0", "").strip().encode("utf-8", "replace"))
        if sum(map(len, parts)) > most:
            return fault("big")
    text = b"\n\n".join(parts) if any(parts) else b""
    return {"pages": count, "text": len(text)}, text


def rewritten(reader: PdfReader) -> bytes:
    """The pages of a PDF and what is drawn on them, without scripts, links, files and who made it."""
    from pypdf import PdfWriter  # noqa: PLC0415 - as above
    from pypdf.generic import NameObject  # noqa: PLC0415 - as above

    for key in set(reader.root_object) - ROOT:
        del reader.root_object[key]
    writer = PdfWriter(clone_from=reader)
    writer.metadata = None
    hung: list[Any] = [writer.root_object.get("/AcroForm")]
    for page in writer.pages:
        for key in set(page) - PAGE:
            del page[key]
        if "/Annots" in page:
            shown = drawn(page["/Annots"])
            page[NameObject("/Annots")] = shown
            hung += shown
    for each in all_of(hung):
        for key in DOES & set(each):
            del each[key]
    writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def drawn(annotations: Any) -> Any:  # noqa: ANN401 - pypdf's arrays
    """Those that only show something."""
    from pypdf.generic import ArrayObject  # noqa: PLC0415 - as above

    there = annotations.get_object() or ()
    return ArrayObject(each for each in there if each.get_object().get("/Subtype") in DRAWN)


def all_of(hung: list[Any]) -> Iterator[dict[Any, Any]]:
    """A form, annotations, and all fields that these lead to."""
    seen = set[int]()
    while hung:
        each = hung.pop()
        each = each.get_object() if each is not None else None
        if isinstance(each, dict) and id(each) not in seen:
            seen.add(id(each))
            hung += [each.get("/Parent"), *(each.get("/Fields") or ()), *(each.get("/Kids") or ())]
            yield each


def image(data: bytes, kind: str, pixels: int, side: int, most: int) -> tuple[dict[str, Any], bytes]:
    """The first frame anew, nothing but its pixels: upright, within a square of `side`, in `most` bytes."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - a PDF does without

    Image.MAX_IMAGE_PIXELS = None  # the header is asked before anything is decoded
    file = Image.open(BytesIO(data), formats=[kind])
    if file.width * file.height > pixels:
        return fault("pixels")
    file.draft(None, (side, side))
    opened: Image.Image = file
    if opened.mode in PALETTES:  # colours that have no mean between them
        opened = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    opened.thumbnail((side, side))
    upright = ImageOps.exif_transpose(plain(opened))
    clean = Image.new(upright.mode, upright.size)
    clean.paste(upright)
    media_type, found = encoded(clean, kind, most)
    return {"media_type": media_type, "width": clean.width, "height": clean.height}, found


def plain(opened: Any) -> Any:  # noqa: ANN401 - Pillow's image
    """The same in one of three modes: grey, RGB and RGBA, of 8 bits each."""
    if opened.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip to 8
        return opened.convert("I").point(lambda value: value / 256).convert("L")
    if opened.has_transparency_data:
        return opened.convert("RGBA")
    return opened if opened.mode in OPAQUE else opened.convert("RGB")


def encoded(clean: Any, kind: str, most: int) -> tuple[str, bytes]:  # noqa: ANN401 - Pillow's image
    """A PNG, unless it came as a JPEG or is too large as a PNG: then a JPEG of the best quality that fits."""
    from PIL import Image  # noqa: PLC0415 - as above

    if kind != "JPEG" or clean.mode not in OPAQUE:
        out = BytesIO()
        clean.save(out, "PNG", optimize=False)
        if out.tell() <= most:
            return "image/png", out.getvalue()
    flat = clean
    if clean.mode == "RGBA":
        flat = Image.new("RGB", clean.size, "white")
        flat.paste(clean, mask=clean.getchannel("A"))
    out = BytesIO()
    for quality in QUALITIES:
        out = BytesIO()
        flat.save(out, "JPEG", quality=quality)
        if out.tell() <= most:
            break
    return "image/jpeg", out.getvalue()


if __name__ == "__main__":
    main()
