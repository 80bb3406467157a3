"""How far our estimates of a model's input are from what its vendor counts, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

ONE = 1000
"""Corrections are in thousandths."""
MOST = 3 * ONE
"""No tokeniser makes more than one token of a byte, and we take three bytes for one: more is wrong."""
LEAST = 256
"""Tokens. Of less, what a vendor adds to every request would be taken for a property of its tokeniser."""
LOWER_EVERY = timedelta(minutes=10)
LOWER_BY = 16
"""The part of the way down that a correction goes then: a language seldom written is remembered for hours."""
TOO_LONG_BY = 4
"""The part by which a correction rises at most for each request that was too long."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What the estimates for one model are multiplied by, in thousandths: from ONE to MOST."""

    text: int = ONE
    images: int = ONE
    lowered_at: datetime | None = None

    def of(self, text: int, images: int = 0) -> int:
        """Estimated tokens, corrected and rounded up."""
        return -(-text * self.text // ONE) - (-images * self.images // ONE)


UNCORRECTED = Correction()
ModelKey = tuple[str, str]
"""A vendor and its id of a model."""
Corrections = Mapping[ModelKey, Correction]


@dataclass(frozen=True, slots=True)
class Reading:
    """One request as we estimated it and as its vendor counted it, in tokens of input."""

    model: ModelKey
    text: int
    images: int
    counted: int
    too_long: bool = False
    """The vendor took it for longer than `counted` and refused it."""


def learned(before: Correction, reading: Reading, now: datetime) -> Correction:
    """The correction after a reading: raised at once as far as it says, lowered by a small step at a time.

    Images are taken to be what a request with images was misjudged in; its text says nothing.
    """
    if reading.text + reading.images < LEAST or reading.counted <= 0:
        return before
    if reading.images:
        seen = ratio(reading.counted - before.of(reading.text), reading.images)
        images = moved(before.images, seen, reading, may_lower(before, now))
        return noted(before, replace(before, images=images), now)
    text = moved(before.text, ratio(reading.counted, reading.text), reading, may_lower(before, now))
    return noted(before, replace(before, text=text), now)


def ratio(counted: int, estimated: int) -> int:
    """In thousandths, rounded up, and no lower or higher than a correction may be."""
    return min(max(ONE, -(-counted * ONE // estimated)), MOST)


def moved(old: int, seen: int, reading: Reading, lower: bool) -> int:  # noqa: FBT001 - one private step of `learned`
    """Where one part of a correction goes."""
    if reading.too_long:
        step = old + old // TOO_LONG_BY
        return max(old, min(seen, step))
    if seen >= old or not lower:
        return max(old, seen)
    return old - max(1, (old - seen) // LOWER_BY)


def may_lower(before: Correction, now: datetime) -> bool:
    """Whether the last step down was long enough ago."""
    return before.lowered_at is None or now - before.lowered_at >= LOWER_EVERY


def noted(before: Correction, after: Correction, now: datetime) -> Correction:
    """The same with the time of a step down."""
    lowered = after.text < before.text or after.images < before.images
    return replace(after, lowered_at=now) if lowered else after


def note(tx: EstimatesTx, pairs: Iterable[tuple[Correction, Reading]], now: datetime) -> None:
    """Write down what readings teach, each beside the correction that its request was estimated with."""
    for before, reading in sorted(pairs, key=lambda pair: pair[1].model):
        after = learned(before, reading, now)
        if after != before:
            tx.correct(reading.model, before, after)


class EstimatesTx(Protocol):
    """Corrections that all processes share."""

    def corrections(self) -> Corrections:
        """Those of all models that were ever corrected."""
        ...

    def correct(self, model: ModelKey, before: Correction, after: Correction) -> None:
        """Put `after` in the place of `before`: a rise always, a step down only if it is still there."""
        ...
