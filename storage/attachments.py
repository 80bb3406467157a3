"""The images of turns."""

from __future__ import annotations

from collections.abc import Sequence

from engine.files import Image
from engine.turns import Hold
from storage.session import Row, Session


def attach(session: Session, hold: Hold) -> None:
    """Keep the images of a turn that is held."""
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


def image_from(row: Row) -> Image:
    """An image's row as the engine knows it."""
    return Image(row["name"], row["media_type"], bytes(row["data"]), row["width"], row["height"])
