"""Splits Markdown, also while it grows, into pages within a platform's limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.breaks import break_at
from bot.fences import LIKE, LONGEST, Fence, after

Unit = Callable[[str], int]
"""How a platform measures a text."""
BLANK_LINES = re.compile(r"(?:[ \t]*\r?\n)+")


def utf16(text: str) -> int:
    """UTF-16 code units: what Discord's apps count, and never less than characters."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a text, with the lines that open a fence again before it and close it behind it.

    All bodies together are the text, character by character.
    """

    head: str
    body: str
    tail: str

    def __str__(self) -> str:
        return f"{self.head}{self.body}{self.tail}"

    def shown(self) -> str:
        """The page without blank lines at its ends; empty if nothing is left."""
        blank = BLANK_LINES.match(self.body)
        body = self.body[blank.end() if blank else 0 :]
        bare = body.rstrip()
        if not bare:
            return ""
        body = bare if "\n" in body[len(bare) :] else body
        fence = after(None, f"{self.head}{body}")
        return f"{self.head}{body}\n{fence.closing}" if fence else f"{self.head}{body}"


class Pager:
    """Splits a text that grows: a page that another one follows is final, whatever comes then.

    That holds since a page's end is chosen from what fits on it and the one character behind. So only the
    last page is looked at again, and however long an answer gets, no message but its last is edited.
    """

    def __init__(self, limit: int, unit: Unit = utf16) -> None:
        """Pages of at most `limit` units (at least 100)."""
        self._limit = limit
        self._unit = unit
        self._final: list[Page] = []
        self._fence: Fence | None = None
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Let the text grow; costs nothing before the pages are asked for."""
        self._pieces.append(piece)

    def split(self) -> tuple[Page, ...]:
        """The pages of the text so far, none for an empty one."""
        rest, start = "".join(self._pieces), 0
        while (end := self._end(rest, start)) < len(rest):
            page = self._page(rest[start:end])
            self._final.append(page)
            self._fence, start = after(self._fence, page.body, self._longest), end
        self._pieces = [rest[start:]]
        last = [self._page(rest[start:])] if start < len(rest) else []
        return (*self._final, *last)

    def pages(self) -> tuple[str, ...]:
        """The pages as they are shown, without those of which nothing is left."""
        return tuple(filter(None, (page.shown() for page in self.split())))

    @property
    def _longest(self) -> int:
        return min(LONGEST, self._limit // 4 - 1)

    def _head(self) -> str:
        """The line that opens the fence again, without its language if that is out of proportion."""
        if self._fence is None:
            return ""
        line = self._fence.opening
        return f"{line if self._unit(line) < self._limit // 4 else self._fence.closing}\n"

    def _page(self, body: str) -> Page:
        still = after(self._fence, body, self._longest)
        tail = "" if still is None else still.closing if body.endswith("\n") else f"\n{still.closing}"
        return Page(self._head(), body, tail)

    def _end(self, text: str, start: int) -> int:
        """Where the page that begins at `start` ends."""
        room = self._limit - self._unit(self._head())
        end = fitting(text, start, room, self._unit)
        if self._fence or LIKE.search(text[start:end]):
            end = fitting(text, start, room - self._longest - 1, self._unit)
        if end == len(text):
            return end
        return start + break_at(text[start:end], text[end], self._fence, self._longest)


def fitting(text: str, start: int, room: int, unit: Unit) -> int:
    """The last index up to which a text fits from `start` on."""
    end = min(len(text), start + room)
    while (over := unit(text[start:end]) - room) > 0:
        end -= (over + 1) // 2  # a character is at most two units
    return end


def split(text: str, limit: int, unit: Unit = utf16) -> tuple[Page, ...]:
    """A whole text as pages of at most `limit` units (at least 100).

    A page ends between blocks where that is not too far from its end, else between lines, sentences, words
    or characters, in this order. Links, code spans, mentions and table rows break only if longer
    than a page. Conjoining Hangul letters and emphasis over several lines are not known of.
    """
    pager = Pager(limit, unit)
    pager.add(text)
    return pager.split()


def pages(text: str, limit: int, unit: Unit = utf16) -> tuple[str, ...]:
    """The pages of a text as they are shown, none for one without words."""
    return tuple(filter(None, (page.shown() for page in split(text, limit, unit))))


def open_fence(text: str) -> str:
    """The line of the fence that is open at the end of a text, empty if none."""
    fence = after(None, text)
    return fence.opening if fence else ""


def marker(opening: str) -> str:
    """The signs of a fence line without its language."""
    fence = after(None, opening)
    return fence.closing if fence else ""
