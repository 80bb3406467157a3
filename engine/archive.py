"""Everything that a member has said and was answered, read in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass

from engine.domain import Account, AccountId, Conversation, Person
from engine.ledger import Tx
from engine.ports import Store
from engine.turns import Turn

CONVERSATIONS = 20
TURNS = 50
"""Read in one unit, so that a long history never has to fit into memory."""

AT_ONCE = 2
"""Exports that are in memory at a time; others wait."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some turns of a conversation; `first` is true of its first piece."""

    conversation: Conversation
    turns: Sequence[Turn]
    first: bool


class Archive:
    """Reads one member's conversations, and never anybody else's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.slots = asyncio.Semaphore(AT_ONCE)
        """To be entered by whoever keeps what was read."""

    async def pieces(self, person: Person) -> AsyncGenerator[Piece, None]:
        """The person's conversations, newest first, the turns of each from the first one on.

        Read under `contextlib.aclosing`. TryAgainError: the database is away.
        """
        account = await self._store.read(lambda tx: tx.find_account(person))
        last: Piece | None = None
        while account and (found := await self._page(account, last)):
            for piece in found:
                yield piece
            last = found[-1]

    async def _page(self, account: Account, last: Piece | None) -> Sequence[Piece]:
        return await self._store.read(lambda tx: page(tx, account.id, last))


def page(tx: Tx, account: AccountId, last: Piece | None) -> Sequence[Piece]:
    """What comes after a piece: the rest of its conversation and those before it, up to `TURNS` turns."""
    found: list[Piece] = []
    if last:
        rest = after(tx, last)
        found += [Piece(last.conversation, rest, first=False)] if rest else []
    for conversation in earlier(tx, account, last.conversation if last else None):
        room = TURNS - sum(len(piece.turns) for piece in found)
        if room <= 0:
            break
        if turns := tx.turns(conversation.id, None, room):
            found.append(Piece(conversation, turns, first=True))
    return found


def after(tx: Tx, last: Piece) -> Sequence[Turn]:
    """The next turns of a piece's conversation; none if that was emptied meanwhile."""
    conversation, newest = tx.conversation(last.conversation.id), last.turns[-1]
    if conversation is None or conversation.emptied:
        return ()
    return tx.turns(conversation.id, (newest.started_at, newest.id), TURNS)


def earlier(tx: Tx, account: AccountId, than: Conversation | None) -> Iterator[Conversation]:
    """The conversations of an account that were begun before that one, newest first."""
    while some := tx.conversations(account, (than.started_at, than.id) if than else None, CONVERSATIONS):
        yield from some
        than = some[-1]
