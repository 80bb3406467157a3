"""The words of a turn: held, settled or released, and the counts that limits are decided on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.domain import AccountId, ConversationId, Micros, TurnId, Usage
from engine.files import Image

DM_IDLE = timedelta(hours=12)
"""A DM that rested this long starts a new conversation."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One settled turn of a conversation: what was asked and what was answered."""

    prompt: str
    answer: str
    images: tuple[Image, ...] = ()


class TurnState(StrEnum):
    """The life of a turn: held, then settled or released; held ones count against every limit."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Hold:
    """A turn being answered by `owner` (a process), with the most it may cost."""

    turn: TurnId
    account: AccountId
    conversation: ConversationId
    key: str
    model: str
    prompt: str
    estimate: Micros
    owner: str
    started_at: datetime
    lease_until: datetime
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a turn really was; `cost` is None when the model has no price (None is not zero)."""

    model: str
    answer: str
    usage: Usage
    cost: Micros | None
    outcome: str
    """`end`, `length`, `safety` or a FailureReason."""
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """What limits are decided on, read under the account's lock."""

    conversations_today: int
    """Conversations of this UTC day with a turn held or settled."""
    recent: tuple[datetime, ...]
    """Start times of turns of the last 60 s, oldest first; of those released only what the member stopped."""
    at_once: int
    """Turns held now."""
    cost_month: Micros
    """Spent in this UTC calendar month, held estimates included."""
