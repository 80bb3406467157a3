"""The first transaction of a question: claim it, find its conversation, check the limits, hold its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import final
from uuid import uuid4

from engine import limits, overage, places, routing, teams
from engine.branches import Origin, history, origin
from engine.budget import NO_CEILINGS, Ceilings
from engine.catalogue import Catalogue
from engine.compaction import Growth, growth
from engine.context import OWN_WORDS, compose, instructed, readable, sendable
from engine.credits import begin_on_credit, credits_near
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
from engine.happenings import LIMITS, Happening, HappeningKind
from engine.ledger import Tx
from engine.marks import Payer
from engine.means import Menu, Room, Shortfall, chosen, open_room
from engine.models import Message, ModelSpec
from engine.pausing import NO_PAUSES, Pauses
from engine.reserve import reserved
from engine.routing import Route
from engine.rules import Rules
from engine.sharing import share_of
from engine.summaries import NO_SUMMARIES, Summaries
from engine.tallies import refused
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
    ceilings: Ceilings = NO_CEILINGS
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
    payer: Payer
    """Whose month it is taken off."""
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
        note_refusal(tx, desk, account, outcome, now)
    return outcome


def note_refusal(tx: Tx, desk: Desk, account: Account, refusal: Refusal, now: datetime) -> None:
    """Count a refusal; write down a limit that was hit, and that somebody is shown what would lift it.

    Every surface shows the buttons of an offer.
    """
    tx.tally(refused(refusal.tier, refusal.reason, now))
    hit = Happening(
        HappeningKind.LIMIT_HIT,
        account.id,
        desk.mode,
        now,
        account.person.platform,
        refusal.tier,
        refusal.reason,
        refusal.model or "",
    )
    if refusal.reason in LIMITS:
        tx.happened(hit)
    if refusal.offer:
        tx.happened(replace(hit, kind=HappeningKind.PAYWALL_SHOWN))
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
    found = menu(counter, case, said, start.prompt)
    if isinstance(found, Refusal):
        return found
    if drained := counter.drained(tx, case):
        return drained
    room = counter.room(tx)
    in_words = partial(menu, counter, case, [replace(each, pdfs=()) for each in said], start.prompt.worded)
    routed = afforded(tx, counter, found, in_words, room)
    if isinstance(routed, Refusal):
        return routed
    grown = growth(said, routed, counter.desk.catalogue, counter.desk.summaries)
    return let_in(tx, counter, case, start, turn, room, routed, grown)


def let_in(
    tx: Tx,
    counter: Counter,
    case: limits.Case,
    start: Origin,
    turn: TurnId,
    room: Room,
    routes: tuple[Route, ...],
    grown: Growth | None,
) -> Admission:
    """Hold the turn and bind its conversation to where it was asked."""
    account, ask, now = counter.account, start.ask, counter.now
    place = start.conversation or begin(tx, account, now)
    count_at(tx, counter, case, place.id)
    if case.counts and not case.short and start.conversation:
        tx.begin_within(place.id)
    tx.hold(hold_for(counter, place, start, turn, routes, room))
    tx.bind(account.id, place.id, ask.anchors)
    if ask.message:
        tx.bind(account.id, place.id, [ask.message], turn)
    budget, standing = reserved(routes), limits.standing(case)
    payer, metered = counter.payer, case.metered(budget)
    return Admission(turn, place.id, case.spec, routes, standing, now, budget, payer, metered, growth=grown)


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
    corrections: Corrections
    payer: Payer
    paid: Micros
    """What of the month's cost is on the meter's bill."""
    credits: int | None
    """Conversations beyond the daily limit that may be begun, where it is near; None: none were given."""
    pauses: Pauses = NO_PAUSES

    @property
    def awake(self) -> Catalogue:
        """The models that are not paused."""
        return self.pauses.awake(self.desk.catalogue)

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
        brings, facts, turns, more = start.prompt.brings, self.facts, start.live_turns, self.allowance
        return limits.Case(self.tier, spec, facts, turns, self.now, more, brings, 1, self.paid, self.credits)

    def room(self, tx: Tx) -> Room:
        """What the house's ceilings leave; locks them, so it comes after all other locks."""
        return open_room(tx, self.desk.ceilings, self.desk.catalogue, self.tier, self.now)


def open_counter(tx: Tx, desk: Desk, account: Account, ask: Ask, now: datetime) -> Counter | Refusal:
    """Read what limits are decided on, without turns whose process is gone; a refusal where none may ask."""
    if account.blocked_at:
        return Refusal(RefusalReason.BLOCKED, TierName.FREE)
    tx.release_expired(now, account.id)
    found = teams.access_of(tx, desk.catalogue, account.id, desk.mode, now)
    tier = desk.catalogue.tier(found.tier)
    pauses = Pauses.of(tx.pauses(now)) if account.house_pauses else NO_PAUSES
    if paused := pauses.refusal(desk.catalogue, tier):
        return paused
    rules = places.rules_for(tx, ask.place)
    if barred := places.barred(desk.catalogue, rules, tier, ask):
        return barred
    more = overage.allowance(tx, account.id, desk.mode, found, tier, desk.metered_markup, now)
    share = share_of(tx, desk.catalogue, found, account.id, desk.mode, now, lock=True)
    here, usage, fixes = local(desk, rules), tx.usage(account.id, now), tx.corrections()
    paid = overage.paid(tx, account.id, desk.mode, tier, usage.cost_month, now)
    if share:
        tier, usage = share.own, replace(usage, cost_month=share.used)
    payer = Payer(account.id, ask.person, desk.mode, tier, more is not None, share)
    given = credits_near(tx, account.id, desk.mode, tier, usage, now)
    return Counter(here, account, ask.place, rules, tier, usage, more, now, fixes, payer, paid, given, pauses)


def local(desk: Desk, rules: Rules) -> Desk:
    """The house as it is where certain rules hold: with fewer models, and the place's persona."""
    system = instructed(desk.system, (places.PERSONA, rules.persona))
    return replace(desk, catalogue=places.narrowed(desk.catalogue, rules), system=system)


def count_at(tx: Tx, counter: Counter, case: limits.Case, conversation: ConversationId) -> None:
    """Note on which credit and in which place a conversation that is counted anew was begun."""
    if case.short:
        begin_on_credit(tx, counter.account.id, counter.desk.mode, conversation, counter.now)
    if case.counts and counter.place:
        tx.begun_at(conversation, counter.place, free=counter.tier.name is TierName.FREE)


def wanted(counter: Counter, start: Origin) -> ModelSpec | Refusal:
    """The model to ask, or why there is none.

    One named in the question is final; else that of the answer that is redone, of the conversation, of the
    member, of the place, of the tier, for which another one stands in while it is paused.
    """
    catalogue, tier = counter.desk.catalogue, counter.tier
    if not (start.prompt.text.strip() or start.prompt.images):
        return Refusal(RefusalReason.EMPTY, tier.name)
    own = start.conversation.model if start.conversation else None
    usual = counter.awake.default(tier) or catalogue.default(tier)
    wishes = (start.again, own, counter.account.model, counter.rules.model, usual.name if usual else None)
    spec = routing.choose(catalogue, tier, start.ask.model, wishes)
    return spec if isinstance(spec, ModelSpec) else unknown(catalogue, tier, spec)


def unknown(catalogue: Catalogue, tier: Tier, name: str | None) -> Refusal:
    """There is no model of that name."""
    names = tuple(each.name for each in catalogue.models)
    return Refusal(RefusalReason.UNKNOWN_MODEL, tier.name, model=name, choices=names)


def menu(counter: Counter, case: limits.Case, said: Sequence[Exchange], prompt: Message) -> Menu | Refusal:
    """The models that could answer a question, with what each would be sent."""
    catalogue = counter.desk.catalogue

    def serve(specs: Sequence[ModelSpec]) -> tuple[Route, ...]:
        return composed(counter, specs, said, prompt)

    wished = routing.candidates(catalogue, case.tier, case.spec)
    if paused := counter.pauses.refusal_of(catalogue, case.tier, [spec.name for spec in wished]):
        return paused
    asked = serve(wished)
    if not asked:
        return limits.refuse(case, catalogue, RefusalReason.TOO_LONG, case.spec.context)
    return Menu(catalogue, case, asked, serve)


def afforded(
    tx: Tx, counter: Counter, found: Menu, in_words: Callable[[], Menu | Refusal], room: Room
) -> tuple[Route, ...] | Refusal:
    """The models that answer it within the means of the member and of the house; who has to know is told.

    Where these are short for PDFs as they are, all is decided about their text.
    """
    short = Shortfall()
    routes = chosen(found, room, short)
    if short.any and isinstance(less := in_words(), Menu) and less.asked != found.asked:
        short = Shortfall()
        routes = chosen(less, room, short)
    short.tell(tx, room, counter.payer)
    return routes


def composed(
    counter: Counter, specs: Sequence[ModelSpec], said: Sequence[Exchange], prompt: Message
) -> tuple[Route, ...]:
    """A route for each model that is not paused, takes what the prompt brings and has room for it."""
    routes: list[Route] = []
    for spec in specs:
        if counter.pauses.of_model(spec.name):
            continue
        fix = counter.corrections.get((spec.provider, spec.vendor_id), UNCORRECTED)
        completion = compose(spec, counter.system, said, prompt.text, prompt.images, fix, prompt.pdfs)
        if completion and prompt.brings <= spec.accepts:
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
    room: Room,
    batch: str | None = None,
) -> Hold:
    """The hold of an admitted question; PDFs are kept only as far as some model could be sent them."""
    pdfs = sendable(start.prompt) if any(spec.reads for spec in counter.desk.catalogue.models) else ()
    whole = reserved(routes)
    return Hold(
        turn=turn,
        account=counter.account.id,
        conversation=place.id,
        key=start.ask.key,
        model=routes[0].spec.name,
        prompt=start.prompt.text,
        estimate=whole,
        owner=counter.desk.owner,
        started_at=counter.now,
        lease_until=counter.now + LEASE,
        images=start.prompt.images,
        pdfs=pdfs,
        parent=start.parent,
        batch=batch,
        purse=counter.payer.purse,
        reserved={**room.needs(routes), **counter.payer.reserved(whole)},
        provider=routes[0].spec.provider,
        tier=counter.tier.name,
    )
