"""The rules of a place: what they refuse, how they narrow the house's models, and how admins change them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from engine.catalogue import Catalogue, Wares
from engine.domain import Ask, Place, Refusal, RefusalReason, Tier, TierName
from engine.ledger import Tx
from engine.limits import next_day
from engine.models import ModelSpec
from engine.moderating import Moderating
from engine.ports import Clock, Store
from engine.rules import NO_RULES, Rules
from engine.screening import About

PERSONA = "Where this is asked, the admins want you to answer like this, as far as all above allows it:"
PERSONA_LIMIT = 1000
MOST_LISTED = 50


def rules_for(tx: Tx, place: Place | None) -> Rules:
    """What holds where a question is asked; in a DM nothing does."""
    return tx.rules(place) if place else NO_RULES


def narrowed(catalogue: Catalogue, rules: Rules) -> Catalogue:
    """The models that may answer there: for choosing, for fallbacks, and for stepping down."""
    if not rules.models:
        return catalogue
    return replace(catalogue, models=tuple(spec for spec in catalogue.models if spec.name in rules.models))


def barred(catalogue: Catalogue, rules: Rules, tier: Tier, ask: Ask) -> Refusal | None:
    """Why this may not be asked there, by channel, role or model; None if it may.

    A named model that is not allowed is refused, never swapped. If none of those allowed is part of the tier,
    the first one is named as locked.
    """
    place = ask.place
    if place is None:
        return None
    if rules.channels and not set(rules.channels) & set(place.channels):
        return Refusal(RefusalReason.CHANNEL, tier.name, choices=rules.channels)
    if rules.roles and not set(rules.roles) & place.roles:
        return Refusal(RefusalReason.ROLE, tier.name, choices=rules.roles)
    return barred_model(catalogue, rules, tier, ask.model) if rules.models else None


def barred_model(catalogue: Catalogue, rules: Rules, tier: Tier, name: str | None) -> Refusal | None:
    """The same by model, where only some are allowed."""
    here = narrowed(catalogue, rules)
    named = catalogue.find(name) if name else None
    if not here.models or (named and named not in here.models):
        names = tuple(spec.name for spec in here.models)
        wish = named.name if named else None
        return Refusal(RefusalReason.MODEL_HERE, tier.name, model=wish, choices=names)
    if not (name or here.allowed(tier)):
        spec = here.models[0]
        offer = catalogue.offer(tier, RefusalReason.MODEL_LOCKED, spec)
        return Refusal(RefusalReason.MODEL_LOCKED, tier.name, model=spec.name, offer=offer)
    return None


def drained(
    tx: Tx,
    catalogue: Catalogue,
    rules: Rules,
    tier: Tier,
    place: Place | None,
    now: datetime,
    count: int = 1,
) -> Refusal | None:
    """Whether the place's pool has no room for so many more conversations of a free member's.

    Counts under the lock of the place's rules, which nobody takes where there is no pool.
    """
    if place is None or rules.pool is None or tier.name is not TierName.FREE:
        return None
    pool = tx.lock_rules(place).pool
    if pool is None or tx.pooled(place, now.date()) + count <= pool:
        return None
    offer = catalogue.offer(tier, RefusalReason.POOL)
    return Refusal(RefusalReason.POOL, tier.name, pool, next_day(now), offer=offer)


class Listed(StrEnum):
    """The lists among the rules."""

    CHANNELS = "channels"
    ROLES = "roles"
    MODELS = "models"


class Action(StrEnum):
    """What is done about a list."""

    ADD = "add"
    REMOVE = "remove"
    CLEAR = "clear"


class Objection(StrEnum):
    """Why rules are not changed."""

    UNKNOWN_MODEL = "unknown_model"
    NOT_ALLOWED = "not_allowed"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    MODERATED = "moderated"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules of a place as they are now, and how much of its pool is used today."""

    rules: Rules
    pooled: int


Change = Callable[[Rules], Rules | Objection]


class Places:
    """Shows and changes what holds in places."""

    def __init__(
        self, store: Store, clock: Clock, wares: Wares, moderating: Moderating | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._wares = wares
        self._moderating = moderating or Moderating(clock)

    @property
    def catalogue(self) -> Catalogue:
        """What is on sale now."""
        return self._wares.today

    async def models(self, place: Place | None) -> Sequence[ModelSpec]:
        """The models that may answer there; in a DM that is all."""
        rules = await self._store.read(lambda tx: rules_for(tx, place)) if place else NO_RULES
        return narrowed(self.catalogue, rules).models

    async def shown(self, place: Place) -> InForce:
        """What holds there."""
        today = self._clock.now().date()
        return await self._store.read(lambda tx: InForce(tx.rules(place), tx.pooled(place, today)))

    async def change(self, place: Place, change: Change) -> InForce | Objection:
        """Change what holds there; two admins at once change one after the other."""
        today = self._clock.now().date()

        def work(tx: Tx) -> InForce | Objection:
            rules = change(tx.lock_rules(place))
            if isinstance(rules, Objection):
                return rules
            tx.save_rules(place, rules)
            return InForce(rules, tx.pooled(place, today))

        return await self._store.transact(work)

    async def give_persona(self, place: Place, text: str) -> InForce | Objection:
        """Give the models there a manner, once it was looked at; an empty text takes it away."""
        if len(text) <= PERSONA_LIMIT and (
            refused := await self._moderating.objection(self._store, About.PERSONA, text)
        ):
            return Objection(refused)
        return await self.change(place, persona(text))

    def listing(self, which: Listed, action: Action, value: str) -> Change:
        """Add to a list, remove from it or clear it; a default model that is allowed no more is dropped."""
        named = self.catalogue.find(value) if which is Listed.MODELS else None

        def change(rules: Rules) -> Rules | Objection:
            if which is Listed.MODELS and action is Action.ADD and named is None:
                return Objection.UNKNOWN_MODEL
            entry = named.name if named else value
            others = tuple(each for each in list_of(rules, which) if each != entry)
            entries = {Action.ADD: (*others, entry), Action.REMOVE: others, Action.CLEAR: ()}[action]
            if len(entries) > MOST_LISTED:
                return Objection.TOO_MANY
            changed = with_list(rules, which, entries)
            kept = not changed.models or changed.model in changed.models
            return changed if kept else replace(changed, model=None)

        return change

    def default(self, name: str | None) -> Change:
        """Let a model answer those who chose none; None leaves that to their tier."""
        spec = self.catalogue.find(name) if name else None

        def change(rules: Rules) -> Rules | Objection:
            if name and spec is None:
                return Objection.UNKNOWN_MODEL
            if spec and rules.models and spec.name not in rules.models:
                return Objection.NOT_ALLOWED
            return replace(rules, model=spec.name if spec else None)

        return change


def list_of(rules: Rules, which: Listed) -> tuple[str, ...]:
    """One of the lists among the rules."""
    return {Listed.CHANNELS: rules.channels, Listed.ROLES: rules.roles, Listed.MODELS: rules.models}[which]


def with_list(rules: Rules, which: Listed, entries: tuple[str, ...]) -> Rules:
    """The rules with another list in place of that one."""
    match which:
        case Listed.CHANNELS:
            return replace(rules, channels=entries)
        case Listed.ROLES:
            return replace(rules, roles=entries)
        case Listed.MODELS:
            return replace(rules, models=entries)


def persona(text: str) -> Change:
    """Give the models of a place a manner; an empty text takes it away."""

    def change(rules: Rules) -> Rules | Objection:
        return Objection.TOO_LONG if len(text) > PERSONA_LIMIT else replace(rules, persona=text.strip())

    return change


def pool(size: int | None) -> Change:
    """Set how many conversations free members may begin a day, together; None takes the limit away."""
    return lambda rules: replace(rules, pool=size)
