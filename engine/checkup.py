"""What a check of the whole installation finds: a light, what is so, and the mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Light(StrEnum):
    """How something stands."""

    GREEN = "green"
    YELLOW = "yellow"
    """It works, but less than one might think."""
    RED = "red"
    """It does not work until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` is empty where there is nothing to do."""

    area: str
    light: Light
    what: str
    mend: str = ""


def good(area: str, what: str) -> Finding:
    """It is as it should be."""
    return Finding(area, Light.GREEN, what)


def worth_knowing(area: str, words: str, *, mend: str = "") -> Finding:
    """It works, with a sentence or more about what to know; without `mend` the first says what is so."""
    return Finding(area, Light.YELLOW, *((words, mend) if mend else divided(words)))


def wrong(area: str, words: str, *, mend: str = "") -> Finding:
    """It does not work; without `mend` the first sentence says what is wrong, the rest how to mend it.

    Where others' words are among ours, which may have several sentences, the mend has to be given.
    """
    return Finding(area, Light.RED, *((words, mend) if mend else divided(words)))


def divided(words: str) -> tuple[str, str]:
    """The first sentence without its full stop, and the rest."""
    first, _, rest = words.partition(". ")
    return first.removesuffix("."), rest
