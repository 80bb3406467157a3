"""Splits Markdown into pages within a platform's limit, closing and reopening code fences."""

from __future__ import annotations

import re

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


def pages(text: str, limit: int) -> tuple[str, ...]:
    """The text as pages of at most `limit` characters (at least 40), none for an empty text.

    Breaks at paragraphs, else lines, else words, else anywhere. A fence that is open at a break is closed on
    its page and opened again, with its language, on the next.
    """
    found: list[str] = []
    opening = ""
    rest = text.strip("\n")
    while rest:
        head = f"{opening}\n" if opening else ""
        page, rest, opening = cut(head, rest, limit, opening)
        found.append(page)
    return tuple(found)


def cut(head: str, rest: str, limit: int, opening: str) -> tuple[str, str, str]:
    """One page, what is left, and the fence line that has to be opened again (empty if none)."""
    if len(head) + len(rest) <= limit:
        return head + rest, "", ""
    room = limit - len(head) - longest_close(opening, rest[:limit])
    at = break_at(rest, max(room, 1))
    body, rest = rest[:at].rstrip("\n"), rest[at:].lstrip("\n")
    still = open_fence(head + body)
    close = f"\n{marker(still)}" if still else ""
    return head + body + close, rest, still if len(still) < limit // 4 else marker(still)


def longest_close(opening: str, text: str) -> int:
    """Room to keep for a closing fence on this page."""
    marks = [marker(opening)] if opening else []
    marks += [found.group(1) for line in text.split("\n") if (found := FENCE.match(line))]
    return max((len(mark) + 1 for mark in marks), default=0)


def break_at(text: str, room: int) -> int:
    """Where to break: the last good place in the second half of the room."""
    for mark in ("\n\n", "\n", " "):
        at = text.rfind(mark, room // 2, room)
        if at > 0:
            return at + len(mark) if at + len(mark) <= room else at
    return room


def open_fence(text: str) -> str:
    """The line of the fence that is open at the end of a text, empty if none."""
    line_open = ""
    for line in text.split("\n"):
        found = FENCE.match(line)
        if not found:
            continue
        if not line_open:
            line_open = line.strip()
        elif closes(line_open, found):
            line_open = ""
    return line_open


def closes(opening: str, line: re.Match[str]) -> bool:
    """Whether a fence line ends the open one: same sign, at least as long, nothing behind it."""
    mark = marker(opening)
    return line.group(1)[0] == mark[0] and len(line.group(1)) >= len(mark) and not line.group(2).strip()


def marker(opening: str) -> str:
    """The signs of a fence line without its language."""
    found = FENCE.match(opening)
    return found.group(1) if found else ""
