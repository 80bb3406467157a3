"""One question from admission to settlement, the same for every surface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import TypeVar
from uuid import uuid4

from engine.admission import LEASE, Admission, Desk, admit
from engine.answering import Answering, Patience
from engine.domain import (
    Answered,
    Ask,
    ChatEvent,
    ConversationId,
    Delta,
    Duplicate,
    Failed,
    FailureReason,
    Finish,
    Person,
    Refusal,
    RefusalReason,
    Started,
    TierName,
    TurnId,
)
from engine.errors import TryAgainError
from engine.ledger import Tx
from engine.overage import settle
from engine.ports import Clock, Model, Store
from engine.signals import Signals
from engine.turns import Settlement

T = TypeVar("T")
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
    ) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._models = models
        self._signals = signals
        self._patience = patience or Patience()
        self._answers: dict[TurnId, tuple[Person, Answering]] = {}
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def ask(self, ask: Ask) -> AsyncGenerator[ChatEvent, None]:
        """Answer a question: Refusal or Duplicate alone, or Started, Deltas and Answered or Failed.

        The last event comes after its turn was settled. Closing the generator, or cancelling its reader, ends
        the model's request and settles what was spent. Read it under `contextlib.aclosing`.
        TryAgainError: the database is away.
        """
        outcome = await self._admit(ask)
        if not isinstance(outcome, Admission):
            yield outcome
            return
        answering = Answering(outcome, self._models, self._patience)
        self._enter(ask.person, answering)
        settled = False
        try:
            spec = answering.draft.spec
            yield Started(outcome.turn, outcome.conversation, spec.name, outcome.standing)
            async with aclosing(answering.texts()) as texts:
                async for piece in texts:
                    yield Delta(piece)
            last, settled = await self._settle(answering), True
            yield last
        finally:
            await answering.close()
            if not settled:
                await self._settle(answering)
            self._leave(outcome.turn)

    async def bind(self, person: Person, conversation: ConversationId, anchors: Sequence[str]) -> None:
        """Let these places in the chat (say, the bot's own messages) continue a person's conversation."""

        def work(tx: Tx) -> None:
            account = tx.find_account(person)
            if account:
                tx.bind(account.id, conversation, anchors)

        await self._store.transact(work)

    async def forget(self, person: Person, anchors: Sequence[str]) -> None:
        """Let the next message at these places start a new conversation: `/new`."""
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.unbind(tx.lock_account(person, now).id, anchors))

    def stop(self, turn: TurnId, person: Person) -> bool:
        """Break off an answer of this person; False if there is none in flight here."""
        owner, answering = self._answers.get(turn, (None, None))
        if answering is None or owner != person:
            return False
        answering.interrupt(FailureReason.STOPPED)
        return True

    async def renew(self) -> None:
        """Keep the holds of answers in flight; has to be called well within a lease.

        A turn whose settlement failed is no longer among them, so its lease runs out.
        """
        if turns := tuple(self._answers):
            until = self._clock.now() + LEASE
            await self._store.transact(lambda tx: tx.renew_leases(turns, until))

    async def close(self, grace: float) -> None:
        """Take no more questions; give answers in flight `grace` seconds, then break them off, told so."""
        self._closing = True
        try:
            async with asyncio.timeout(grace):
                await self._idle.wait()
        except TimeoutError:
            for _, answering in list(self._answers.values()):
                answering.interrupt(FailureReason.CLOSING)
            with suppress(TimeoutError):  # a database that is away must not keep us: leases release the rest
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._idle.wait()

    async def _admit(self, ask: Ask) -> Admission | Refusal | Duplicate:
        if self._closing:
            return Refusal(RefusalReason.CLOSING, TierName.FREE)
        turn, now = TurnId(uuid4().hex), self._clock.now()
        try:
            outcome = await self._store.transact(lambda tx: admit(tx, self._desk, ask, turn, now))
        except asyncio.CancelledError:
            await self._lasting(lambda tx: tx.release(turn, FailureReason.STOPPED, now))
            raise
        self._signals.admitted(outcome)
        return outcome

    async def _settle(self, answering: Answering) -> Answered | Failed:
        """Write down what became of a turn, even when nobody waits for it any more."""
        admission, outcome = answering.admission, answering.outcome()
        now = self._clock.now()
        text = answering.shown if isinstance(outcome, FailureReason) else "".join(answering.draft.text)
        model, usage, cost = answering.draft.spec.name, answering.usage(), answering.cost()
        settlement = Settlement(model, text, usage, cost, outcome, now)
        counted = bool(text.strip())

        def work(tx: Tx) -> bool:
            if counted:
                return settle(tx, admission.turn, settlement, admission.metered)
            tx.release(admission.turn, outcome, now)
            tx.record_spend(admission.turn, settlement)
            return True

        await self._lasting(work)
        self._signals.settled(answering, settlement, counted=counted)
        if isinstance(outcome, Finish):
            return Answered(text, model, admission.asked.name, outcome, admission.standing)
        return Failed(outcome, text, model, counted, admission.standing)

    async def _lasting(self, work: Callable[[Tx], T]) -> None:
        """Run a unit to its end through cancellation and a database that is away for a while.

        If it stays away the hold's lease runs out and the turn is released, in the member's favour.
        """
        task = asyncio.ensure_future(self._persist(work))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise

    async def _persist(self, work: Callable[[Tx], T]) -> None:
        for attempt in range(SETTLE_TRIES):
            try:
                await self._store.transact(work)
            except TryAgainError as error:
                self._signals.storage_away(error)
                await asyncio.sleep(0.2 * 2**attempt)
            else:
                return

    def _enter(self, person: Person, answering: Answering) -> None:
        self._answers[answering.admission.turn] = (person, answering)
        self._idle.clear()

    def _leave(self, turn: TurnId) -> None:
        self._answers.pop(turn, None)
        if not self._answers:
            self._idle.set()
