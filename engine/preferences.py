"""What a member wishes of answers, for all of them or for one conversation, and thinks of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from engine.domain import Account, Person, TurnId
from engine.ledger import Tx
from engine.moderating import Moderating
from engine.ports import Clock, Store
from engine.screening import About
from engine.turns import Turn

LONGEST_INSTRUCTIONS = 1000
"""Characters: they are sent, and paid for, with every question."""


class NotKept(StrEnum):
    """Why instructions are not taken."""

    LONG = "long"
    MODERATED = "moderated"
    UNCHECKED = "unchecked"


class Preferences:
    """Reads and writes a member's wishes."""

    def __init__(self, store: Store, clock: Clock, moderating: Moderating | None = None) -> None:
        self._store = store
        self._clock = clock
        self._moderating = moderating or Moderating(clock)

    async def account(self, person: Person) -> Account | None:
        """What is known of a person; None for somebody never seen."""
        return await self._store.read(lambda tx: tx.find_account(person))

    async def instruct(self, person: Person, text: str) -> NotKept | None:
        """Remember how the person wants to be answered, empty for no wish; a reason if that is not taken."""
        wish, now = text.strip(), self._clock.now()
        if len(wish) > LONGEST_INSTRUCTIONS:
            return NotKept.LONG
        account = await self._store.transact(lambda tx: tx.lock_account(person, now).id)
        if refused := await self._moderating.objection(self._store, About.INSTRUCTIONS, wish, account):
            return NotKept(refused)
        await self._store.transact(lambda tx: tx.set_instructions(account, wish))
        return None

    async def hide(self, person: Person, *, private: bool) -> None:
        """Remember whether the person's `/ask` is for their eyes alone."""
        now = self._clock.now()
        await self._store.transact(
            lambda tx: tx.set_private(tx.lock_account(person, now).id, private=private)
        )

    async def hear(self, person: Person, *, announcements: bool) -> None:
        """Remember whether the person wants to hear what the operator announces."""
        now = self._clock.now()
        await self._store.transact(
            lambda tx: tx.set_announcements(tx.lock_account(person, now).id, wanted=announcements)
        )

    async def model_at(self, person: Person, anchors: Sequence[str]) -> str | None:
        """The model that was chosen for the person's conversation at this place."""
        return await self._store.read(lambda tx: model_at(tx, tx.find_account(person), anchors))

    async def choose_at(self, person: Person, anchors: Sequence[str], model: str | None) -> bool:
        """Choose a model for the conversation at this place alone; False if there is none here."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: choose_at(tx, person, anchors, model, now))

    async def turn(self, person: Person, turn: TurnId) -> Turn | None:
        """A turn of this person's; None if it is not kept, or somebody else's."""
        return await self._store.read(lambda tx: own_turn(tx, tx.find_account(person), turn))

    async def rate(self, person: Person, turn: TurnId, *, good: bool) -> bool:
        """Note what the person thinks of an answer they got; False if it is not kept, or somebody else's."""
        return await self._store.transact(lambda tx: rated(tx, person, turn, good=good))

    async def keep(self, person: Person, turn: TurnId, anchors: Sequence[str]) -> Turn | None:
        """Let these places go on with the conversation of that turn: one of a comparison."""
        now = self._clock.now()
        return await self._store.transact(lambda tx: kept(tx, person, turn, anchors, now))


def own_turn(tx: Tx, account: Account | None, turn: TurnId) -> Turn | None:
    """A turn of this account whose content is kept."""
    found = tx.turn(turn) if account else None
    if found is None or account is None or found.account != account.id:
        return None
    conversation = tx.conversation(found.conversation)
    return found if conversation and not conversation.emptied else None


def rated(tx: Tx, person: Person, turn: TurnId, *, good: bool) -> bool:
    """Rate a turn of the person's; what they said last counts."""
    account = tx.find_account(person)
    return account is not None and tx.rate(turn, account.id, good=good)


def kept(tx: Tx, person: Person, turn: TurnId, anchors: Sequence[str], now: datetime) -> Turn | None:
    """Bind the places to the turn's conversation, under the account's lock."""
    account = tx.lock_account(person, now)
    found = own_turn(tx, account, turn)
    if found:
        tx.bind(account.id, found.conversation, anchors)
    return found


def model_at(tx: Tx, account: Account | None, anchors: Sequence[str]) -> str | None:
    """The own model of the account's conversation at the first anchor that has one."""
    branch = tx.find_branch(account.id, anchors) if account else None
    return branch.conversation.model if branch else None


def choose_at(tx: Tx, person: Person, anchors: Sequence[str], model: str | None, now: datetime) -> bool:
    """Set that model, under the account's lock."""
    branch = tx.find_branch(tx.lock_account(person, now).id, anchors)
    if branch:
        tx.set_conversation_model(branch.conversation.id, model)
    return branch is not None
