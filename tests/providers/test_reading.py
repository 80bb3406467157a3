"""What becomes of members' files: told by their content, and bounded whatever they hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from pypdf import PdfReader, PdfWriter

from engine.files import Attachment, Document, FileFault, FileLimits, Image, Unread
from providers.dissection import image as dissected
from providers.reading import IMAGE_BYTES, LONGEST_SIDE, FileReader
from tests.fakes import files

LIMITS = FileLimits(files=4, megabytes=2, pages=3)


async def read(data: bytes, media_type: str = "", name: str = "file") -> Image | Document | Unread:
    return await FileReader(LIMITS).read(Attachment(name, media_type, data))


def locked(password: str) -> bytes:
    writer, out = PdfWriter(clone_from=PdfReader(BytesIO(files.pdf(files.page("Secret"))))), BytesIO()
    writer.encrypt(password, "owner", algorithm="AES-256")
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "media_type", "text"),
    [
        ("Grüße".encode(), "text/plain", "Grüße"),
        ("Grüße".encode("cp1252"), "text/csv; charset=Windows-1252", "Grüße"),
        ("Grüße".encode("utf-16"), "", "Grüße"),
        ("\ufeffGrüße".encode(), "application/json", "Grüße"),
        (b"<html></html>", "text/html; charset=nonsense", "<html></html>"),
        (b"x", "text/plain; charset=zlib", "x"),
        (b"<svg/>", "image/svg+xml", "<svg/>"),
        (b"", "text/plain", ""),
    ],
)
async def test_text_is_read_as_it_was_written(data: bytes, media_type: str, text: str) -> None:
    found = await read(data, media_type)
    assert isinstance(found, Document)
    assert found.text == text


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"a\0b", "text/plain"),
        ("Grüße".encode("cp1252"), "text/plain"),
        (b"<svg/>", "image/png"),
        (b"<html>Sign in</html>", "image/jpeg"),
        (b"words", "video/mp4"),
        (b"PK\x03\x04\x14\x00\x00", "application/zip"),
        (b"MZ\x90\x00\x03", "application/octet-stream"),
    ],
)
async def test_what_is_neither_text_nor_a_known_image_is_not_taken(data: bytes, media_type: str) -> None:
    assert await read(data, media_type) == Unread("file", FileFault.KIND)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_images_are_told_by_their_content_whatever_they_are_called(kind: str) -> None:
    found = await read(files.image(kind), "text/plain", "notes.txt")
    assert isinstance(found, Image)
    assert (found.name, found.width, found.height) == ("notes.txt", 64, 48)
    assert found.media_type == ("image/jpeg" if kind == "JPEG" else "image/png")


async def test_a_photo_is_turned_upright_and_tells_nothing_of_where_it_was_taken() -> None:
    found = await read(files.from_phone(640, 480))
    assert isinstance(found, Image)
    assert (found.width, found.height) == (480, 640)
    again = Pillow.open(BytesIO(found.data))
    assert again.size == (480, 640)
    assert not dict(again.getexif())
    assert b"Exif" not in found.data
    assert b"taken at home" not in found.data


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
async def test_of_an_animation_the_first_frame_is_shown(kind: str) -> None:
    found = await read(files.animated(kind))
    assert isinstance(found, Image)
    shown = Pillow.open(BytesIO(found.data)).convert("RGB")
    red, _, blue = shown.getpixel((10, 10))  # type: ignore[misc]  # three of them
    assert (red > 200, blue < 50) == (True, True)
    assert getattr(Pillow.open(BytesIO(found.data)), "n_frames", 1) == 1


MODES = {"PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"], "JPEG": ["L", "RGB", "CMYK"], "GIF": ["L", "P"]}
FORMATS = st.sampled_from(
    [("WEBP", "RGB"), ("WEBP", "RGBA"), *((kind, mode) for kind, modes in MODES.items() for mode in modes)]
)


@settings(max_examples=30, deadline=None)
@given(FORMATS, st.integers(1, 3000), st.integers(1, 300), st.booleans())
def test_any_image_comes_out_within_what_vendors_take_and_in_its_proportions(
    made: tuple[str, str],
    long: int,
    short: int,
    tall: bool,  # noqa: FBT001 - drawn
) -> None:
    kind, mode = made
    width, height = (short, long) if tall else (long, short)
    told, data = dissected(
        files.image(kind, width, height, mode), kind, pixels=40_000_000, side=LONGEST_SIDE, most=IMAGE_BYTES
    )
    shown = Pillow.open(BytesIO(data))
    assert shown.size == (told["width"], told["height"])
    assert max(shown.size) == min(max(width, height), LONGEST_SIDE)
    scale = max(shown.size) / max(width, height)
    assert abs(min(shown.size) - min(width, height) * scale) <= 1
    assert len(data) <= IMAGE_BYTES
    assert shown.mode in {"L", "RGB", "RGBA"}


async def test_an_image_that_does_not_pack_well_still_fits() -> None:
    found = await read(files.noise("PNG", 800, 800))
    assert isinstance(found, Image)
    assert found.media_type == "image/jpeg"
    assert len(found.data) <= IMAGE_BYTES


async def test_the_text_of_a_pdf_is_read_page_by_page() -> None:
    found = await read(files.pdf(files.page("First."), files.page("Second.")), "application/pdf", "a.pdf")
    assert isinstance(found, Document)
    assert replace(found, pdf=b"") == Document("a.pdf", "application/pdf", "First.\n\nSecond.", 2)


async def test_a_pdf_is_written_anew_with_its_pages_and_forms_and_nothing_that_does_something() -> None:
    told = b"once.txt", b"Mallory", b"harmful", b"evil", b"Launch", b"JavaScript"
    made = files.harmful()
    assert all(each in made for each in told)
    found = await read(made)
    assert isinstance(found, Document)
    assert [each for each in (*told, b"/EmbeddedFile", b"/XFA", b"/OpenAction") if each in found.pdf] == []
    anew = PdfReader(BytesIO(found.pdf))
    assert [page.extract_text() for page in anew.pages] == ["First.", "Second."]
    assert anew.get_form_text_fields() == {"name": "Filled"}
    assert [each.get_object()["/Subtype"] for each in anew.pages[0]["/Annots"]] == ["/FreeText", "/Widget"]  # type: ignore[attr-defined]


async def test_a_scan_is_read_as_pages_without_text() -> None:
    found = await read(files.scan(), "application/pdf", "scan.pdf")
    assert isinstance(found, Document)
    assert (found.text, found.pages) == ("", 1)
    assert len(PdfReader(BytesIO(found.pdf)).pages[0].images) == 1


async def test_a_pdf_that_was_locked_for_its_owner_is_sent_open() -> None:
    found = await read(locked(""))
    assert isinstance(found, Document)
    assert not PdfReader(BytesIO(found.pdf)).is_encrypted


BROKE_OFF: dict[str, tuple[bytes, str | FileFault]] = {
    "behind its text": (b'{"pages": 1, "text": 6}\nWords.%PDF-1.7 begun', "Words."),
    "behind no text": (b'{"pages": 1, "text": 0}\n%PDF-1.7 begun', FileFault.WORDLESS),
    "within its text": (b'{"pages": 1, "text": 6}\nWor', FileFault.BROKEN),
    "before its text": (b'{"pages": 1, "te', FileFault.BROKEN),
}


@pytest.mark.parametrize("where", BROKE_OFF)
async def test_where_a_pdf_cannot_be_written_anew_its_text_is_left(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, found = BROKE_OFF[where]
    program = tmp_path / "breaks.py"
    program.write_text(f"import sys; sys.stdout.buffer.write({written!r}); sys.stdout.flush(); sys.exit(1)")
    monkeypatch.setattr("providers.reading.PROGRAM", str(program))
    if isinstance(found, FileFault):
        assert await read(b"%PDF-1.7") == Unread("file", found)
    else:
        assert await read(b"%PDF-1.7") == Document("file", "application/pdf", found, 1)


async def test_a_pdf_that_only_its_owner_may_change_is_read() -> None:
    found = await read(locked(""))
    assert isinstance(found, Document)
    assert found.text == "Secret"


REFUSED: dict[str, tuple[Callable[[], bytes], FileFault, int]] = {
    "bomb": (lambda: files.bomb(60_000, 60_000), FileFault.PIXELS, 40),
    "cut short": (lambda: files.noise("JPEG", 64, 48)[:700], FileFault.BROKEN, 0),
    "no image": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), FileFault.BROKEN, 0),
    "large": (lambda: bytes(2_000_001), FileFault.BIG, 2),
    "a page too many": (lambda: files.pdf(files.page("Again."), pages=4), FileFault.PAGES, 3),
    "ten thousand": (lambda: files.pdf(files.page("Again."), pages=10_000), FileFault.PAGES, 3),
    "blown up": (lambda: files.pdf(b"0 " * 40_000_000), FileFault.BROKEN, 0),
    "much text": (lambda: files.pdf(files.page("word " * 450_000)), FileFault.BIG, 2),
    "locked": (lambda: locked("a password"), FileFault.LOCKED, 0),
    "no PDF": (lambda: b"%PDF-1.7\nand nothing more", FileFault.BROKEN, 0),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_cannot_be_shown_is_refused_with_its_reason(what: str) -> None:
    make, fault, limit = REFUSED[what]
    assert await read(make()) == Unread("file", fault, limit)


async def test_a_file_that_takes_for_ever_is_given_up_and_nothing_else_waits_for_it() -> None:
    slow = files.pdf(b"BT /F1 12 Tf " + b"(x) Tj " * 3_000_000)
    reader = FileReader(LIMITS, patience=0.5)
    began = time.monotonic()
    waiting = asyncio.create_task(reader.read(Attachment("slow.pdf", "", slow)))
    quick = await reader.read(Attachment("cat.png", "", files.image("PNG")))
    assert isinstance(quick, (Image, Unread))
    assert await waiting == Unread("slow.pdf", FileFault.BROKEN)
    assert time.monotonic() - began < 5


async def test_a_reader_whose_asker_leaves_ends_the_process() -> None:
    slow = files.pdf(b"BT /F1 12 Tf " + b"(x) Tj " * 3_000_000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await FileReader(LIMITS).read(Attachment("slow.pdf", "", slow))
