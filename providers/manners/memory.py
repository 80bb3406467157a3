"""What a member told a demo model earlier in the conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.models import Message, Role
from providers.manners.received import words_alone

NAME = "name"
TELLING = re.compile(
    r"\bmy\s+(?P<what>[a-z][a-z' -]{0,30}?)\s+(?:is|are|was)\s+(?P<value>[^.,;!?\n]{1,60})", re.IGNORECASE
)
NAMING = re.compile(r"\b(?:call me|i am called|i'm called)\s+(?P<value>[^.,;!?\n]{1,40})", re.IGNORECASE)
ASKING = re.compile(
    r"\b(?:what(?:'s| is| are| was| were)|who(?:'s| is)|which is|tell me|remember|know)\b[^.?!\n]*?"
    r"\bmy\s+(?P<what>[a-z][a-z' -]{0,30})",
    re.IGNORECASE,
)


def questions(messages: Sequence[Message]) -> Sequence[str]:
    """What the member said, oldest first; the last one is what has to be answered."""
    return [words_alone(message.text) for message in messages if message.role is Role.USER]


def facts(said: Sequence[str]) -> Mapping[str, str]:
    """What the member said of themselves, by what it is about; the latest word counts."""
    known: dict[str, str] = {}
    for text in said:
        for found in TELLING.finditer(text):
            known[found["what"].casefold()] = found["value"].strip()
        for found in NAMING.finditer(text):
            known[NAME] = found["value"].strip()
    return known


def asked_about(text: str) -> str | None:
    """What of themselves the member wants to hear: `favourite tea` in `what is my favourite tea?`."""
    if "who am i" in text.casefold():
        return NAME
    found = ASKING.search(text)
    return found["what"].strip().casefold() if found else None


def short(text: str, limit: int = 80) -> str:
    """A quotation of at most `limit` characters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
