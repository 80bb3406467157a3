"""Sums up the beginnings of long conversations, one at a time, on the operator's line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from engine import compaction, estimates
from engine.admission import Desk
from engine.answering import MAY_CHARGE
from engine.budget import Ceilings
from engine.catalogue import Catalogue
from engine.compaction import Plan
from engine.context import HISTORY_TURNS
from engine.domain import Micros, Scope
from engine.errors import ContextTooLongError, OutsideError, StreamCutError, TryAgainError
from engine.estimates import UNCORRECTED
from engine.ledger import Tx
from engine.marks import note_house
from engine.means import FREE_PART
from engine.models import NO_USAGE, Finish, Finished, ModelSpec, TextDelta, Usage
from engine.outlay import ended
from engine.pauses import ALL
from engine.pausing import Pauses
from engine.ports import Clock, Model, Store
from engine.pricing import cost
from engine.reserve import worst
from engine.spending import Purpose, by_scope, scopes
from engine.subscriptions import retry_in
from engine.summaries import OwedSummary
from engine.tallies import called
from engine.turns import Call, CallEnd, Charge, TurnState

log = logging.getLogger("engine.summarising")

LEASE = timedelta(minutes=3)
SECONDS = 120.0
"""For one try; less than the lease."""
TRIES = 4
RESTS = timedelta(days=1)
"""How long a conversation is owed no summary after one was given up."""
NO_MONEY_RESTS = PAUSE_RESTS = timedelta(hours=1)
READ_TURNS = 5 * HISTORY_TURNS


@dataclass(slots=True)
class Try:
    """One request for a summary, and what came of it."""

    task: OwedSummary
    plan: Plan
    text: list[str] = field(default_factory=list)
    usage: Usage | None = None
    """None while the vendor has not said."""
    began_at: datetime | None = None
    spoke_at: datetime | None = None

    def went(self, how: CallEnd, now: datetime) -> Call:
        """How its request went, ended at `now`."""
        spec, began = self.plan.route.spec, self.began_at or now
        first = self.spoke_at - began if self.spoke_at else None
        return Call(spec.provider, spec.name, how, began, now - began, first)

    def charge(self) -> Charge:
        """What it cost; as long as the vendor has not said, the most that it may have come to."""
        spec, most = self.plan.route.spec, held(self.plan)
        return replace(most, usage=self.usage, cost=cost(spec.price, self.usage)) if self.usage else most


class Summarising:
    """Takes what is owed; what a crash interrupts is done again by whoever claims it next."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        models: Mapping[str, Model],
        desk: Callable[[], Desk],
    ) -> None:
        self._store = store
        self._clock = clock
        self._models = models
        self._desk = desk

    async def work(self) -> int:
        """Do what is due longest; how many were taken."""
        desk, now, token = self._desk(), self._clock.now(), uuid4().hex
        if not desk.summaries.on:
            return 0
        taken = await self._store.transact(lambda tx: take(tx, desk.catalogue, desk.ceilings, now, token))
        if isinstance(taken, Try):
            await self._perform(taken)
        return 1 if taken else 0

    async def _perform(self, tried: Try) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._read(tried)
        except (OutsideError, TimeoutError) as error:
            await self._failed(tried, error)
        else:
            await self._made(tried)

    async def _read(self, tried: Try) -> None:
        route, tried.began_at = tried.plan.route, self._clock.now()
        async with aclosing(self._models[route.spec.provider].stream(route.completion)) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TextDelta):
                    tried.spoke_at = tried.spoke_at or self._clock.now()
                    tried.text.append(chunk.text)
                elif isinstance(chunk, Finished):
                    tried.usage = chunk.usage
                    if chunk.finish is Finish.END and compaction.fits("".join(tried.text), tried.task):
                        return
        raise StreamCutError("no whole summary came")

    async def _made(self, tried: Try) -> None:
        now, text, ceilings = self._clock.now(), "".join(tried.text).strip(), self._desk().ceilings

        def work(tx: Tx) -> None:
            if tx.summary_made(tried.task, tried.plan.reach, text, now):
                settle(tx, tried, ceilings, now)
            tx.tally(*called(tried.went(CallEnd.ANSWERED, now)))

        await self._store.transact(work)

    async def _failed(self, tried: Try, error: Exception) -> None:
        name, now, tries = type(error).__name__, self._clock.now(), tried.task.attempts + 1
        log.warning("summary not made", extra={"conversation": tried.task.conversation, "error": name})
        again = isinstance(error, (TryAgainError, ContextTooLongError, TimeoutError)) and tries < TRIES
        if isinstance(error, OutsideError):
            tried.usage = tried.usage or error.usage
        may_cost = tried.usage or tried.text or isinstance(error, (TimeoutError, *MAY_CHARGE))
        costs, ceilings = may_cost and tried.usage != NO_USAGE, self._desk().ceilings

        def work(tx: Tx) -> None:
            tx.tally(*called(tried.went(ended(error), now)))
            if not tx.asking_summary(tried.task, None):
                return  # overtaken: whoever claimed it since has charged for this try
            if again:
                tx.summary_later(tried.task, now + retry_in(tried.task.attempts), name)
            else:
                tx.summary_given_up(tried.task, now + RESTS, name)
            if costs:
                settle(tx, tried, ceilings, now)
            if isinstance(error, ContextTooLongError):
                estimates.note(tx, [tried.plan.route.reading(None)], now)

        await self._store.transact(work)


def settle(tx: Tx, tried: Try, ceilings: Ceilings, now: datetime) -> None:
    """Write down what a try cost, what its count teaches, and which mark of a ceiling it passed."""
    charge = tried.charge()
    tx.charge_house(charge, Purpose.SUMMARY, now)
    if tried.usage and not tried.usage.estimated:
        estimates.note(tx, [tried.plan.route.reading(tried.usage.input_tokens)], now)
    for scope, ceiling in sorted(binding(ceilings, charge).items()):
        note_house(tx, scope, ceiling, tx.purse(scope, now).spent, now, now)


def take(tx: Tx, catalogue: Catalogue, ceilings: Ceilings, now: datetime, token: str) -> Try | bool:
    """Claim what is due longest and hold what asking for it may cost; True: it is not asked, False: no work.

    What a try before may have cost whose process was lost is charged here.
    """
    task = tx.claim_summary(now, now + LEASE, token)
    if task is None:
        return False
    if task.asked:
        tx.charge_house(task.asked, Purpose.SUMMARY, now)
        tx.asking_summary(task, None)
    if task.attempts >= TRIES:
        tx.summary_given_up(task, now + RESTS, "lost")
        return True
    pauses = Pauses.of(tx.pauses(now))
    if pauses.by_name.get(ALL) or pauses.of_model(task.model):
        tx.summary_given_up(task, now + PAUSE_RESTS, "paused")
        return True
    spec = catalogue.find(task.model)
    planned = plan(tx, task, spec) if spec and spec.price else None
    if planned is None:
        tx.drop_summary(task)
        return True
    charge = held(planned)
    if not affords(tx, ceilings, charge, now):
        tx.summary_given_up(task, now + NO_MONEY_RESTS, "ceiling")
        return True
    tx.asking_summary(task, charge)
    return Try(task, planned)


def plan(tx: Tx, task: OwedSummary, spec: ModelSpec) -> Plan | None:
    """What the model is asked about the way to the turn, if that was settled."""
    tip = tx.turn(task.tip)
    if tip is None or tip.state is not TurnState.SETTLED:
        return None
    fix = tx.corrections().get((spec.provider, spec.vendor_id), UNCORRECTED)
    return compaction.plan(task, tx.history(task.tip, READ_TURNS), spec, fix)


def held(planned: Plan) -> Charge:
    """The most that a request may come to."""
    route = planned.route
    usage = Usage(route.size, 0, route.completion.max_output, estimated=True)
    return Charge(route.spec.name, route.spec.provider, usage, worst(route))


def affords(tx: Tx, ceilings: Ceilings, charge: Charge, now: datetime) -> bool:
    """Whether the ceilings of the house have room for it; the purses stay locked until it is held.

    What is kept back for those who pay when free members pause is not for summaries either.
    """
    limits = binding(ceilings, charge)
    purses = tx.lock_purses(tuple(limits), now) if limits else {}
    return all(
        purses[scope].taken + (charge.cost or 0) <= ceiling * FREE_PART for scope, ceiling in limits.items()
    )


def binding(ceilings: Ceilings, charge: Charge) -> Mapping[Scope, Micros]:
    """The ceilings under which a charge counts."""
    counted = scopes(charge, None)
    return {scope: ceiling for scope, ceiling in by_scope(ceilings).items() if scope in counted}
