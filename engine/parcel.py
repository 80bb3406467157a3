"""A question as bytes and back, with everything that it takes to answer it later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.domain import Ask, KeptId, Person, Place, Platform, Seat
from engine.files import Document, Image

VERSION = 1
HEAD = 4
"""Bytes that tell how long the description is which comes before images and PDFs."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A question, and the models that it is to be compared by; None: it is for one model."""

    ask: Ask
    models: tuple[str, ...] | None = None

    @property
    def in_words(self) -> Parcel:
        """The same with PDFs as their text, as far as they have any."""
        files = tuple(lighter(file) for file in self.ask.attachments)
        return replace(self, ask=replace(self.ask, attachments=files))


def lighter(file: Image | Document) -> Image | Document:
    """A file without what can be left out of it."""
    return replace(file, pdf=b"") if isinstance(file, Document) and file.text.strip() else file


def pack(parcel: Parcel) -> bytes:
    """The parcel as bytes, without who asks: that is for the row that it is kept in."""
    files = parcel.ask.attachments
    head = json.dumps({"version": VERSION, **described(parcel), "files": [*map(listed, files)]}).encode()
    return b"".join((len(head).to_bytes(HEAD, "big"), head, *map(content_of, files)))


def unpack(content: bytes, person: Person, key: str, kept: KeptId) -> Parcel | None:
    """What was packed, as a question of that person under a new key; None for another version's."""
    end = HEAD + int.from_bytes(content[:HEAD], "big")
    head: Json = json.loads(content[HEAD:end])
    if head["version"] != VERSION:
        return None
    seat, place, models = head["seat"], head["place"], head["models"]
    ask = Ask(
        key,
        person,
        head["text"],
        tuple(head["anchors"]),
        head["dm"],
        head["model"],
        placed(place) if place else None,
        tuple(unlisted(head["files"], memoryview(content)[end:])),
        message=head["message"],
        seat=Seat(**seat) if seat else None,
        kept=kept,
    )
    return Parcel(ask, None if models is None else tuple(models))


def described(parcel: Parcel) -> Json:
    """All but the files."""
    ask = parcel.ask
    place = ask.place
    return {
        "text": ask.text,
        "anchors": ask.anchors,
        "dm": ask.dm,
        "model": ask.model,
        "message": ask.message,
        "seat": asdict(ask.seat) if ask.seat else None,
        "place": [place.platform, place.id, place.channels, sorted(place.roles)] if place else None,
        "models": parcel.models,
    }


def placed(parts: Sequence[Any]) -> Place:
    """The place of a question."""
    platform, name, channels, roles = parts
    return Place(Platform(platform), name, tuple(channels), frozenset(roles))


def listed(file: Image | Document) -> Json:
    """A file without its bytes, which follow; of a document with its text."""
    about = {"name": file.name, "type": file.media_type, "bytes": len(content_of(file))}
    if isinstance(file, Image):
        return {**about, "width": file.width, "height": file.height}
    return {**about, "text": file.text, "pages": file.pages}


def content_of(file: Image | Document) -> bytes:
    """An image, or a document as a PDF if it is one."""
    return file.data if isinstance(file, Image) else file.pdf


def unlisted(files: Iterable[Json], contents: memoryview) -> Iterable[Image | Document]:
    """The files again; documents that were packed before PDFs were have no bytes."""
    for each in files:
        size = each.get("bytes", 0)
        data, contents = bytes(contents[:size]), contents[size:]
        if "text" in each:
            yield Document(each["name"], each["type"], each["text"], each["pages"], data)
        else:
            yield Image(each["name"], each["type"], data, each["width"], each["height"])
