"""Everything that a member has said and was answered, read in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.domain import Account, Conversation, ConversationId, Person, TurnId
from engine.ledger import Tx
from engine.ports import Store
from engine.turns import Turn

CONVERSATIONS = 20
TURNS = 50
"""Read at once, so that a long history never has to fit into memory."""


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

    async def pieces(self, person: Person) -> AsyncGenerator[Piece, None]:
        """The person's conversations, newest first, the turns of each from the first one on.

        Read under `contextlib.aclosing`. TryAgainError: the database is away.
        """
        account = await self._store.read(lambda tx: tx.find_account(person))
        before: tuple[datetime, ConversationId] | None = None
        while account and (found := await self._conversations(account, before)):
            for conversation in found:
                async for piece in self._turns(conversation):
                    yield piece
            before = (found[-1].started_at, found[-1].id)

    async def _conversations(
        self, account: Account, before: tuple[datetime, ConversationId] | None
    ) -> Sequence[Conversation]:
        return await self._store.read(lambda tx: tx.conversations(account.id, before, CONVERSATIONS))

    async def _turns(self, conversation: Conversation) -> AsyncGenerator[Piece, None]:
        after: tuple[datetime, TurnId] | None = None

        def page(tx: Tx) -> Sequence[Turn]:
            return tx.turns(conversation.id, after, TURNS)

        while turns := await self._store.read(page):
            yield Piece(conversation, turns, first=after is None)
            after = (turns[-1].started_at, turns[-1].id)
