"""What is written into a restored database before anybody uses it."""

from __future__ import annotations

from pathlib import Path

from engine.audit import Actor, Deed, Entry
from engine.ledger import Tx
from engine.ports import Clock
from engine.sealing import doubt_all
from storage.store import Store


class Note:
    """Who restored which file, and that what the file says of Stripe is old."""

    def __init__(self, actor: Actor, file: Path, clock: Clock) -> None:
        self._actor = actor
        self._file = file
        self._clock = clock

    async def write(self, store: Store) -> int:
        """Mark every customer as one to be read from Stripe, and say who restored; how many customers.

        Metered use that the backup has not reported is looked for at Stripe before it is.
        """
        now = self._clock.now()

        def work(tx: Tx) -> int:
            due = tx.mark_all_dirty(now)
            doubt_all(tx, now)
            tx.note(Entry(now, self._actor, Deed.RESTORE, self._file.name, f"{due} customers due"))
            return due

        return await store.transact(work)
