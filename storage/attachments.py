"""The images and PDFs of turns."""

from __future__ import annotations

from collections.abc import Sequence

from engine.context import PDF_BYTES
from engine.files import Image, Pdf
from engine.turns import Hold
from storage.session import Row, Session


def attach(session: Session, hold: Hold) -> None:
    """Keep the files of a turn that is held."""
    for position, pdf in enumerate(hold.pdfs):
        session.run(
            "attach_pdf",
            turn=hold.turn,
            position=position,
            name=pdf.name,
            pages=pdf.pages,
            start=pdf.start,
            stop=pdf.stop,
            data=pdf.data,
        )
    for position, image in enumerate(hold.images):
        session.run(
            "attach",
            turn=hold.turn,
            position=position,
            name=image.name,
            media_type=image.media_type,
            width=image.width,
            height=image.height,
            data=image.data,
        )


def attached(session: Session, turn: str) -> tuple[Image, ...]:
    """The images of a turn, in their order."""
    return tuple(image_from(row) for row in session.all("attached", turn=turn))


def newest(session: Session, way: Sequence[Row], most: int) -> dict[str, tuple[Image, ...]]:
    """The images of a history's turns by id, from the last one back until `most` were found.

    Only turns that have any are looked up.
    """
    found: dict[str, tuple[Image, ...]] = {}
    for row in reversed(way):
        if most > 0 and row["images"]:
            found[row["id"]] = attached(session, row["id"])[-most:]
            most -= len(found[row["id"]])
    return found


def attached_pdfs(session: Session, turn: str) -> tuple[Pdf, ...]:
    """The PDFs of a turn, in their order."""
    return tuple(pdf_from(row) for row in session.all("attached_pdfs", turn=turn))


def newest_pdfs(session: Session, way: Sequence[Row], most: int) -> dict[str, tuple[Pdf, ...]]:
    """As `newest`, until there are as many bytes as a request has room for, too."""
    found: dict[str, tuple[Pdf, ...]] = {}
    room = PDF_BYTES
    for row in reversed(way):
        if most > 0 and room > 0 and row["pdfs"]:
            found[row["id"]] = attached_pdfs(session, row["id"])[-most:]
            most -= len(found[row["id"]])
            room -= sum(len(pdf.data) for pdf in found[row["id"]])
    return found


def pdf_from(row: Row) -> Pdf:
    """A PDF's row as the engine knows it."""
    return Pdf(row["name"], bytes(row["data"]), row["pages"], row["start"], row["stop"])


def image_from(row: Row) -> Image:
    """An image's row as the engine knows it."""
    return Image(row["name"], row["media_type"], bytes(row["data"]), row["width"], row["height"])
