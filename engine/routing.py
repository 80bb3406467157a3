"""Which models may answer a question, in order: the one asked for, then its declared fallbacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.catalogue import Catalogue
from engine.context import reading, shorter, size
from engine.domain import Tier
from engine.estimates import UNCORRECTED, Correction, Reading
from engine.models import Completion, ModelSpec


@dataclass(frozen=True, slots=True)
class Route:
    """One model that may answer, with what it would be sent."""

    spec: ModelSpec
    completion: Completion
    correction: Correction = UNCORRECTED
    """By which what it is sent was fitted into the model's window."""
    size: int = field(init=False, compare=False)
    """An upper estimate of what its vendor will count as input, in tokens."""

    def __post_init__(self) -> None:
        """Measure what is sent once: whatever it may cost is told by this."""
        object.__setattr__(self, "size", size(self.completion, self.correction))

    def reading(self, counted: int | None) -> tuple[Correction, Reading]:
        """What the vendor's count of its input teaches; None: it was refused as too long."""
        return reading(self.spec, self.completion, counted, self.correction)

    def answering(self, most: int) -> Route:
        """The same with an answer of at most so many tokens."""
        return replace(self, completion=replace(self.completion, max_output=most))

    def shortened(self) -> Route | None:
        """The same without the oldest turns, for a vendor that found it too long; None if there are none."""
        less = shorter(self.completion)
        return replace(self, completion=less) if less else None

    def in_words(self) -> Route | None:
        """The same with PDFs as their text, for a vendor that does not take one; None if there are none."""
        messages = tuple(message.worded for message in self.completion.messages)
        less = replace(self, completion=replace(self.completion, messages=messages, stable=0))
        return less if messages != self.completion.messages else None


def choose(
    catalogue: Catalogue, tier: Tier, asked: str | None, preferred: Sequence[str | None]
) -> ModelSpec | str | None:
    """The model of a question, its name as text if it is unknown, None if the tier has none at all.

    A model named in the question is taken as it is, allowed or not (a lock is refused, never swapped). Of
    those preferred, the first that exists and is allowed is taken; without any it is the tier's default.
    """
    if asked:
        return catalogue.find(asked) or asked
    wishes = (catalogue.find(name) for name in preferred if name)
    kept = (wish for wish in wishes if wish and catalogue.allows(tier, wish))
    return next(kept, None) or catalogue.default(tier)


def candidates(catalogue: Catalogue, tier: Tier, first: ModelSpec) -> Sequence[ModelSpec]:
    """The model and those of its fallbacks that exist here and the tier may use."""
    named = [catalogue.find(name) for name in first.fallback]
    return [first, *(spec for spec in named if spec and spec != first and catalogue.allows(tier, spec))]
