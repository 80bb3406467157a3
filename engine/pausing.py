"""What pauses mean for a question: whether it is refused, and which models are left; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.catalogue import Catalogue
from engine.domain import Refusal, RefusalReason, Tier, TierName
from engine.pauses import ALL, FREE, MODEL, Pause


@dataclass(frozen=True, slots=True)
class Pauses:
    """All that is paused at one moment."""

    by_name: Mapping[str, Pause] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Sequence[Pause]) -> Pauses:
        """As storage lists them."""
        return cls({each.what: each for each in listed})

    def refusal(self, catalogue: Catalogue, tier: Tier) -> Refusal | None:
        """The refusal of whatever a member of that tier asks; None if some model may answer them.

        Whoever pays gets no more where everybody waits, so then nothing is offered.
        """
        if pause := self.by_name.get(ALL):
            return Refusal(RefusalReason.PAUSED, tier.name, until=pause.until)
        if tier.name is TierName.FREE and (pause := self.by_name.get(FREE)):
            offer = catalogue.offer(tier, RefusalReason.PAUSED_FREE)
            return Refusal(RefusalReason.PAUSED_FREE, tier.name, until=pause.until, offer=offer)
        return None

    def of_model(self, name: str) -> Pause | None:
        """That of a model, by the name that members see."""
        return self.by_name.get(MODEL + name)

    def awake(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue without the models that are paused."""
        if not self.by_name:
            return catalogue
        return replace(catalogue, models=tuple(m for m in catalogue.models if not self.of_model(m.name)))

    def refusal_of(self, catalogue: Catalogue, tier: Tier, names: Sequence[str]) -> Refusal | None:
        """The refusal of a question that only these models could answer, the first named; None if one may."""
        found = [self.of_model(name) for name in names]
        if not found or None in found:
            return None
        ends = [each.until for each in found if each and each.until]
        others = tuple(spec.name for spec in self.awake(catalogue).allowed(tier))
        until = min(ends) if ends else None
        return Refusal(RefusalReason.PAUSED_MODEL, tier.name, until=until, model=names[0], choices=others)


NO_PAUSES = Pauses()
