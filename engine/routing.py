"""Which models may answer a question, in order: the one asked for, then its declared fallbacks."""

from __future__ import annotations

from collections.abc import Sequence

from engine.catalogue import Catalogue
from engine.domain import ModelSpec, Tier


def choose(
    catalogue: Catalogue, tier: Tier, asked: str | None, preferred: str | None
) -> ModelSpec | str | None:
    """The model of a question, its name as text if it is unknown, None if the tier has none at all.

    A model named in the question is taken as it is, allowed or not (a lock is refused, never swapped); a
    preference that is gone or locked by now gives way to the tier's default.
    """
    if asked:
        return catalogue.find(asked) or asked
    wish = catalogue.find(preferred) if preferred else None
    if wish and catalogue.allows(tier, wish):
        return wish
    return catalogue.default(tier)


def candidates(catalogue: Catalogue, tier: Tier, first: ModelSpec) -> Sequence[ModelSpec]:
    """The model and those of its fallbacks that exist here and the tier may use."""
    named = [catalogue.find(name) for name in first.fallback]
    return [first, *(spec for spec in named if spec and spec != first and catalogue.allows(tier, spec))]
