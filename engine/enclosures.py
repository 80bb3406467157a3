"""Files as part of a question: what a model reads of them, and what is kept of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.files import Document, Image, Pdf
from engine.moderating import UNSEEN

LONGEST_NAME = 100
TAG = "file"
CLOSING = re.compile(rf"<\s*/\s*({TAG}(?:-\d+)?)\s*>", re.IGNORECASE)
BETWEEN = "\n\n"


def told(text: str, files: Sequence[Image | Document]) -> str:
    """A question with its documents' text behind it, each between tags that its own text cannot close."""
    return BETWEEN.join((text, *map(enclosed, files)))


def images(files: Sequence[Image | Document]) -> tuple[Image, ...]:
    """Those of the files that are shown, not read out."""
    return tuple(file for file in files if isinstance(file, Image))


def pdfs(text: str, files: Sequence[Image | Document]) -> tuple[Pdf, ...]:
    """Those of the files that can be sent as PDFs, each with the place where `told` reads it out."""
    found, start = list[Pdf](), len(text)
    for file in files:
        whole, start = enclosed(file), start + len(BETWEEN)
        if isinstance(file, Document) and file.pdf:
            first, last = start + whole.index(">") + 1, start + whole.rindex("</")
            found.append(Pdf(plain(file.name) or TAG, file.pdf, file.pages or 1, first, last))
        start += len(whole)
    return tuple(found)


def enclosed(file: Image | Document) -> str:
    """A document with its name and type; of an image or a scan only these, for models that cannot see it."""
    label = f'name="{plain(file.name)}" type="{plain(file.media_type)}"'
    if isinstance(file, Image):
        return f"<image {label}/>"
    tag, pages = unused_tag(file.text), f' pages="{file.pages}"' if file.pages else ""
    words = file.text.strip()
    text = f"\n{words}\n" if words or not file.pdf else ""
    return f"<{tag} {label}{pages}>{text}</{tag}>"


def unused_tag(text: str) -> str:
    """`file`, or `file-2` and so on where the text itself closes that, in any case and spacing."""
    number, closed = 1, {tag.casefold() for tag in CLOSING.findall(text.translate(UNSEEN))}
    while f"{TAG}{suffix(number)}" in closed:
        number += 1
    return TAG + suffix(number)


def suffix(number: int) -> str:
    """What the tags after the first one end with."""
    return f"-{number}" if number > 1 else ""


def plain(name: str) -> str:
    """A name that stays within its quotes and its line."""
    return re.sub(r'[\x00-\x1f\x7f"<>\u2028\u2029]', "_", name)[:LONGEST_NAME]
