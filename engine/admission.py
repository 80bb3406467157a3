"""The first transaction of a question: claim it, find its conversation, check the limits, hold its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from engine import enclosures, limits, overage, places, routing
from engine.catalogue import Catalogue, access
from engine.context import HISTORY_TURNS, compose, instructed, size
from engine.domain import (
    Account,
    Ask,
    Completion,
    Conversation,
    ConversationId,
    Duplicate,
    Message,
    Micros,
    ModelSpec,
    Refusal,
    RefusalReason,
    Role,
    Standing,
    Tier,
    TierName,
    TurnId,
)
from engine.facts import Mode
from engine.figures import FunnelStep, Reached
from engine.ledger import Tx
from engine.pricing import most
from engine.rules import Rules
from engine.turns import DM_IDLE, Exchange, Hold

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


@dataclass(frozen=True, slots=True)
class Route:
    """One model that may answer, with what it would be sent."""

    spec: ModelSpec
    completion: Completion


@dataclass(frozen=True, slots=True)
class Admission:
    """An admitted question; `routes` has at least one entry, `asked` is the model that was wanted."""

    turn: TurnId
    conversation: ConversationId
    asked: ModelSpec
    routes: tuple[Route, ...]
    standing: Standing
    metered: overage.MeterTerms | None = None
    """By what it is charged beyond the included amount; None: not at all."""


def admit(tx: Tx, desk: Desk, ask: Ask, turn: TurnId, now: datetime) -> Admission | Refusal | Duplicate:
    """Decide about a question under its account's lock; held and counted once this unit is committed."""
    if not tx.claim(ask.key, now):
        return Duplicate()
    account = tx.lock_account(ask.person, now)
    outcome = decide(tx, desk, ask, turn, account, now)
    if isinstance(outcome, Refusal) and outcome.offer:  # every surface shows it with its buttons
        for step in (FunnelStep.LIMIT_HIT, FunnelStep.PAYWALL_SHOWN):
            tx.reach(Reached(account.id, desk.mode, step, now))
    return outcome


def decide(
    tx: Tx, desk: Desk, ask: Ask, turn: TurnId, account: Account, now: datetime
) -> Admission | Refusal:
    """The same for a question that was not taken before."""
    tx.release_expired(now, account.id)
    found = access(tx.subscriptions(account.id, desk.mode), now, tx.claims(account.id, desk.mode))
    tier = desk.catalogue.tier(found.tier)
    rules = places.rules_for(tx, ask.place)
    if barred := places.barred(desk.catalogue, rules, tier, ask):
        return barred
    desk = local(desk, rules)
    spec = wanted(desk.catalogue, tier, ask, account, rules)
    if isinstance(spec, Refusal):
        return spec
    conversation = current(tx, account, ask, now)
    live = conversation.live_turns if conversation else 0
    more = overage.allowance(tx, account.id, desk.mode, found, tier, desk.metered_markup, now)
    images = enclosures.images(ask.attachments)
    case = limits.Case(tier, spec, tx.usage(account.id, now), live, now, more, bool(images))
    if refusal := limits.judge(case, desk.catalogue):
        return refusal
    history = tx.history(conversation.id, HISTORY_TURNS) if conversation else ()
    prompt = enclosures.told(ask.text, ask.attachments)
    routed = route(desk, case, history, Message(Role.USER, prompt, images))
    if isinstance(routed, Refusal):
        return routed
    if case.counts and (drained := places.drained(tx, desk.catalogue, rules, tier, ask.place, now)):
        return drained
    place = conversation or begin(tx, account, now)
    if case.counts and ask.place:
        tx.begun_at(place.id, ask.place, free=tier.name is TierName.FREE)
    tx.bind(account.id, place.id, ask.anchors)
    tx.hold(hold_for(desk, account, place, ask, turn, routed, now))
    return Admission(turn, place.id, spec, routed, limits.standing(case), case.metered(dearest(routed)))


def local(desk: Desk, rules: Rules) -> Desk:
    """The house as it is where certain rules hold: with fewer models, and the place's persona."""
    system = instructed(desk.system, (places.PERSONA, rules.persona))
    return replace(desk, catalogue=places.narrowed(desk.catalogue, rules), system=system)


def wanted(catalogue: Catalogue, tier: Tier, ask: Ask, account: Account, rules: Rules) -> ModelSpec | Refusal:
    """The model to ask, or why there is none."""
    if not (ask.text.strip() or ask.attachments):
        return Refusal(RefusalReason.EMPTY, tier.name)
    spec = routing.choose(catalogue, tier, ask.model, (account.model, rules.model))
    if isinstance(spec, ModelSpec):
        return spec
    names = tuple(each.name for each in catalogue.models)
    return Refusal(RefusalReason.UNKNOWN_MODEL, tier.name, model=spec, choices=names)


def current(tx: Tx, account: Account, ask: Ask, now: datetime) -> Conversation | None:
    """The conversation that the question continues; a DM that rested too long begins a new one."""
    found = tx.find_conversation(account.id, ask.anchors) if ask.anchors else None
    if found and ask.dm and now - found.last_at >= DM_IDLE:
        return None
    return found


def route(
    desk: Desk, case: limits.Case, history: Sequence[Exchange], prompt: Message
) -> tuple[Route, ...] | Refusal:
    """The models to try with what each is sent, within the month's money."""
    catalogue, tier = desk.catalogue, case.tier
    routes = composed(desk, routing.candidates(catalogue, tier, case.spec), history, prompt)
    if not routes:
        return limits.refuse(case, catalogue, RefusalReason.TOO_LONG, case.spec.context)
    if not case.over_ceiling(dearest(routes)):
        return routes
    steps_down = limits.steps_down(tier, case.spec)
    cheaper = catalogue.step_down(tier, images=case.images) if steps_down else None
    if cheaper:
        return composed(desk, [cheaper], history, prompt) or routes
    if tier.name is TierName.FREE or (steps_down and case.images):
        until = limits.next_month(case.now)
        return limits.refuse(case, catalogue, RefusalReason.COST, None, until)
    return routes


def composed(
    desk: Desk, specs: Sequence[ModelSpec], history: Sequence[Exchange], prompt: Message
) -> tuple[Route, ...]:
    """A route for each model that takes what the prompt brings and whose window has room for it."""
    able = (spec for spec in specs if spec.sees or not prompt.images)
    pairs = ((spec, compose(spec, desk.system, history, prompt.text, prompt.images)) for spec in able)
    return tuple(Route(spec, completion) for spec, completion in pairs if completion)


def dearest(routes: Sequence[Route]) -> Micros:
    """The most that any of these may cost, in micro-dollars."""
    return max(most(r.spec, size(r.completion), r.completion.max_output) for r in routes)


def begin(tx: Tx, account: Account, now: datetime) -> Conversation:
    """A new conversation of the account."""
    conversation = Conversation(ConversationId(uuid4().hex), account.id, now, now, 0)
    tx.open_conversation(conversation)
    return conversation


def hold_for(
    desk: Desk,
    account: Account,
    place: Conversation,
    ask: Ask,
    turn: TurnId,
    routes: tuple[Route, ...],
    now: datetime,
) -> Hold:
    """The hold of an admitted question."""
    return Hold(
        turn=turn,
        account=account.id,
        conversation=place.id,
        key=ask.key,
        model=routes[0].spec.name,
        prompt=enclosures.told(ask.text, ask.attachments),
        estimate=dearest(routes),
        owner=desk.owner,
        started_at=now,
        lease_until=now + LEASE,
        images=enclosures.images(ask.attachments),
    )
