"""What came with a member's message, as a demo model can tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.files import Image, Pdf
from engine.models import Message

ENCLOSED = re.compile(
    r'\s*<(?P<tag>file(?:-\d+)?) name="(?P<name>[^"\n]*)" type="(?P<type>[^"\n]*)"'
    r'(?: pages="(?P<pages>\d+)")?>\n'
    r"(?P<text>.*?)\n</(?P=tag)>|\s*<(?:image|file(?:-\d+)?) name=[^\n]*(?:/|></file(?:-\d+)?)>",
    re.DOTALL,
)
"""A file as `engine.enclosures` writes it into a question."""
KILO = 1000


def words_alone(text: str) -> str:
    """A message without the files in it."""
    return ENCLOSED.sub("", text).strip()


def received(message: Message) -> str | None:
    """What arrived, with size and type; None if it was words alone."""
    got = [*map(_image, message.images), *map(_pdf, message.pdfs), *_documents(message.said)]
    if not got:
        return None
    things = "\n".join(f"- {each}" for each in got)
    return f"This reached me:\n{things}\n\nA real model would answer your question about it now."


def _image(image: Image) -> str:
    kind = image.media_type.removeprefix("image/").upper()
    size = max(1, round(len(image.data) / KILO))
    return f"**{image.name}**: an image, {image.width} by {image.height} pixels ({kind}, {size} kB)"


def _pdf(pdf: Pdf) -> str:
    size = max(1, round(len(pdf.data) / KILO))
    return f"**{pdf.name}**: a PDF of {pdf.pages} page(s) ({size} kB)"


def _documents(text: str) -> Iterator[str]:
    for found in ENCLOSED.finditer(text):
        if found["tag"]:
            pages = f", {found['pages']} page(s)" if found["pages"] else ""
            yield f"**{found['name']}**: {len(found['text'])} characters of text ({found['type']}{pages})"
