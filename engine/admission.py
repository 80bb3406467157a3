"""The first transaction of a question: claim it, find its conversation, check the limits, hold its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import final
from uuid import uuid4

from engine import limits, overage, places, routing, teams
from engine.branches import Origin, history, origin
from engine.catalogue import Catalogue
from engine.compaction import Growth, growth
from engine.context import OWN_WORDS, compose, instructed, readable
from engine.domain import (
    Account,
    Ask,
    Conversation,
    ConversationId,
    Duplicate,
    KeptId,
    Micros,
    Place,
    Refusal,
    RefusalReason,
    Standing,
    Tier,
    TierName,
    TurnId,
)
from engine.estimates import UNCORRECTED, Corrections
from engine.facts import Mode
from engine.figures import FunnelStep, Reached
from engine.ledger import Tx
from engine.models import Message, ModelSpec
from engine.reserve import reserved
from engine.routing import Route
from engine.rules import Rules
from engine.summaries import NO_SUMMARIES, Summaries
from engine.turns import Exchange, Hold, UsageFacts

LEASE = timedelta(seconds=60)
"""How long a hold outlives its process; renewed while it is alive."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What an admission needs to know of the house."""

    catalogue: Catalogue
    mode: Mode
    system: str
    owner: str
    """This process."""
    metered_markup: Decimal = Decimal(0)
    """USD charged for 1 USD of vendor cost; 0: no metered use."""
    summaries: Summaries = NO_SUMMARIES


@final
@dataclass(frozen=True, slots=True)
class Admission:
    """An admitted question; `routes` has at least one entry, `asked` is the model that was wanted."""

    turn: TurnId
    conversation: ConversationId
    asked: ModelSpec
    routes: tuple[Route, ...]
    standing: Standing
    admitted_at: datetime
    budget: Micros
    """What is held for it: all that its requests together may cost."""
    metered: overage.MeterTerms | None = None
    """By what it is charged beyond the included amount; None: not at all."""
    batch: str | None = None
    """What the questions of one comparison share."""
    kept: KeptId | None = None
    """The question that need not be kept any longer once this is answered."""
    growth: Growth | None = None
    """How far its conversation has grown; None where none is summed up."""


def admit(tx: Tx, desk: Desk, ask: Ask, turn: TurnId, now: datetime) -> Admission | Refusal | Duplicate:
    """Decide about a question under its account's lock; held and counted once this unit is committed."""
    if not tx.claim(ask.key, now):
        return Duplicate()
    account = tx.lock_account(ask.person, now)
    outcome = decide(tx, desk, ask, turn, account, now)
    if isinstance(outcome, Refusal):
        note_offer(tx, desk, account, outcome, now)
    return outcome


def note_offer(tx: Tx, desk: Desk, account: Account, refusal: Refusal, now: datetime) -> None:
    """Write down that somebody is shown what would lift a refusal: every surface shows its buttons."""
    if refusal.offer:
        for step in (FunnelStep.LIMIT_HIT, FunnelStep.PAYWALL_SHOWN):
            tx.reach(Reached(account.id, desk.mode, step, now))


def decide(
    tx: Tx, desk: Desk, ask: Ask, turn: TurnId, account: Account, now: datetime
) -> Admission | Refusal:
    """The same for a question that was not taken before."""
    counter = open_counter(tx, desk, account, ask, now)
    if isinstance(counter, Refusal):
        return counter
    start = origin(tx, account, ask, now)
    if isinstance(start, RefusalReason):
        return Refusal(start, counter.tier.name)
    return taken(tx, counter, start, turn)


def taken(tx: Tx, counter: Counter, start: Origin, turn: TurnId) -> Admission | Refusal:
    """The same for a question with its origin."""
    spec = wanted(counter, start)
    if isinstance(spec, Refusal):
        return spec
    case = counter.case(spec, start)
    if refusal := limits.judge(case, counter.desk.catalogue):
        return refusal
    said = history(tx, start, readable(counter.asked(spec)))
    routed = route(counter, case, said, start.prompt)
    if isinstance(routed, Refusal):
        return routed
    if drained := counter.drained(tx, case):
        return drained
    account, ask, now = counter.account.id, start.ask, counter.now
    place = start.conversation or begin(tx, counter.account, now)
    count_at(tx, counter, case, place.id)
    tx.hold(hold_for(counter, place, start, turn, routed))
    tx.bind(account, place.id, ask.anchors)
    if ask.message:
        tx.bind(account, place.id, [ask.message], turn)
    budget, standing = reserved(routed), limits.standing(case)
    grown = growth(said, routed, counter.desk.catalogue, counter.desk.summaries)
    metered = case.metered(budget)
    return Admission(turn, place.id, spec, routed, standing, now, budget, metered, growth=grown)


@dataclass(frozen=True, slots=True)
class Counter:
    """An account before the limits, locked: what it may do now and has done so far."""

    desk: Desk
    """As it is where the question is asked."""
    account: Account
    place: Place | None
    rules: Rules
    tier: Tier
    facts: UsageFacts
    allowance: overage.Allowance | None
    now: datetime
    corrections: Corrections = field(default_factory=dict)

    @property
    def system(self) -> str:
        """The house's instructions, then the member's."""
        return instructed(self.desk.system, (OWN_WORDS, self.account.instructions))

    def drained(self, tx: Tx, case: limits.Case) -> Refusal | None:
        """Whether the pool of the place has no room for what would be counted."""
        if not case.counts:
            return None
        catalogue, tier, where, now = self.desk.catalogue, self.tier, self.place, self.now
        return places.drained(tx, catalogue, self.rules, tier, where, now, case.begins)

    def asked(self, spec: ModelSpec) -> Sequence[ModelSpec]:
        """The models that may come to be asked instead of that one, itself included."""
        catalogue = self.desk.catalogue
        return (*routing.candidates(catalogue, self.tier, spec), *catalogue.allowed(self.tier))

    def case(self, spec: ModelSpec, start: Origin) -> limits.Case:
        """One question to one model."""
        images = bool(start.prompt.images)
        return limits.Case(self.tier, spec, self.facts, start.live_turns, self.now, self.allowance, images)


def open_counter(tx: Tx, desk: Desk, account: Account, ask: Ask, now: datetime) -> Counter | Refusal:
    """Read what limits are decided on, without turns whose process is gone; a refusal where none may ask."""
    tx.release_expired(now, account.id)
    found = teams.access_of(tx, desk.catalogue, account.id, desk.mode, now)
    tier = desk.catalogue.tier(found.tier)
    rules = places.rules_for(tx, ask.place)
    if barred := places.barred(desk.catalogue, rules, tier, ask):
        return barred
    more = overage.allowance(tx, account.id, desk.mode, found, tier, desk.metered_markup, now)
    here = local(desk, rules)
    usage = tx.usage(account.id, now)
    return Counter(here, account, ask.place, rules, tier, usage, more, now, tx.corrections())


def local(desk: Desk, rules: Rules) -> Desk:
    """The house as it is where certain rules hold: with fewer models, and the place's persona."""
    system = instructed(desk.system, (places.PERSONA, rules.persona))
    return replace(desk, catalogue=places.narrowed(desk.catalogue, rules), system=system)


def count_at(tx: Tx, counter: Counter, case: limits.Case, conversation: ConversationId) -> None:
    """Note in which place a conversation that is counted anew was begun."""
    if case.counts and counter.place:
        tx.begun_at(conversation, counter.place, free=counter.tier.name is TierName.FREE)


def wanted(counter: Counter, start: Origin) -> ModelSpec | Refusal:
    """The model to ask, or why there is none.

    One named in the question is final; else that of the answer that is redone, of the conversation, of the
    member, of the place, of the tier.
    """
    catalogue, tier = counter.desk.catalogue, counter.tier
    if not (start.prompt.text.strip() or start.prompt.images):
        return Refusal(RefusalReason.EMPTY, tier.name)
    own = start.conversation.model if start.conversation else None
    wishes = (start.again, own, counter.account.model, counter.rules.model)
    spec = routing.choose(catalogue, tier, start.ask.model, wishes)
    return spec if isinstance(spec, ModelSpec) else unknown(catalogue, tier, spec)


def unknown(catalogue: Catalogue, tier: Tier, name: str | None) -> Refusal:
    """There is no model of that name."""
    names = tuple(each.name for each in catalogue.models)
    return Refusal(RefusalReason.UNKNOWN_MODEL, tier.name, model=name, choices=names)


def route(
    counter: Counter, case: limits.Case, said: Sequence[Exchange], prompt: Message
) -> tuple[Route, ...] | Refusal:
    """The models to try with what each is sent, within the month's money."""
    catalogue, tier = counter.desk.catalogue, case.tier
    routes = composed(counter, routing.candidates(catalogue, tier, case.spec), said, prompt)
    if not routes:
        return limits.refuse(case, catalogue, RefusalReason.TOO_LONG, case.spec.context)
    if not case.over_ceiling(reserved(routes)):
        return routes
    cheaper = stepped_down(counter, case, routes, said, prompt)
    goes_on = tier.name is not TierName.FREE or not case.over_ceiling(reserved(cheaper or routes))
    return cheaper if cheaper and goes_on else limits.spent(case, catalogue)


def stepped_down(
    counter: Counter, case: limits.Case, routes: tuple[Route, ...], said: Sequence[Exchange], prompt: Message
) -> tuple[Route, ...]:
    """What is left of the routes at the ceiling, else the first everyday model that takes it, if any."""
    catalogue, tier = counter.desk.catalogue, case.tier
    if not limits.steps_down(tier, case.spec):
        kept = tuple(each for each in routes if not limits.steps_down(tier, each.spec))
        if kept:
            return kept
    return composed(counter, catalogue.everyday(tier), said, prompt)[:1]


def composed(
    counter: Counter, specs: Sequence[ModelSpec], said: Sequence[Exchange], prompt: Message
) -> tuple[Route, ...]:
    """A route for each model that takes what the prompt brings and whose window has room for it."""
    routes: list[Route] = []
    for spec in specs:
        fix = counter.corrections.get((spec.provider, spec.vendor_id), UNCORRECTED)
        completion = compose(spec, counter.system, said, prompt.text, prompt.images, fix)
        if completion and (spec.sees or not prompt.images):
            routes.append(Route(spec, completion, fix))
    return tuple(routes)


def begin(tx: Tx, account: Account, now: datetime, model: str | None = None) -> Conversation:
    """A new conversation of the account, with a model of its own if one is named."""
    conversation = Conversation(ConversationId(uuid4().hex), account.id, now, now, 0, model)
    tx.open_conversation(conversation)
    return conversation


def hold_for(
    counter: Counter,
    place: Conversation,
    start: Origin,
    turn: TurnId,
    routes: tuple[Route, ...],
    batch: str | None = None,
) -> Hold:
    """The hold of an admitted question."""
    return Hold(
        turn=turn,
        account=counter.account.id,
        conversation=place.id,
        key=start.ask.key,
        model=routes[0].spec.name,
        prompt=start.prompt.text,
        estimate=reserved(routes),
        owner=counter.desk.owner,
        started_at=counter.now,
        lease_until=counter.now + LEASE,
        images=start.prompt.images,
        parent=start.parent,
        batch=batch,
    )
