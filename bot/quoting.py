"""Somebody's message as a part of a question: set apart, so that it is read and not obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.intake import Source
from bot.words import say

QUOTE = "> "
"""Begins each quoted line; nothing that is quoted can end the quotation."""
NAME_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message that a member asks about: who wrote it, its text, and its files."""

    author: str
    text: str
    files: Sequence[Source] = ()


def about(quoted: Quoted, question: str) -> str:
    """A question about a message; an empty one asks to explain it."""
    author = " ".join(quoted.author.split())[:NAME_LIMIT]
    lines = [f"{QUOTE}{line}".rstrip() for line in quoted.text.splitlines()]
    files = [f"{QUOTE}[{' '.join(file.name.split())}]" for file in quoted.files]
    wish = question.strip() or say("about-nothing-asked")
    return "\n".join((wish, "", say("about-quotation", author=author), *lines, *files))
