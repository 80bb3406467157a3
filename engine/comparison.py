"""The first transaction of a comparison: one question, a conversation for each model, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import uuid4

from engine import limits, places, routing
from engine.admission import (
    Admission,
    Counter,
    Desk,
    begin,
    composed,
    count_at,
    hold_for,
    note_refusal,
    open_counter,
    unknown,
)
from engine.branches import Origin, written
from engine.credits import MOST_BEGUN
from engine.domain import Ask, Duplicate, Micros, Refusal, RefusalReason, Tier, TurnId
from engine.ledger import Tx
from engine.means import Room, Shortfall, closed
from engine.models import Message, ModelSpec
from engine.reserve import reserved
from engine.routing import Route

FEWEST, MOST = 2, MOST_BEGUN
"""Models that can be compared: more than four cannot be read side by side, whatever a tier allows."""

Admissions = tuple[Admission, ...]


def admit_comparison(
    tx: Tx, desk: Desk, ask: Ask, models: Sequence[str], now: datetime
) -> Admissions | Refusal | Duplicate:
    """Decide about a comparison under its account's lock; without `models` they are chosen for the member.

    Each model's turn is held in a conversation of its own and each is counted, but together they are one
    question of the minute and one answer at once. Nothing is bound to the place before the member keeps one.
    """
    if not tx.claim(ask.key, now):
        return Duplicate()
    account = tx.lock_account(ask.person, now)
    counter = open_counter(tx, desk, account, ask, now)
    if isinstance(counter, Refusal):
        note_refusal(tx, desk, account, counter, now)
        return counter
    named = (replace(ask, model=name) for name in models)
    barred = (places.barred(desk.catalogue, counter.rules, counter.tier, each) for each in named)
    outcome = next(filter(None, barred), None) or decide(tx, counter, ask, models)
    if isinstance(outcome, Refusal):
        note_refusal(tx, desk, account, outcome, now)
    return outcome


def decide(tx: Tx, counter: Counter, ask: Ask, models: Sequence[str]) -> Admissions | Refusal:
    """The same for a comparison that was not taken before."""
    specs = compared(counter, ask, models)
    if isinstance(specs, Refusal):
        return specs
    start = Origin(ask, written(ask))
    cases = [replace(counter.case(spec, start), begins=len(specs)) for spec in specs]
    if refusal := next(filter(None, (limits.judge(case, counter.desk.catalogue) for case in cases)), None):
        return refusal
    routes = routed(counter, cases, start.prompt)
    if isinstance(routes, Refusal):
        return routes
    if drained := counter.drained(tx, cases[0]):
        return drained
    room = counter.room(tx)
    routes = affordable(tx, counter, cases, routes, start, room)
    if isinstance(routes, Refusal):
        return routes
    table = Table(counter, start, room, uuid4().hex, total(routes))
    return tuple(
        held(tx, table, route, replace(case, begins=number))
        for number, (case, route) in enumerate(zip(cases, routes, strict=True), start=1)
    )


def compared(counter: Counter, ask: Ask, models: Sequence[str]) -> tuple[ModelSpec, ...] | Refusal:
    """The models of a comparison, or why there is none."""
    catalogue, tier = counter.desk.catalogue, counter.tier
    if not (ask.text.strip() or ask.attachments):
        return Refusal(RefusalReason.EMPTY, tier.name)
    if not models and allowed(tier) >= FEWEST:
        chosen = suggested(counter)
        return chosen if len(chosen) >= FEWEST else Refusal(RefusalReason.TOO_FEW, tier.name)
    found = dict.fromkeys(catalogue.find(name) or name for name in models)
    if wrong := next((name for name in found if isinstance(name, str)), None):
        return unknown(catalogue, tier, wrong)
    specs = tuple(spec for spec in found if isinstance(spec, ModelSpec))
    for spec in specs:
        if paused := counter.pauses.refusal_of(catalogue, tier, [spec.name]):
            return paused
    count = max(FEWEST, len(specs))
    if count > allowed(tier):
        offer = catalogue.cheapest(tier, lambda other: allowed(other) >= count)
        return Refusal(RefusalReason.COMPARE, tier.name, allowed(tier), offer=offer)
    return specs if len(specs) == count else Refusal(RefusalReason.TOO_FEW, tier.name)


def allowed(tier: Tier) -> int:
    """How many models a tier may compare."""
    return MOST if tier.compare is None else min(MOST, tier.compare)


def suggested(counter: Counter) -> tuple[ModelSpec, ...]:
    """The member's own model and others beside it: one of each vendor, those of its class first."""
    catalogue, tier = counter.awake, counter.tier
    first = routing.choose(catalogue, tier, None, (counter.account.model,))
    if not isinstance(first, ModelSpec):
        return ()
    alike = sorted(catalogue.allowed(tier), key=lambda spec: spec.klass is not first.klass)
    vendors = {spec.provider: spec for spec in reversed([first, *alike])}
    chosen = dict.fromkeys([first, *(spec for spec in alike if vendors[spec.provider] is spec)])
    more = dict.fromkeys([*chosen, *alike]) if len(chosen) < FEWEST else chosen
    return tuple(islice(more, min(allowed(tier), max(FEWEST, len(chosen)))))


def routed(counter: Counter, cases: Sequence[limits.Case], prompt: Message) -> Sequence[Route] | Refusal:
    """What each model is sent, if all take the question; nothing ever stands in for one."""
    routes: list[Route] = []
    for case in cases:
        found = composed(counter, [case.spec], (), prompt)
        if not found:
            return limits.refuse(case, counter.desk.catalogue, RefusalReason.TOO_LONG, case.spec.context)
        routes += found
    return routes


def affordable(
    tx: Tx,
    counter: Counter,
    cases: Sequence[limits.Case],
    routes: Sequence[Route],
    start: Origin,
    room: Room,
) -> Sequence[Route] | Refusal:
    """These if all are within the means of the member and of the house; who has to know is told if not.

    Where means are short for PDFs as they are, all is decided about their text.
    """
    short = lacking(cases, routes, room)
    less = routed(counter, cases, start.prompt.worded) if short.any and start.prompt.pdfs else routes
    if not isinstance(less, Refusal) and less != routes:
        routes, short = less, lacking(cases, less, room)
    short.tell(tx, room, counter.payer)
    return closed(room, dearest(cases), counter.desk.catalogue, short.house) if short.any else routes


def lacking(cases: Sequence[limits.Case], routes: Sequence[Route], room: Room) -> Shortfall:
    """What stands in the way of all of these together."""
    short, case = Shortfall(), dearest(cases)
    if not case.affords(case.spec.klass, whole := total(routes)):
        short.add_own(whole)
    else:
        short.add(room.lacking(room.all_of(routes)))
    return short


def dearest(cases: Sequence[limits.Case]) -> limits.Case:
    """That of the highest class."""
    return max(cases, key=lambda each: limits.step(each.spec.klass))


def total(routes: Sequence[Route]) -> Micros:
    """The most that all of these may cost together."""
    return Micros(sum(reserved((route,)) for route in routes))


@dataclass(frozen=True, slots=True)
class Table:
    """What the turns of one comparison share."""

    counter: Counter
    start: Origin
    room: Room
    batch: str
    whole: Micros
    """What all of them may cost together."""


def held(tx: Tx, table: Table, route: Route, case: limits.Case) -> Admission:
    """One model's turn, held in a conversation that goes on with that model."""
    counter, turn, now = table.counter, TurnId(uuid4().hex), table.counter.now
    place = begin(tx, counter.account, now, route.spec.name)
    count_at(tx, counter, case, place.id)
    tx.hold(hold_for(counter, place, table.start, turn, (route,), table.room, table.batch))
    standing, budget, metered = limits.standing(case), reserved((route,)), case.metered(table.whole)
    payer, batch = counter.payer, table.batch
    return Admission(turn, place.id, route.spec, (route,), standing, now, budget, payer, metered, batch)
