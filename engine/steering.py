"""What operators ask about members and the house; each question is in the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from engine.audit import Actor, Deed, Entry
from engine.domain import Person
from engine.facts import Mode
from engine.ledger import Tx
from engine.members import Members, Overview
from engine.ports import Clock, Store
from engine.reports import Reports, SubscriptionStats, last_days
from engine.terms import DeadLetter


class Steering:
    """Answers operators, wherever they ask."""

    def __init__(self, store: Store, clock: Clock, members: Members, reports: Reports) -> None:
        self._store = store
        self._clock = clock
        self._members = members
        self._reports = reports

    async def why(self, actor: Actor, person: Person) -> Overview:
        """A person's tier, its reason, and what is used and left."""
        await self.note(actor, Deed.WHY, str(person))
        return await self._members.overview(person)

    async def stats(self, actor: Actor, days: int) -> SubscriptionStats:
        """The figures of the last days."""
        await self.note(actor, Deed.STATS, detail=f"{days} days")
        return await self._reports.get_subscription_stats(*last_days(days, self._clock.now()))

    async def dead_letters(self, actor: Actor, mode: Mode) -> Sequence[DeadLetter]:
        """What was given up until it is retried."""
        entry = Entry(self._clock.now(), actor, Deed.DEAD_LETTERS)

        def work(tx: Tx) -> Sequence[DeadLetter]:
            tx.note(entry)
            return tx.dead_letters(mode)

        return await self._store.transact(work)

    async def retry(self, actor: Actor, mode: Mode, letter: str | None = None) -> int:
        """Have what was given up tried again, all of it or what has that id; how much that is."""
        now = self._clock.now()

        def work(tx: Tx) -> int:
            retried = tx.retry_dead(mode, now, letter)
            tx.note(Entry(now, actor, Deed.RETRY, letter or "", f"{retried} tried again"))
            return retried

        return await self._store.transact(work)

    async def note(self, actor: Actor, deed: Deed, subject: str = "", detail: str = "") -> None:
        """Write down that an operator looks at something."""
        entry = Entry(self._clock.now(), actor, deed, subject, detail)
        await self._store.transact(lambda tx: tx.note(entry))
