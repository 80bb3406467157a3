"""What operators ask about members and the house; each question is in the audit log."""

from __future__ import annotations

from engine.audit import Actor, Deed, Entry
from engine.domain import Person
from engine.members import Members, Overview
from engine.ports import Clock, Store
from engine.reports import Reports, SubscriptionStats, last_days


class Steering:
    """Answers operators, wherever they ask."""

    def __init__(self, store: Store, clock: Clock, members: Members, reports: Reports) -> None:
        self._store = store
        self._clock = clock
        self._members = members
        self._reports = reports

    async def why(self, actor: Actor, person: Person) -> Overview:
        """A person's tier, its reason, and what is used and left."""
        await self._note(actor, Deed.WHY, str(person))
        return await self._members.overview(person)

    async def stats(self, actor: Actor, days: int) -> SubscriptionStats:
        """The figures of the last days."""
        await self._note(actor, Deed.STATS, detail=f"{days} days")
        return await self._reports.get_subscription_stats(*last_days(days, self._clock.now()))

    async def _note(self, actor: Actor, deed: Deed, subject: str = "", detail: str = "") -> None:
        entry = Entry(self._clock.now(), actor, deed, subject, detail)
        await self._store.transact(lambda tx: tx.note(entry))
