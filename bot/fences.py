"""Code fences of Markdown, line by line (https://spec.commonmark.org/0.31.2/#fenced-code-blocks)."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 24
"""Characters of a closing line beyond which no fence is seen in it: nobody writes those to fence code."""
LINE = re.compile(
    r"(?P<before>(?:[ \t>]|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))*)(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)\n?\Z"
)
LIKE = re.compile(rf"^{LINE.pattern.partition('(?P<info>')[0]}", re.MULTILINE)
"""The beginning of a line that may be a fence, also one that is being written."""
QUOTED = re.compile(r"[ \t]*>")
DEEPER = 3
"""Columns by which a closing line may be further in than the opening one."""


@dataclass(frozen=True, slots=True)
class Fence:
    """An open fence: the line that opens it anew on another page, and the one that closes it."""

    opening: str
    closing: str

    @property
    def mark(self) -> str:
        """The signs alone."""
        return self.closing.lstrip(" \t>")

    def closed_by(self, line: re.Match[str]) -> bool:
        """Whether a fence line ends this one: as far in, the same sign, at least as long, nothing behind."""
        before, mark = line["before"], self.mark
        return (
            line["mark"].startswith(mark)
            and not line["info"].strip()
            and before.count(">") == self.closing.count(">")
            and len(before) <= len(self.closing) - len(mark) + DEEPER
        )


def after_line(fence: Fence | None, line: str, longest: int = LONGEST) -> Fence | None:
    """What is open after one more line, when `fence` was before it; the end of a quote ends a fence in it."""
    if fence and ">" in fence.closing and not QUOTED.match(line):
        fence = None
    found = LINE.match(line) if "```" in line or "~~~" in line else None
    if found is None:
        return fence
    if fence is None:
        return opened(found, longest)
    return None if fence.closed_by(found) else fence


def opened(line: re.Match[str], longest: int) -> Fence | None:
    """The fence that a line opens; in a list it is set in, without the marker of its item."""
    info = line["info"].strip()
    closing = re.sub(r"[^>\s]", " ", line["before"]) + line["mark"]
    if len(closing) > longest or ("`" in info and "`" in closing):
        return None
    return Fence(closing + info, closing)


def after(fence: Fence | None, text: str, longest: int = LONGEST) -> Fence | None:
    """What is open after a text."""
    if fence is None and not LIKE.search(text):
        return None
    for line in text.removesuffix("\n").split("\n"):
        fence = after_line(fence, line, longest)
    return fence
