"""Asks and answers made-up questions as the chat does: the same two units of work, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from uuid import uuid4

from engine.admission import Admission, Desk, admit
from engine.catalogue import Catalogue
from engine.comparison import admit_comparison
from engine.demo.endings import Ending, Length, Moment, Outage, ending
from engine.demo.people import Character
from engine.demo.talk import Question
from engine.domain import Duplicate, Micros, Offer, Refusal, RefusalReason, Scope, TierName, TurnId
from engine.ledger import Tx
from engine.marks import note_spent
from engine.models import ModelClass, ModelSpec, Usage
from engine.pricing import cost
from engine.settling import write_down
from engine.spending import Purpose, by_scope
from engine.turns import Charge, Settlement

ANSWER = "A made-up answer of the demo."
RATED, GOOD = 0.05, 0.82
CURIOUS, FAITHFUL = 0.07, 0.7
"""Who names a model that they may not use, and how often somebody names their favourite one."""
SUMMED = 6
"""A conversation of more turns is summed up, on the operator's line."""
SUMMARY = Usage(5200, 0, 340)
STAYS = frozenset({RefusalReason.RATE, RefusalReason.CONCURRENT, RefusalReason.MODEL_LOCKED})
"""Refusals after which somebody goes on with their conversation."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What questions are decided on, and what is out of order meanwhile."""

    desk: Desk
    outages: tuple[Outage, ...]
    seed: int

    @property
    def ceilings(self) -> Mapping[Scope, Micros]:
        """Those of the house."""
        return by_scope(self.desk.ceilings)

    def rng(self, question: Question) -> Random:
        """Always the same luck for the same question, however often its unit of work is tried."""
        return Random(f"{self.seed}:ending:{question.ask.key}")  # noqa: S311 - a story, told twice alike


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a question."""

    asker: Character
    at: datetime
    talk: str
    refused: RefusalReason | None = None
    offer: Offer | None = None
    answered: int = 0

    @property
    def ends(self) -> bool:
        """Whether nobody goes on with the conversation after this."""
        return self.refused is not None and self.refused not in STAYS


def tell_all(tx: Tx, scene: Scene, questions: Sequence[Question]) -> Sequence[Told]:
    """Ask these in their order; nobody goes on with a conversation that was refused."""
    told: list[Told] = []
    over: set[str] = set()
    for question in questions:
        if question.talk not in over:
            found = tell(tx, scene, question)
            told.append(found)
            if found.ends:
                over.add(question.talk)
    return told


def tell(tx: Tx, scene: Scene, question: Question) -> Told:
    """Ask one, and write down how it ended."""
    rng, plain = scene.rng(question), Told(question.asker, question.at, question.talk)
    outcome = admitted(tx, scene, question, rng)
    if isinstance(outcome, Refusal):
        return replace(plain, refused=outcome.reason, offer=outcome.offer)
    for admission in outcome:
        specs = [route.spec for route in admission.routes]
        length = Length(question.number, question.asker.pace.weight)
        moment = Moment(question.at, scene.outages, length)
        settle(tx, scene, admission, ending(specs, moment, rng), rng)
        if question.number == SUMMED:
            sum_up(tx, scene.desk.catalogue, question.at)
    return replace(plain, answered=len(outcome))


def admitted(tx: Tx, scene: Scene, question: Question, rng: Random) -> Sequence[Admission] | Refusal:
    """Let it in as the chat would."""
    if question.compares:
        both = admit_comparison(tx, scene.desk, question.ask, (), question.at)
        return () if isinstance(both, Duplicate) else both
    ask = replace(question.ask, model=wished(tx, scene, question, rng))
    outcome = admit(tx, scene.desk, ask, TurnId(uuid4().hex), question.at)
    if isinstance(outcome, Refusal):
        return outcome
    return () if isinstance(outcome, Duplicate) else (outcome,)


def wished(tx: Tx, scene: Scene, question: Question, rng: Random) -> str | None:
    """The model that somebody names in the question, now and then one that they may not use."""
    if question.wish is None:
        return None
    names = [spec.name for spec in scene.desk.catalogue.models if spec.klass is question.wish]
    curious = question.number == 0 and rng.random() < CURIOUS
    if not names or not (curious or pays_for(tx, scene.desk, question, question.wish)):
        return None
    favourite = question.asker.number % len(names)
    return names[favourite] if rng.random() < FAITHFUL else rng.choice(names)


def pays_for(tx: Tx, desk: Desk, question: Question, klass: ModelClass) -> bool:
    """Whether the last tier that somebody was told of has that class."""
    account = tx.find_account(question.asker.person)
    if account is None:
        return False
    seat = tx.membership(account.id, desk.mode)
    changes = tx.tier_changes(seat.owner if seat else account.id)
    tier = changes[-1].after if changes else TierName.FREE
    return klass in desk.catalogue.tier(tier).classes


def settle(tx: Tx, scene: Scene, admission: Admission, end: Ending, rng: Random) -> None:
    """Write a turn down as the chat does, and what its member thinks of it."""
    at = admission.admitted_at + timedelta(seconds=end.seconds)
    known = [charge.cost for charge in end.charges if charge.cost is not None]
    whole = Micros(sum(known)) if len(known) == len(end.charges) else None
    answer = ANSWER if end.answered else ""
    usage = end.charges[-1].usage if end.charges else Usage()
    settlement = Settlement(end.spec.name, answer, usage, whole, end.outcome, at, end.charges, end.calls)
    write_down(tx, admission, settlement)
    note_spent(tx, scene.ceilings, admission.payer, end.charges, admission.admitted_at, at)
    if end.answered and rng.random() < RATED:
        tx.rate(admission.turn, admission.payer.account, good=rng.random() < GOOD)


def sum_up(tx: Tx, catalogue: Catalogue, at: datetime) -> None:
    """What summing up a long conversation costs the operator."""
    spec = cheapest(catalogue)
    if spec:
        charge = Charge(spec.name, spec.provider, SUMMARY, cost(spec.price, SUMMARY))
        tx.charge_house(charge, Purpose.SUMMARY, at)


def cheapest(catalogue: Catalogue) -> ModelSpec | None:
    """The first everyday model with a price."""
    everyday = (spec for spec in catalogue.models if spec.klass is ModelClass.EVERYDAY and spec.price)
    return next(everyday, None)
