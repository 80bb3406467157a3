"""Files as members send them, and as those send them who mean harm."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO

from PIL import Image
from pypdf import PdfWriter
from pypdf.annotations import FreeText, Link
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    PdfObject,
    RectangleObject,
    TextStringObject,
)

GPS, ORIENTATION = 0x8825, 0x0112
TURNED = 6
"""Has to be turned a quarter to the right."""


def image(kind: str, width: int = 64, height: int = 48, mode: str = "RGB", **how: object) -> bytes:
    """An image of one colour in a format by Pillow's name."""
    return written(Image.new(mode, (width, height)), kind, **how)


def noise(kind: str, width: int, height: int) -> bytes:
    """An image that cannot be packed well."""
    return written(Image.effect_noise((width, height), 90).convert("RGB"), kind)


def from_phone(width: int, height: int) -> bytes:
    """A photo that tells where it was taken, and lies on its side."""
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    exif[GPS] = {1: "N", 2: (47.0, 22.0, 30.0), 3: "E", 4: (8.0, 32.0, 15.0)}
    return image("JPEG", width, height, exif=exif, comment=b"taken at home")


def animated(kind: str) -> bytes:
    """Red, then blue."""
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    return written(frames[0], kind, save_all=True, append_images=frames[1:])


def written(made: Image.Image, kind: str, **how: object) -> bytes:
    """An image's bytes."""
    out = BytesIO()
    made.save(out, kind, **how)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def page(text: str) -> bytes:
    """What draws some words."""
    return b"BT /F1 12 Tf 72 700 Td (" + text.encode() + b") Tj ET"


def pdf(*contents: bytes, pages: int | None = None) -> bytes:
    """A PDF with these contents, packed; `pages`: so many pages that share the first."""
    streams = [zlib.compress(content, 9) for content in contents]
    count = pages or len(streams)
    first = 4 + len(streams)
    leaves = b" ".join(b"%d 0 R" % (first + number) for number in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, leaves),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *(b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(each), each) for each in streams),
        *(leaf(4 if pages else 4 + number) for number in range(count)),
    ]
    return with_table(objects)


def leaf(content: int) -> bytes:
    """A page that shows the object of this number."""
    fonts = b"/Resources<</Font<</F1 3 0 R>>>>"
    return b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R%s>>" % (content, fonts)


def with_table(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects, numbered from 1."""
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table)
    return bytes(out)


def scan() -> bytes:
    """A PDF of one page, which is a picture."""
    return written(Image.effect_noise((60, 80), 90).convert("RGB"), "PDF")


def harmful() -> bytes:
    """A PDF of two pages with scripts, links, a file in it and a form, and with who made it."""
    writer = PdfWriter(clone_from=BytesIO(pdf(page("First."), page("Second."))))
    writer.add_metadata({"/Author": "Mallory"})
    writer.add_attachment("once.txt", b"once.txt")
    writer.add_annotation(0, Link(rect=(1, 1, 5, 5), url="http://evil.example/"))
    writer.add_annotation(0, FreeText(text="A note.", rect=(50, 550, 200, 650)))
    script = dictionary(S=NameObject("/JavaScript"), JS=TextStringObject("harmful()"))
    launch = dictionary(S=NameObject("/Launch"), F=TextStringObject("harmful"))
    field = dictionary(
        Type=NameObject("/Annot"),
        Subtype=NameObject("/Widget"),
        FT=NameObject("/Tx"),
        T=TextStringObject("name"),
        V=TextStringObject("Filled"),
        Rect=RectangleObject((1, 1, 50, 50)),
        AA=dictionary(K=script),
    )
    placed = writer._add_object(field)  # noqa: SLF001 - pypdf has no other way to a field
    writer.pages[0]["/Annots"].append(placed)  # type: ignore[attr-defined]
    root = writer.root_object
    root[NameObject("/AcroForm")] = dictionary(Fields=ArrayObject([placed]), XFA=TextStringObject("harmful"))
    root[NameObject("/OpenAction")] = script
    writer.pages[1][NameObject("/AA")] = dictionary(O=launch)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def dictionary(**entries: PdfObject) -> DictionaryObject:
    """A PDF's dictionary."""
    return DictionaryObject({NameObject(f"/{name}"): each for name, each in entries.items()})
