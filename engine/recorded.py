"""Recorded use, as it is read again to see what it would have come to under other rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain import AccountId, ConversationId, Micros, Scope, TierName, TurnId
from engine.facts import Mode
from engine.spending import Purpose
from engine.turns import Charge, TurnState


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request to a vendor, with the turn it was for; what the operator pays alone has none."""

    number: int
    """Of its row in the ledger."""
    turn: TurnId | None
    account: AccountId | None
    tier: TierName | None
    """When it was asked; None for what is older than that is written down."""
    purse: Scope | None
    purpose: Purpose
    charge: Charge
    began_at: datetime
    """When its turn began."""
    conversation: ConversationId | None = None
    """None: the turn is not kept any more."""
    opened_at: datetime | None = None
    """When the conversation began."""
    batch: str | None = None
    state: TurnState | None = None
    asked: str = ""
    """The model that was to answer."""
    held: Micros = Micros(0)  # noqa: RUF009 - an int by another name
    """The most that the turn was let in for."""
    on_credit: bool = False
    """Whether its conversation was begun beyond the limit of its day, on a credit."""
    ended: bool = False
    """Whether its member or moderation ended it before any text: it counts for the rate as an answer does."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What an account has on its meter's bill of a span."""

    account: AccountId
    cost: Micros
    """Vendors' cost."""
    last: datetime
    """When the last of its turns began."""


class RecordedTx(Protocol):
    """Reads the ledger in the order in which questions were asked."""

    def recorded(
        self, since: datetime, until: datetime, after: tuple[datetime, int] | None, limit: int
    ) -> Sequence[Recorded]:
        """A page of what began in that span, by `began_at` and `number`, behind `after`."""
        ...

    def metered_in(self, mode: Mode, since: datetime, until: datetime) -> Sequence[Metered]:
        """What is on meters' bills of turns that began in that span, by account."""
        ...
