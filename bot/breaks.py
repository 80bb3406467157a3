"""Where a page of Markdown may end: each place has a price, and the best one is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.fences import Fence, after_line
from bot.spans import Span, Spans, firm, one_character, soft

LINE = re.compile(r"[^\n]*\n|[^\n]+")
BLANK = re.compile(r"[\s>]*\Z")
ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:\s|\Z)")
MARKER = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)]|#{1,6}|\[[ xX]\])[ \t]+)*\Z")
HEADING = re.compile(r"[ \t>]*#{1,6}[ \t]")
ROW = re.compile(r"[ \t>]*\|")
SENTENCE = re.compile(r"""[.!?…:;]["'\u201d\u2019)*_]*\s|[\u3002\uff01\uff1f]""")
WORD = re.compile(
    r"(?:[ \t]+|(?<=[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef])(?=\w))"
    r"(?!(?:[-+*]|#{1,6}|\d{1,9}[.)])\s|[>|=]|```|~~~)"
)
"""Between words, also of a language without spaces; not before what means something at a line's beginning."""

# Prices, as parts of a page that may be left empty for a cheaper place.
A_BLOCK, AN_ITEM, A_LINE, A_SENTENCE, A_WORD = 0.0, 0.1, 0.2, 0.3, 0.42
A_CODE_BLOCK, A_CODE_LINE, A_ROW, AN_EMPHASIS, A_LETTER = 0.32, 0.35, 0.35, 0.3, 0.9
ANYTHING = 2.0
"""More than any other place can cost."""
GOOD_ENOUGH = 0.5
"""A page that ends well between lines is not ended within one."""


def break_at(text: str, behind: str, fence: Fence | None, longest: int) -> int:
    """Where to end the page that `text` fills and `behind`, one character, goes on: more than 0.

    `fence` is open where it begins; closing lines of fences have at most `longest` characters.
    """
    size, blank = len(text), len(text) - len(text.lstrip())
    places, code = between_lines(text, behind, fence, longest)
    found = [(at / size - price, at) for at, price in places if at > blank]
    if not found or max(found)[0] < GOOD_ENOUGH:
        found += [(at / size - price, at) for at, price in within_lines(text + behind, code) if at > blank]
    return max(found, default=(0, size))[1]


def between_lines(
    text: str, behind: str, fence: Fence | None, longest: int
) -> tuple[list[tuple[int, float]], list[Span]]:
    """The places after lines with their prices, and which parts are fenced code."""
    places: list[tuple[int, float]] = []
    code: list[Span] = []
    at, title = 0, False
    lines = LINE.findall(text + behind)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        outside, fence = fence is None, after_line(fence, line, longest)
        if not (outside and fence is None):
            code.append((at, at + len(line)))
        at += len(line)
        title = HEADING.match(line) is not None if not BLANK.match(line) else title
        price = price_inside(fence, line, following) if fence else price_outside(line, following, title=title)
        if price is not None and not (fence and outside) and line.endswith("\n"):
            places.append((min(at, len(text)), price))
    return [place for place in places if (text + behind)[place[0] - 1 : place[0] + 1] != "\r\n"], code


def price_outside(line: str, following: str, *, title: bool) -> float | None:
    """The price of a place between two lines that are not code; none between a title and its text."""
    if title:
        return None
    if BLANK.match(line) or BLANK.match(following):
        goes_on = following[:1] in {" ", "\t"} and not BLANK.match(following)
        return AN_ITEM if goes_on or ITEM.match(following) else A_BLOCK
    if ROW.match(line) and ROW.match(following):
        return A_ROW
    starts = ITEM.match(following) or HEADING.match(following) or after_line(None, following)
    return AN_ITEM if starts else A_LINE


def price_inside(fence: Fence, line: str, following: str) -> float | None:
    """The price of a place between two lines of code; none before its closing line."""
    start = following.strip(" \t>\r\n")
    if start and (fence.mark.startswith(start) or start.startswith(fence.mark)):
        return None
    return A_CODE_BLOCK if not line.strip() or not start else A_CODE_LINE


def within_lines(text: str, code: Sequence[Span]) -> Iterator[tuple[int, float]]:
    """The best places of each kind within lines; the last character of `text` is behind the page."""
    kept, emphasised = firm(text, code), soft(text)
    for kind, price in ((SENTENCE, A_SENTENCE), (WORD, A_WORD)):
        for found in reversed(list(kind.finditer(text))):
            at = found.end()
            if at >= len(text) or kept.start_of(at) is not None or is_marker(text, at):
                continue
            if emphasised.start_of(at) is None:
                yield at, price
                break
            yield at, price + AN_EMPHASIS
    yield letter(text, kept), A_LETTER
    yield letter(text, Spans([])) or len(text) - 1, ANYTHING


def is_marker(text: str, at: int) -> bool:
    """Whether nothing but a list's marker is on the line before a place."""
    return MARKER.match(text, text.rfind("\n", 0, at) + 1, at) is not None


def letter(text: str, kept: Spans) -> int:
    """The last place between two characters that breaks nothing that is kept; 0 if there is none."""
    at = len(text) - 1
    while at > 0:
        start = kept.start_of(at)
        if start is None and not one_character(text, at):
            break
        at = at - 1 if start is None else start
    return at
