"""Keeps questions that a limit stopped, for whoever comes back when it is lifted; each is answered once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from engine.admission import Admission
from engine.domain import Account, Ask, Duplicate, Kept, KeptId, Person, Refusal, RefusalReason, TierName
from engine.kept import SealedQuestion
from engine.ledger import Tx
from engine.parcel import Parcel, pack, unpack
from engine.ports import Clock, Store, Vault

KEPT_FOR = timedelta(hours=24)
MOST_KEPT = 3
"""Of one account; the newest in each channel."""
LARGEST = 6_000_000
"""Bytes of a question with its files: what is more is kept with PDFs as their text, or not at all."""
OTHERWISE = frozenset(
    {
        RefusalReason.EMPTY,
        RefusalReason.UNKNOWN_MODEL,
        RefusalReason.CLOSING,
        RefusalReason.GONE,
        RefusalReason.NOT_YOURS,
        RefusalReason.NOT_CUT,
        RefusalReason.UNKEPT,
        RefusalReason.TOO_FEW,
        RefusalReason.NO_IMAGES,
        RefusalReason.NO_PDF,
        RefusalReason.TOO_LONG,
        RefusalReason.CHANNEL,
        RefusalReason.ROLE,
        RefusalReason.MODEL_HERE,
        RefusalReason.BLOCKED,
    }
)
"""Reasons that lie in the question, its place or its asker: waiting does not help."""
SOON = frozenset({RefusalReason.CONCURRENT, RefusalReason.BUDGET_HELD})
"""Reasons that end with an answer that is being written."""
PAUSES = frozenset({RefusalReason.PAUSED, RefusalReason.PAUSED_FREE, RefusalReason.PAUSED_MODEL})
"""Reasons that the operator may end at any moment."""
GROWS = frozenset({RefusalReason.COST, RefusalReason.TEAM_COST})
"""Months that may come to have room before they end: by metered use, or by what others of a team leave."""

Taken = TypeVar("Taken", Admission, tuple[Admission, ...])
"""An admitted question; of a comparison, one for each model."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A kept question as its member gave it."""

    parcel: Parcel
    kept: Kept
    asked_at: datetime


class Keeping:
    """Kept questions; without a vault there are none, and nothing is promised."""

    def __init__(self, store: Store, clock: Clock, vault: Vault | None = None) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault

    def admit(
        self, tx: Tx, parcel: Parcel, now: datetime, decide: Callable[[], Taken | Refusal | Duplicate]
    ) -> Taken | Refusal | Duplicate:
        """Let `decide` about a question in this unit; one that a limit stops is kept in the same unit.

        A kept one is taken under its account's lock, and waits on if it is stopped again.
        """
        ask = parcel.ask
        if ask.kept is None:
            outcome = decide()
            if isinstance(outcome, Refusal):
                return self._keep(tx, parcel, outcome, now)
            return outcome if isinstance(outcome, Duplicate) else followed(tx, ask, outcome)
        account = tx.lock_account(ask.person, now)
        tx.release_expired(now, account.id)
        if not tx.question_waits(ask.kept, account.id, now):
            return missed(tx, ask, now)
        outcome = decide()
        if isinstance(outcome, Refusal):
            return self._still(tx, ask.kept, outcome, now)
        return outcome if isinstance(outcome, Duplicate) else taken(tx, ask.kept, outcome)

    async def find(self, person: Person, kept: KeptId, key: str) -> Opened | RefusalReason:
        """A person's kept question, to be asked under a new key; or why there is none.

        TryAgainError: the database is away.
        """
        now = self._clock.now()

        def work(tx: Tx) -> tuple[Account | None, SealedQuestion | None]:
            return tx.find_account(person), tx.kept_question(kept, now)

        account, sealed = await self._store.read(work)
        if sealed is None:
            return RefusalReason.UNKEPT
        if account is None or account.id != sealed.account:
            return RefusalReason.NOT_YOURS
        opened = await asyncio.to_thread(self._open, sealed, person, key)
        return opened or RefusalReason.UNKEPT

    async def everything(self, person: Person) -> Sequence[Opened]:
        """All questions of a person's that wait and can be opened, the newest first."""
        found = await self._sealed(person)
        opened = [await asyncio.to_thread(self._open, each, person, "") for each in found]
        return [each for each in opened if each]

    async def newest(self, person: Person) -> Kept | None:
        """The person's last question that waits."""
        found = await self._sealed(person)
        return Kept(found[0].id, found[0].until) if found else None

    async def forget(self, person: Person) -> int:
        """Throw away whatever is kept of a person's; how many questions."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: tx.drop_questions(tx.lock_account(person, now).id))

    async def sweep(self) -> int:
        """Forget what has been kept for its time; how many questions."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: tx.drop_lapsed(now))

    async def _sealed(self, person: Person) -> Sequence[SealedQuestion]:
        if self._vault is None:
            return ()
        now = self._clock.now()

        def work(tx: Tx) -> Sequence[SealedQuestion]:
            account = tx.find_account(person)
            return tx.kept_questions(account.id, now) if account else ()

        return await self._store.read(work)

    def _keep(self, tx: Tx, parcel: Parcel, refusal: Refusal, now: datetime) -> Refusal:
        """Keep a new question; one to be done again has its button elsewhere, and its text with its turn."""
        ask, vault = parcel.ask, self._vault
        account = tx.find_account(ask.person)
        if vault is None or account is None or ask.redo or not passes(refusal, now):
            return refusal
        content = next((each for each in map(pack, (parcel, parcel.in_words)) if len(each) <= LARGEST), None)
        if content is None:
            return refusal
        place = f"{ask.person.platform}:{ask.seat.channel if ask.seat else ''}"
        kept = Kept(KeptId(uuid4().hex), now + KEPT_FOR)
        bare = SealedQuestion(kept.id, account.id, place, b"", now, kept.until)
        tx.keep_question(replace(bare, content=vault.seal(content, bare.about)), MOST_KEPT)
        return replace(refusal, kept=kept)

    def _still(self, tx: Tx, question: KeptId, refusal: Refusal, now: datetime) -> Refusal:
        """It waits on; one that is refused for good says so, and keeps its button where it stands."""
        sealed = tx.kept_question(question, now)
        if sealed is None or not passes(refusal, now):
            return refusal
        return replace(refusal, kept=Kept(question, sealed.until))

    def _open(self, sealed: SealedQuestion, person: Person, key: str) -> Opened | None:
        content = self._vault.open(sealed.content, sealed.about) if self._vault else None
        parcel = unpack(content, person, key, sealed.id) if content else None
        return Opened(parcel, Kept(sealed.id, sealed.until), sealed.asked_at) if parcel else None


def passes(refusal: Refusal, now: datetime) -> bool:
    """Whether time, an answer's end or a payment may lift a refusal while its question is kept."""
    soon = refusal.until is not None and refusal.until <= now + KEPT_FOR
    lifted = soon or refusal.offer or refusal.reason in SOON | GROWS | PAUSES
    return bool(lifted) and refusal.reason not in OTHERWISE


def taken(tx: Tx, question: KeptId, outcome: Taken) -> Taken:
    """An admitted question that was kept: its turn answers it, of a comparison the first one."""
    tx.answer_question(question, first(outcome).turn)
    return marked(outcome, question)


def first(outcome: Taken) -> Admission:
    """The admission that stands for all."""
    if isinstance(outcome, Admission):
        return outcome
    return outcome[0]


def followed(tx: Tx, ask: Ask, outcome: Taken) -> Taken:
    """An admitted question that is done again: if it had been kept, it does not wait any more."""
    if not (ask.about and isinstance(outcome, Admission)):
        return outcome
    question = tx.follow_question(ask.about, outcome.turn)
    return marked(outcome, question) if question else outcome


def marked(outcome: Taken, question: KeptId) -> Taken:
    """The admission as one of a question that is kept until it is answered."""
    if isinstance(outcome, Admission):
        return replace(outcome, kept=question)
    return tuple(replace(each, kept=question) for each in outcome)


def missed(tx: Tx, ask: Ask, now: datetime) -> Refusal | Duplicate:
    """Nothing waits; a press that comes again is answered by the first one."""
    return Refusal(RefusalReason.UNKEPT, TierName.FREE) if tx.claim(ask.key, now) else Duplicate()
