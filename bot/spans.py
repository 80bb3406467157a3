"""What belongs together within the lines of a Markdown text, down to what the eye takes for one character."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]
"""Where something begins and ends; a page may end at both, not between."""

TOGETHER = re.compile(
    r"""!?\[[^\[\]\n]{0,300}(?:\](?:\((?:[^()\n]|\([^()\n]*\))*\)?)?)?  # a link or a picture, if only begun
    |<?\bhttps?://[^\s<>]+>?
    |<(?:@[!&]?|\#|a?:|t:|/|id:)[\w:\ -]{0,100}>?   # a mention, emoji, time or command of Discord's
    |^[ \t>]*\|(?!\|)[^\n]*                         # a row of a table
    """,
    re.VERBOSE | re.MULTILINE,
)
EMPHASIS = re.compile(r"(\*\*|\*|__|_|~~|\|\|)(?=\S)[^\n]{0,300}?(?:(?<=\S)\1|\Z)")
TICKS = re.compile(r"`+")
JOINER = "\u200d"
SKINS = range(0x1F3FB, 0x1F400)
TAGS = range(0xE0020, 0xE0080)
FLAGS = range(0x1F1E6, 0x1F200)
MARKS = frozenset({"Mn", "Me", "Mc"})


class Spans:
    """A set of places that are inside of something."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def start_of(self, at: int) -> int | None:
        """Where that begins which would be broken at a place; None if nothing would."""
        number = bisect_left(self._starts, at) - 1
        return self._starts[number] if number >= 0 and at < self._ends[number] else None


def firm(text: str, code: Sequence[Span]) -> Spans:
    """Links, addresses, mentions, table rows and code spans, outside of the fenced code."""
    fenced = Spans(code)
    found = [each.span() for each in TOGETHER.finditer(text)]
    return Spans(span for span in (*found, *code_spans(text)) if fenced.start_of(span[0] + 1) is None)


def soft(text: str) -> Spans:
    """Emphasis within a line."""
    return Spans(each.span() for each in EMPHASIS.finditer(text))


def code_spans(text: str) -> Iterator[Span]:
    """Code between as many backticks before as behind; what is not closed reaches to the end of its line."""
    runs = [each.span() for each in TICKS.finditer(text)]
    later: dict[int, int] = {}
    closing: list[int | None] = [None] * len(runs)
    for number in reversed(range(len(runs))):
        length = runs[number][1] - runs[number][0]
        closing[number] = later.get(length)
        later[length] = number
    number = 0
    while number < len(runs):
        start, end = runs[number]
        other = closing[number]
        if other is not None and text.find("\n\n", start, runs[other][0]) < 0:
            yield start, runs[other][1]
            number = other
        else:
            yield start, len(text) if text.find("\n", end) < 0 else end
        number += 1


def one_character(text: str, at: int) -> bool:
    """Whether the eye takes what is before and behind a place for one character (after UAX 29)."""
    before, behind = text[at - 1], text[at]
    if JOINER in {before, behind} or before + behind == "\r\n":
        return True
    if ord(behind) in FLAGS and ord(before) in FLAGS:
        run = next((n for n in range(1, at) if ord(text[at - 1 - n]) not in FLAGS), at)
        return run % 2 == 1
    return unicodedata.category(behind) in MARKS or ord(behind) in SKINS or ord(behind) in TAGS
