"""Whether one more turn is within a tier's limits: pure, on facts read under the account's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.catalogue import Catalogue
from engine.domain import Micros, Refusal, RefusalReason, Standing, Tier, TierName
from engine.files import Medium
from engine.models import ModelClass, ModelSpec
from engine.overage import Allowance, MeterTerms
from engine.turns import UsageFacts

RATE_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Case:
    """One question before the limits."""

    tier: Tier
    spec: ModelSpec
    facts: UsageFacts
    live_turns: int
    """Turns that its conversation has already; 0 for a new one."""
    now: datetime
    allowance: Allowance | None = None
    """What metered use may still take; None: none."""
    brings: frozenset[Medium] = frozenset()
    """What a model must take to be asked it."""
    begins: int = 1
    """Conversations that it begins together, if it begins any: the models of a comparison."""
    paid: Micros = Micros(0)  # noqa: RUF009 - an int by another name
    """What of the month's cost the member pays for by the meter."""
    credits: int | None = None
    """Conversations beyond the daily limit that may still be begun; None: none were given."""

    @property
    def short(self) -> int:
        """How many of the conversations that it begins are beyond the daily limit."""
        limit = self.tier.conversations_per_day
        if limit is None or not self.counts:
            return 0
        return min(self.begins, max(0, self.facts.conversations_today + self.begins - limit))

    @property
    def counts(self) -> bool:
        """Whether it would begin a conversation that is not counted yet."""
        return self.live_turns == 0

    def over_ceiling(self, estimate: Micros) -> bool:
        """Whether this turn may take the month's vendor cost above what the tier and metered use allow."""
        ceiling = self.tier.cost_ceiling_month
        over = ceiling is not None and self.facts.cost_month + estimate > ceiling
        return over and self.metered(estimate) is None

    @property
    def by_class(self) -> bool:
        """Whether at the ceiling one class follows the other; else everyday models follow at once."""
        return self.tier.name is not TierName.FREE and self.tier.cost_stop_month is not None

    def affords(self, klass: ModelClass, estimate: Micros) -> bool:
        """Whether the member's month has room for an answer by models of up to that class."""
        return not self.over_ceiling(estimate) or self.goes_on(klass, estimate)

    def goes_on(self, klass: ModelClass, estimate: Micros) -> bool:
        """Whether a paying member above the ceiling is answered by that class, instead of the one asked for.

        Up to the stop it is a class below, or everyday models; without a stop only these, without end.
        """
        if self.tier.name is TierName.FREE:
            return False
        stop, everyday = self.tier.cost_stop_month, klass is ModelClass.EVERYDAY
        if stop is None:
            return everyday
        cheaper = everyday or step(klass) < step(self.spec.klass)
        return cheaper and self.facts.cost_month - self.paid + estimate <= stop

    def metered(self, estimate: Micros) -> MeterTerms | None:
        """The terms by which this turn is charged, if metered use has room for it."""
        worst = Micros(self.facts.cost_month + estimate)
        return self.allowance.terms if self.allowance and self.allowance.covers(worst) else None


def judge(case: Case, catalogue: Catalogue) -> Refusal | None:
    """The first limit that the question would break, None if it may be asked."""
    tier, facts = case.tier, case.facts
    if not catalogue.allows(tier, case.spec):
        return refuse(case, catalogue, RefusalReason.MODEL_LOCKED, None)
    if case.short > (case.credits or 0):
        limit = tier.conversations_per_day
        refusal = refuse(case, catalogue, RefusalReason.CONVERSATIONS, limit, next_day(case.now))
        return replace(refusal, credits=case.credits)
    if reached(case.live_turns, tier.turns_per_conversation):
        return refuse(case, catalogue, RefusalReason.TURNS, tier.turns_per_conversation)
    if reached(facts.at_once, tier.concurrent):
        return refuse(case, catalogue, RefusalReason.CONCURRENT, tier.concurrent)
    if reached(len(facts.recent), tier.requests_per_minute):
        free_at = facts.recent[0] + RATE_WINDOW if facts.recent else None
        return refuse(case, catalogue, RefusalReason.RATE, tier.requests_per_minute, free_at)
    return blind(case, catalogue)


def blind(case: Case, catalogue: Catalogue) -> Refusal | None:
    """The refusal of images or scans to a model that takes none, never swapped; with those that do."""
    if case.brings <= case.spec.accepts:
        return None
    blind = Medium.IMAGES in case.brings - case.spec.accepts
    refusal = refuse(case, catalogue, RefusalReason.NO_IMAGES if blind else RefusalReason.NO_PDF, None)
    able = catalogue.taking(case.tier, case.brings)
    return replace(refusal, choices=tuple(spec.name for spec in able))


def reached(count: int, limit: int | None) -> bool:
    """Whether a limit leaves no room for one more."""
    return limit is not None and count >= limit


def refuse(
    case: Case, catalogue: Catalogue, reason: RefusalReason, limit: int | None, until: datetime | None = None
) -> Refusal:
    """The refusal, with the offer that would lift it."""
    offer = catalogue.offer(case.tier, reason, case.spec)
    return Refusal(reason, case.tier.name, limit, until, case.spec.name, offer=offer)


def spent(case: Case, catalogue: Catalogue) -> Refusal:
    """The refusal at the month's vendor cost: the member's own, or their share of a team's."""
    reason = RefusalReason.TEAM_COST if case.tier.shared else RefusalReason.COST
    return refuse(case, catalogue, reason, None, next_month(case.now))


def step(klass: ModelClass) -> int:
    """How many classes are cheaper."""
    return list(ModelClass).index(klass)


def below(klass: ModelClass) -> Sequence[ModelClass]:
    """The cheaper classes, the next one first."""
    return list(ModelClass)[: step(klass)][::-1]


def standing(case: Case) -> Standing:
    """The counts as they are with this turn."""
    facts = case.facts
    return Standing(
        case.tier.name,
        facts.conversations_today + (case.begins - case.short if case.counts else 0),
        case.tier.conversations_per_day,
        case.live_turns + 1,
        case.tier.turns_per_conversation,
        (case.credits or 0) - case.short if case.short else None,
    )


def next_day(now: datetime) -> datetime:
    """The next UTC midnight, when conversations are counted anew."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def next_month(now: datetime) -> datetime:
    """The first UTC midnight of the next month, when cost is counted anew."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)
