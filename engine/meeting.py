"""Meeting people: in which language to speak to them, and welcoming each of them once."""

from __future__ import annotations

from engine.acquaintance import STRANGER, Acquaintance
from engine.domain import Person
from engine.ledger import Tx
from engine.ports import Clock, Store


class Meetings:
    """How people want to be spoken to, over all processes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def meet(self, person: Person, locale: str | None) -> Acquaintance:
        """What is known of the person; what their platform says now is remembered if it is news.

        TryAgainError: the database is away.
        """
        known = await self._store.read(lambda tx: tx.acquaintance(person))
        if known and locale and locale != known.locale:
            await self._store.transact(lambda tx: tx.set_locale(person, locale))
        return known or STRANGER

    async def choose(self, person: Person, language: str | None) -> None:
        """Speak this language to the person from now on; None: the one of their platform."""
        now = self._clock.now()
        await self._store.transact(lambda tx: tx.set_language(tx.lock_account(person, now).id, language))

    async def welcome(self, person: Person, locale: str | None) -> bool:
        """Whether to welcome the person now, which is so once; their locale is remembered by then."""
        now = self._clock.now()

        def work(tx: Tx) -> bool:
            first = tx.welcome(tx.lock_account(person, now).id, now)
            if first and locale:
                tx.set_locale(person, locale)
            return first

        return await self._store.transact(work)
