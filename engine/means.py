"""Whether an answer lies within the means of the member and of the house, and what is left where not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from engine import limits, routing
from engine.budget import Ceilings
from engine.catalogue import Catalogue
from engine.domain import Micros, Refusal, RefusalReason, Scope, Tier, TierName
from engine.ledger import Tx
from engine.marks import Payer, note_house, note_member
from engine.models import ModelClass, ModelSpec
from engine.reserve import reserved
from engine.routing import Route
from engine.spending import BOT, FREE, Purse, by_scope, is_vendor, monthly, vendor

FREE_PART = Fraction(9, 10)
"""Of the bot's and a vendor's ceiling: beyond it free members pause, and what is left is for who pays."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the ceilings of the house leave for one question, read under their locks."""

    ceilings: Mapping[Scope, Micros]
    """Those that bind it."""
    purses: Mapping[Scope, Purse]
    free: bool
    now: datetime

    def open_to(self, scope: Scope) -> Micros:
        """How much of a ceiling is there for who asks."""
        ceiling, keeps_back = self.ceilings[scope], self.free and scope != FREE
        return Micros(int(ceiling * FREE_PART)) if keeps_back else ceiling

    def left(self, scope: Scope) -> Micros:
        """What this question may take at most."""
        return Micros(max(0, self.open_to(scope) - self.purses[scope].taken))

    def only_held(self, short: Mapping[Scope, Micros]) -> bool:
        """Whether what lacks is not spent, but held by answers that are being written."""
        return all(self.purses[each].spent + need <= self.open_to(each) for each, need in short.items())

    def would_pay(self, short: Mapping[Scope, Micros]) -> bool:
        """Whether somebody who pays would find what is lacking here."""
        house = {scope: need for scope, need in short.items() if scope != FREE}
        return all(self.purses[scope].taken + need <= self.ceilings[scope] for scope, need in house.items())

    def needs(self, routes: Sequence[Route]) -> dict[Scope, Micros]:
        """What is to be held for these in each scope: the whole, and of a vendor what its models may take."""
        if not self.ceilings:
            return {}
        whole = reserved(routes)
        parts: Counter[Scope] = Counter()
        for route in routes:
            parts[vendor(route.spec.provider)] += alone(route)
        needs = {each: min(whole, parts[each]) if is_vendor(each) else whole for each in self.ceilings}
        return {scope: Micros(need) for scope, need in needs.items() if need}

    def all_of(self, routes: Sequence[Route]) -> dict[Scope, Micros]:
        """The same for models that answer all of them, each for itself."""
        needs = Counter[Scope]()
        for route in routes:
            needs.update(self.needs((route,)))
        return {scope: Micros(need) for scope, need in needs.items()}

    def lacking(self, needs: Mapping[Scope, Micros]) -> dict[Scope, Micros]:
        """Of these needs those for which too little is left."""
        return {scope: need for scope, need in needs.items() if need > self.left(scope)}

    def stocked(self, routes: Sequence[Route]) -> tuple[Route, ...]:
        """Those whose vendors have room for what they may take, the first ones first."""
        kept: list[Route] = []
        for route in routes:
            scope = vendor(route.spec.provider)
            rivals = (each for each in (*kept, route) if each.spec.provider == route.spec.provider)
            if scope not in self.ceilings or sum(map(alone, rivals)) <= self.left(scope):
                kept.append(route)
        return tuple(kept)


def alone(route: Route) -> Micros:
    """What would be held for one model without the others."""
    return reserved((route,))


def open_room(tx: Tx, ceilings: Ceilings, catalogue: Catalogue, tier: Tier, now: datetime) -> Room:
    """Lock what binds a question of that tier, and read it; where nothing does, no lock is taken."""
    free = tier.name is TierName.FREE
    vendors = {vendor(spec.provider) for spec in catalogue.allowed(tier)}
    asked = {BOT, *vendors, *((FREE,) if free else ())}
    binding = {scope: each for scope, each in by_scope(ceilings).items() if scope in asked}
    return Room(binding, tx.lock_purses(tuple(binding), now) if binding else {}, free, now)


@dataclass(frozen=True, slots=True)
class Menu:
    """A question, and the models that could answer it."""

    catalogue: Catalogue
    case: limits.Case
    asked: tuple[Route, ...]
    """The model that was asked for and its fallbacks, as far as they take the question."""
    serve: Callable[[Sequence[ModelSpec]], tuple[Route, ...]]
    """A route for each model that takes it."""


@dataclass(slots=True)
class Shortfall:
    """What stood in the way of the models that were tried."""

    own: Micros | None = None
    """The least that the member's month had no room for."""
    house: dict[Scope, Micros] = field(default_factory=dict)
    """Each scope with the least that was too much."""
    last: dict[Scope, Micros] = field(default_factory=dict)
    """The scopes that stopped the last model which the member could afford."""

    @property
    def any(self) -> bool:
        """Whether anything did."""
        return self.own is not None or bool(self.house)

    def add_own(self, need: Micros) -> None:
        """One more did not fit the member's month."""
        self.own = need if self.own is None else min(need, self.own)

    def add(self, short: Mapping[Scope, Micros]) -> None:
        """One more did not fit the house."""
        for scope, need in short.items():
            self.house[scope] = min(need, self.house.get(scope, need))

    def tell(self, tx: Tx, room: Room, payer: Payer) -> None:
        """Tell what is used up, unless it is only held."""
        for scope, need in sorted(self.house.items()):
            spent, ceiling = room.purses[scope].spent, room.ceilings[scope]
            note_house(tx, scope, ceiling, spent, room.now, room.now, need)
        if self.own is not None:
            note_member(tx, payer, room.now, self.own)


def chosen(menu: Menu, room: Room, short: Shortfall) -> tuple[Route, ...] | Refusal:
    """The first models, downwards from those asked for, that all have the means for; notes who had not."""
    for routes in rungs(menu, short):
        fitting = room.stocked(routes)
        short.add({} if fitting == routes else room.lacking(room.needs(routes)))
        tried = fitting or routes
        if not menu.case.affords(dearest(tried), whole := reserved(tried)):
            short.add_own(whole)
            continue
        lacking = room.lacking(room.needs(tried))
        if fitting and not lacking:
            return fitting
        short.add(lacking)
        short.last = lacking
    return closed(room, menu.case, menu.catalogue, short.last)


def rungs(menu: Menu, short: Shortfall) -> Iterator[tuple[Route, ...]]:
    """What may be tried: what was asked for, its like where its vendor has no room, then each class below."""
    spec = menu.case.spec
    yield menu.asked
    capped = within(spec.klass, menu.asked)
    if capped and capped != menu.asked:
        yield capped
    if not capped or any(map(is_vendor, short.house)):
        yield from standing_in(menu, spec.klass)
    for klass in limits.below(spec.klass):
        if klass is ModelClass.EVERYDAY or short.own is None or menu.case.by_class:
            yield from standing_in(menu, klass)


def standing_in(menu: Menu, klass: ModelClass) -> Iterator[tuple[Route, ...]]:
    """Each other model of a class with its fallbacks of no dearer one."""
    tier = menu.case.tier
    for spec in menu.catalogue.allowed(tier):
        if spec.klass is klass and spec != menu.case.spec:
            routes = menu.serve(routing.candidates(menu.catalogue, tier, spec))
            if cheap := within(klass, routes):
                yield cheap


def within(klass: ModelClass, routes: Sequence[Route]) -> tuple[Route, ...]:
    """Those of no dearer class."""
    return tuple(each for each in routes if limits.step(each.spec.klass) <= limits.step(klass))


def dearest(routes: Sequence[Route]) -> ModelClass:
    """The highest class among them."""
    return max((route.spec.klass for route in routes), key=limits.step)


def closed(room: Room, case: limits.Case, catalogue: Catalogue, short: Mapping[Scope, Micros]) -> Refusal:
    """The refusal where nothing fits; `short` is what lacks in the house, nothing: the member's own month."""
    if not short:
        return limits.spent(case, catalogue)
    if room.only_held(short):
        return limits.refuse(case, catalogue, RefusalReason.BUDGET_HELD, None)
    paying_helps = room.free and room.would_pay(short)
    reason = RefusalReason.FREE_BUDGET if paying_helps else RefusalReason.BUDGET
    until = max(limits.next_month(room.now) if monthly(each) else limits.next_day(room.now) for each in short)
    return limits.refuse(case, catalogue, reason, None, until)
