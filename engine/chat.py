"""One question from admission to settlement, the same for every surface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from engine import estimates
from engine.admission import LEASE, Admission, Desk, admit
from engine.answering import Answering, Patience
from engine.breaker import Breaker
from engine.catalogue import Wares
from engine.comparison import admit_comparison
from engine.domain import (
    Answered,
    Ask,
    ChatEvent,
    ConversationId,
    Delta,
    Duplicate,
    Failed,
    FailureReason,
    Person,
    Redo,
    Refusal,
    RefusalReason,
    Started,
    TierName,
    TurnId,
)
from engine.errors import TryAgainError
from engine.flight import InFlight, merged
from engine.keeping import Keeping
from engine.ledger import Tx
from engine.marks import note_spent
from engine.models import Finish, Thinking
from engine.moderating import Inspection, Moderating
from engine.parcel import Parcel
from engine.ports import Clock, Model, Store
from engine.settling import write_down
from engine.signals import Signals, complaints
from engine.spending import by_scope
from engine.turns import Settlement, TurnState

T = TypeVar("T")
Outcome = TypeVar("Outcome")
SETTLE_TRIES = 5
SETTLE_SECONDS = 3.0


class Chat:
    """Answers questions; owns every answer in flight of this process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        desk: Desk,
        models: Mapping[str, Model],
        signals: Signals,
        patience: Patience | None = None,
        wares: Wares | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """Without `wares` those of the desk never change; without `keeping` no question is kept."""
        self._store = store
        self._clock = clock
        self._desk = desk
        self._wares = wares or desk.catalogue
        self._models = models
        self.signals = signals
        self._patience = patience or Patience()
        self.keeping = keeping or Keeping(store, clock)
        self.moderating = Moderating(clock)
        """Looks at questions; this one at none."""
        self._breaker = Breaker(store, clock, desk.owner)
        self._flight = InFlight()
        self._closing = False

    @property
    def desk(self) -> Desk:
        """What the next question is decided on."""
        return replace(self._desk, catalogue=self._wares.today)

    def refit(self, desk: Desk) -> None:
        """Decide about the questions to come on this; those that were admitted go on as they are."""
        self._desk = desk

    async def ask(self, ask: Ask) -> AsyncGenerator[ChatEvent, None]:
        """Answer a question: Refusal or Duplicate alone, or Started, Deltas and Answered or Failed.

        The last event comes after its turn was settled. Closing the generator, or cancelling its reader, ends
        the model's request and settles what was spent. Read it under `contextlib.aclosing`.
        TryAgainError: the database is away.
        """
        turn, desk, now = TurnId(uuid4().hex), self.desk, self._clock.now()
        outcome = await self._admit(
            lambda tx: self.keeping.admit(tx, Parcel(ask), now, lambda: admit(tx, desk, ask, turn, now))
        )
        if not isinstance(outcome, Admission):
            yield outcome
            return
        async with aclosing(self._answer(*self._begin(ask, (outcome,)))) as events:
            async for event in events:
                yield event

    async def compare(
        self, ask: Ask, models: Sequence[str]
    ) -> AsyncGenerator[Refusal | Duplicate | tuple[int, ChatEvent], None]:
        """Ask several models at once: Refusal or Duplicate alone, or events of `ask` with the model's number.

        Every model's Started comes before all other events. Without `models` they are chosen for the member.
        Everything else is as for `ask`.
        """
        desk, now, parcel = self.desk, self._clock.now(), Parcel(ask, tuple(models))
        outcome = await self._admit(
            lambda tx: self.keeping.admit(
                tx, parcel, now, lambda: admit_comparison(tx, desk, ask, models, now)
            )
        )
        if isinstance(outcome, (Refusal, Duplicate)):
            yield outcome
            return
        streams = {number: self._answer(each) for number, each in enumerate(self._begin(ask, outcome))}
        async with aclosing(merged(streams)) as pairs:
            async for pair in pairs:
                yield pair

    async def bind(
        self,
        person: Person,
        conversation: ConversationId,
        anchors: Sequence[str],
        turn: TurnId | None = None,
        *,
        places: Sequence[str] = (),
        shown_at: str | None = None,
    ) -> None:
        """Let these messages and places in the chat continue a person's conversation.

        With `turn` the anchors are of messages that show its answer, and what replies to one goes on from it;
        without it, and at `places` (a DM, a thread), it goes on from the newest answer. `shown_at` is where
        that turn's answer is being written, for the `Mender` should this process be lost.
        """

        def work(tx: Tx) -> None:
            account = tx.find_account(person)
            if account:
                tx.bind(account.id, conversation, anchors, turn)
                tx.bind(account.id, conversation, places)
            if turn and shown_at:
                tx.mark_place(turn, shown_at)

        await self._store.transact(work)

    async def follows(self, person: Person, anchors: Sequence[str]) -> bool:
        """Whether the person has a conversation at one of these places."""

        def work(tx: Tx) -> bool:
            account = tx.find_account(person)
            return account is not None and tx.find_branch(account.id, anchors) is not None

        return await self._store.read(work)

    async def forget(self, person: Person, anchors: Sequence[str]) -> None:
        """Let the next message at these places start a new conversation: `/new`."""
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.unbind(tx.lock_account(person, now).id, anchors))

    async def stop(self, turn: TurnId, person: Person) -> bool:
        """Break off an answer of this person, with the whole comparison it belongs to, whoever writes it.

        The process that writes it takes a second to notice; if it is lost, the turn is released when its
        lease runs out, or here if that has happened. False: there is no such answer being written.
        """
        if self._flight.stop(turn, person):
            return True
        now = self._clock.now()
        return bool(await self._store.transact(lambda tx: ask_stop(tx, person, now, turn)))

    async def stop_all(self, person: Person) -> int:
        """Break off all answers of this person in the same way; how many there were."""
        now = self._clock.now()
        turns = await self._store.transact(lambda tx: ask_stop(tx, person, now))
        self._flight.interrupt(turns, FailureReason.STOPPED)
        return len(turns)

    async def stop_at(self, person: Person, anchors: Sequence[str]) -> int:
        """Break off in the same way what is being answered to this person at a place; how many there were."""
        now = self._clock.now()
        turns = await self._store.transact(lambda tx: stop_held(tx, person, anchors, now))
        self._flight.interrupt(turns, FailureReason.STOPPED)
        return len(turns)

    async def heed(self) -> None:
        """Break off answers written here that another process was asked to stop; to be called each second.

        What processes know of models that fail is exchanged with it, so that no question has to ask for it.
        """
        turns = await self._breaker.share(lambda tx: tx.stops_asked(self._desk.owner))
        self._flight.interrupt(turns, FailureReason.STOPPED)

    async def renew(self) -> None:
        """Keep the holds of answers in flight; has to be called well within a lease.

        A turn whose settlement failed is no longer among them, so its lease runs out.
        """
        if turns := self._flight.turns:
            until = self._clock.now() + LEASE

            def work(tx: Tx) -> None:
                tx.renew_leases(turns, until)
                self._breaker.renew(tx)

            await self._store.transact(work)

    async def close(self, grace: float) -> None:
        """Take no more questions; give answers in flight `grace` seconds, then break them off, told so."""
        self._closing = True
        try:
            async with asyncio.timeout(grace):
                await self._flight.idle.wait()
        except TimeoutError:
            self._flight.interrupt(self._flight.turns, FailureReason.CLOSING)
            with suppress(TimeoutError):  # a database that is away must not keep us: leases release the rest
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._flight.idle.wait()

    async def _admit(self, work: Callable[[Tx], Outcome]) -> Outcome | Refusal:
        if self._closing:
            return Refusal(RefusalReason.CLOSING, TierName.FREE)
        made: list[Outcome] = []

        def noted(tx: Tx) -> Outcome:
            made[:] = [work(tx)]
            return made[0]

        try:
            outcome = await self._store.transact(noted)
        except asyncio.CancelledError:
            await self._lasting(lambda tx: release_all(tx, made, self._clock.now()))
            raise
        self.signals.admitted(outcome)
        return outcome

    def _begin(self, ask: Ask, admissions: Sequence[Admission]) -> Sequence[Answering]:
        """Their answers; however many, the question is looked at once."""
        inspection = self._inspection(ask, admissions[0])
        answers = [
            Answering(each, self._models, self._patience, self._breaker, self._clock, inspection)
            for each in admissions
        ]
        for answering in answers:
            self._flight.enter(ask.person, answering)
        return answers

    def _inspection(self, ask: Ask, admission: Admission) -> Inspection | None:
        """A look at what the member wrote; what we ask in their place to go on with an answer is ours."""
        if ask.redo is Redo.CONTINUE:
            return None
        return self.moderating.inspection(admission.turn, admission.routes[0].completion.messages[-1])

    async def _answer(self, answering: Answering) -> AsyncGenerator[ChatEvent, None]:
        admission = answering.admission
        try:
            model = answering.draft.spec.name
            yield Started(admission.turn, admission.conversation, model, admission.standing)
            async with aclosing(answering.pieces()) as pieces:
                async for piece in pieces:
                    yield piece if isinstance(piece, Thinking) else Delta(piece.text)
            yield await self._settle(answering)
        finally:
            await self._end(answering)

    async def _end(self, answering: Answering) -> None:
        """End an answer, whatever came of it and even when cancelled again; ended twice it is ended once."""

        async def end() -> None:
            try:
                await answering.close()
                if not answering.settled:
                    await self._settle(answering)
            finally:
                self._flight.leave(answering)

        await lasting(end())

    async def _settle(self, answering: Answering) -> Answered | Failed:
        """Write down what became of a turn, even when nobody waits for it any more."""
        admission, outcome = answering.admission, answering.outcome()
        now = self._clock.now()
        text = answering.shown if isinstance(outcome, FailureReason) else "".join(answering.draft.text)
        model, usage, cost = answering.draft.spec.name, answering.usage(), answering.cost()
        charges, calls = answering.charges(), answering.calls()
        settlement = Settlement(model, text, usage, cost, outcome, now, charges, calls)
        counted, ceilings = bool(text.strip()), by_scope(self._desk.ceilings)

        def work(tx: Tx) -> None:
            for alert in complaints(answering, now):
                tx.raise_alert(alert)
            if answering.inspection:
                answering.inspection.note(tx)
            write_down(tx, admission, settlement)
            estimates.note(tx, answering.draft.readings, now)
            note_spent(tx, ceilings, admission.payer, settlement.charges, admission.admitted_at, now)

        # of a member who was erased meanwhile, all that was held is booked already
        await self._lasting(lambda tx: work(tx) if tx.lock_turn(admission.turn) else None)
        answering.settled = True
        self.signals.settled(answering, settlement, counted=counted)
        if isinstance(outcome, Finish):
            seconds = (now - admission.admitted_at).total_seconds()
            klass = answering.draft.spec.klass
            told = admission.asked.name, outcome, admission.standing, admission.turn
            return Answered(text, model, *told, usage, seconds, klass)
        return Failed(outcome, text, model, counted, admission.standing, admission.turn)

    async def _lasting(self, work: Callable[[Tx], T]) -> None:
        """Run a unit to its end through cancellation and a database that is away for a while.

        If it stays away the hold's lease runs out and the turn is released, in the member's favour.
        """
        await lasting(self._persist(work))

    async def _persist(self, work: Callable[[Tx], T]) -> None:
        for attempt in range(SETTLE_TRIES):
            try:
                await self._store.transact(work)
            except TryAgainError as error:
                self.signals.storage_away(error)
                await asyncio.sleep(0.2 * 2**attempt)
            else:
                return


async def lasting(work: Coroutine[object, object, None]) -> None:
    """Do work to its end; a caller that is cancelled meanwhile gets its CancelledError then."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def release_all(tx: Tx, outcomes: Sequence[object], now: datetime) -> None:
    """Release what was admitted for somebody who has gone away meanwhile."""
    for outcome in outcomes:
        for each in outcome if isinstance(outcome, tuple) else (outcome,):
            if isinstance(each, Admission):
                tx.release(each.turn, FailureReason.STOPPED, now)


def stop_held(tx: Tx, person: Person, anchors: Sequence[str], now: datetime) -> Sequence[TurnId]:
    """Ask for the end of what a person's conversation at a place waits for."""
    account = tx.find_account(person)
    branch = tx.find_branch(account.id, anchors) if account else None
    if account is None or branch is None:
        return ()
    held = tx.held_turns(account.id, branch.conversation.id)
    return tuple({each: None for turn in held for each in ask_stop(tx, person, now, turn)})


def ask_stop(tx: Tx, person: Person, now: datetime, turn: TurnId | None = None) -> Sequence[TurnId]:
    """Ask for the end of a person's answers, of all or of one; those whose process is lost end at once."""
    found = tx.find_account(person)
    if found is None:
        return ()
    tx.lock_account_id(found.id)
    before = tx.turn(turn) if turn else None
    tx.release_expired(now, found.id)
    asked = tx.ask_stop(found.id, now, turn)
    lost = before and before.account == found.id and before.state is TurnState.HELD and turn not in asked
    return (*asked, before.id) if before and lost else asked
