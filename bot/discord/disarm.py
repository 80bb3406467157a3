"""Takes from a model's text what would look like the bot's own: small print and links under other names."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from bot.split import utf16

CODE = re.compile(r"(?<![`\\])```(?!`)[^`\n]*\n(?:(?!```)[\s\S])*```")
"""A block of code as Discord sees it: it ends with the next three signs, wherever they are."""
IN_LINE = re.compile(r"(`+)[^`\n]+\1")
SMALL_PRINT = re.compile(r"-(?=#\s)")
UNBROKEN = "\N{NON-BREAKING HYPHEN}"
"""Looks like the hyphen that it stands for, and begins no small print."""
MASKED = re.compile(
    r"\]\((?P<address>\s*<?(?P<url>[a-zA-Z][\w+.-]*:(?:\([^)\n]*\)|[^\s\\]|\\.)*?)>?(?:\s+(?:'[^'\n]*'|\"[^\"\n]*\"))?\s*)\)"
)
"""The second half of a link that hides its address behind words, as Discord's apps find it."""
Mender = Callable[[str], str]


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
    return MASKED.sub(lambda link: f"{link.group()} ({host(link['url'])})", large(text))


def unmasked(text: str) -> str:
    """No small print and no masked links, at the same length."""
    return MASKED.sub(lambda link: f"]<{link['address'].replace('<', ' ').replace('>', ' ')}>", large(text))


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
