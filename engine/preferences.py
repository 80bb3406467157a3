"""What a member wishes of answers: which conversation goes on at a place, and which model answers there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.domain import Account, Person, TurnId
from engine.ledger import Tx
from engine.ports import Clock, Store
from engine.turns import Turn


class Preferences:
    """Reads and writes a member's wishes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def turn(self, person: Person, turn: TurnId) -> Turn | None:
        """A turn of this person's; None if it is not kept, or somebody else's."""
        return await self._store.read(lambda tx: own_turn(tx, tx.find_account(person), turn))

    async def keep(self, person: Person, turn: TurnId, anchors: Sequence[str]) -> Turn | None:
        """Let these places go on with the conversation of that turn: one of a comparison."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: kept(tx, person, turn, anchors, now))


def own_turn(tx: Tx, account: Account | None, turn: TurnId) -> Turn | None:
    """A turn of this account."""
    found = tx.turn(turn) if account else None
    return found if found and account and found.account == account.id else None


def kept(tx: Tx, person: Person, turn: TurnId, anchors: Sequence[str], now: datetime) -> Turn | None:
    """Bind the places to the turn's conversation, under the account's lock."""
    account = tx.lock_account(person, now)
    found = own_turn(tx, account, turn)
    if found:
        tx.bind(account.id, found.conversation, anchors)
    return found
