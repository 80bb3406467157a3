"""Takes from a model's text what would look like the bot's own: small print and links under other names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from bot.split import utf16

CODE = re.compile(r"(?<![`\\])```(?!`)[^`\n]*\n(?:(?!```)[\s\S])*```")
"""A block of code as Discord sees it: it ends with the next three signs, wherever they are."""
IN_LINE = re.compile(r"(`+)[^`\n]+\1")
SMALL_PRINT = re.compile(r"-(?=#\s)")
UNBROKEN = "\N{NON-BREAKING HYPHEN}"
"""Looks like the hyphen that it stands for, and begins no small print."""
MASKED = re.compile(r"\]\((?P<address>\s*<?(?P<url>[a-zA-Z][\w+.-]*:))")
"""How the second half of a link begins that hides its address behind words, as Discord's apps find it."""
END = re.compile(r">?(?:\s+(?:'[^'\n]*'|\"[^\"\n]*\"))?\s*\)")
PLAIN = re.compile(r"[^\s\\()>]+")
"""What no link ends in."""
PAGES_REMEMBERED = 256
"""Of answers being written all pages but the last stay as they are."""
Mender = Callable[[str], str]


@lru_cache(PAGES_REMEMBERED)
def disarmed(text: str, limit: int) -> str:
    """The text, of at most `limit` UTF-16 units as it came, with nothing in it that could pass for ours.

    Outside of code blocks a line cannot become small print, and a masked link names its host behind; if that
    is too long for the limit, links show their addresses instead. No lines are added or taken.
    """
    shown = outside_code(text, named)
    return shown if utf16(shown) <= limit else outside_code(text, unmasked)


def outside_code(text: str, mend: Mender) -> str:
    """The text with what is outside of its code blocks mended.

    Stray backticks make it unsure where Discord sees code, so from there on everything is mended.
    """
    found: list[str] = []
    at = 0
    for block in CODE.finditer(text):
        before = text[at : block.start()]
        if "`" in IN_LINE.sub("", before):
            break
        found += [mend(before), block.group()]
        at = block.end()
    return "".join((*found, mend(text[at:])))


def named(text: str) -> str:
    """No small print, and each masked link followed by its host."""
    return "".join(
        piece if link is None else f"{piece} ({host(link.url)})" for piece, link in with_links(large(text))
    )


def unmasked(text: str) -> str:
    """No small print and no masked links, at the same length."""
    return "".join(
        piece if link is None else f"]<{link.address.replace('<', ' ').replace('>', ' ')}>"
        for piece, link in with_links(large(text))
    )


@dataclass(frozen=True, slots=True)
class Masked:
    """What a masked link leads to: its address as written, and the URL in that."""

    address: str
    url: str


def with_links(text: str) -> Iterator[tuple[str, Masked | None]]:
    """The text in pieces, the second halves of masked links apart."""
    at, dead = 0, set[int]()
    for begun in MASKED.finditer(text):
        found = ended(text, begun.end(), dead) if begun.start() >= at else None
        if found:
            closed, end = found
            yield text[at : begun.start()], None
            url, address = text[begun.start("url") : closed], text[begun.start("address") : end - 1]
            yield text[begun.start() : end], Masked(address, url)
            at = end
    yield text[at:], None


def ended(text: str, at: int, dead: set[int]) -> tuple[int, int] | None:
    """Where a URL that goes on at `at` ends, and where its link does; None if that is no link.

    The earliest end is taken, but parentheses are kept together where that leads to one. `dead` are places of
    this text from which no end is reached, so that a text full of beginnings is not read again for each.
    """
    left = [at]
    while left:
        here = left.pop()
        if here in dead or here >= len(text):
            continue
        dead.add(here)
        if plain := PLAIN.match(text, here):
            left.append(plain.end())
        elif end := END.match(text, here):
            return here, end.end()
        else:
            left += following(text, here)
    return None


def following(text: str, here: int) -> Iterator[int]:
    """Where a URL may go on behind its next character, the best place last."""
    if text[here] == "\\":
        yield from [here + 2] if text[here + 1 : here + 2] not in {"", "\n"} else []
    elif not text[here].isspace():
        yield here + 1
    if text[here] == "(" and (close := text.find(")", here)) > 0 and "\n" not in text[here:close]:
        yield close + 1


def large(text: str) -> str:
    """No small print, at the same length."""
    return SMALL_PRINT.sub(UNBROKEN, text)


def host(url: str) -> str:
    """Where an address leads: its host, or what kind it is where it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "?"
    return parts.hostname or f"{parts.scheme}:"
