"""The words of a turn's life: held, settled or released, and where it stands in its conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from engine.domain import AccountId, Conversation, ConversationId, Micros, Platform, Scope, TierName, TurnId
from engine.files import Image, Pdf
from engine.models import Usage

DM_IDLE = timedelta(hours=12)
"""A DM that rested this long starts a new conversation."""
EXPIRED = "expired"
"""Outcome of a turn whose process was lost: the only released turn that may still be settled."""


class TurnState(StrEnum):
    """The life of a turn: held, then settled or released; held ones count against every limit."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One settled turn of a conversation: what was asked and what was answered."""

    prompt: str
    answer: str
    images: tuple[Image, ...] = ()
    summary: str = ""
    """What was said up to it, itself included, in few words; empty where nobody summed that up."""
    turn: TurnId = field(default=TurnId(""), compare=False)
    pdfs: tuple[Pdf, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """A place in a conversation from which a question goes on; `tip` is None at its beginning."""

    conversation: Conversation
    tip: TurnId | None
    """A settled turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it is kept; while held, and after a release without text, `answer` is empty."""

    id: TurnId
    account: AccountId
    conversation: ConversationId
    parent: TurnId | None
    """The settled turn that it goes on from."""
    batch: str | None
    """What the turns of one comparison share."""
    state: TurnState
    model: str
    prompt: str
    answer: str
    usage: Usage
    outcome: str
    """As in `Settlement`, EXPIRED, or empty while held."""
    started_at: datetime
    settled_at: datetime | None
    images: tuple[Image, ...] = ()
    pdfs: tuple[Pdf, ...] = ()
    good: bool | None = None
    """What the asker thought of the answer; None if they did not say."""


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
    parent: TurnId | None = None
    images: tuple[Image, ...] = ()
    pdfs: tuple[Pdf, ...] = ()
    batch: str | None = None
    provider: str = ""
    """Whose model is asked first."""
    tier: TierName | None = None
    """What the member has now."""
    purse: Scope | None = None
    """Where its charges count beside the bot's purse and their vendors'."""
    reserved: Mapping[Scope, Micros] = field(default_factory=lambda: MappingProxyType({}))
    """What it may take at most of each scope that has a ceiling."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One request to a vendor and what it charged, or must be taken to have charged."""

    model: str
    """The name members see."""
    provider: str
    usage: Usage
    cost: Micros | None
    """None when the model has no price."""


class CallEnd(StrEnum):
    """How a request to a vendor ended."""

    ANSWERED = "answered"
    LEFT = "left"
    """We listened no longer: another model answered, or nobody waited."""
    LATE = "late"
    CUT = "cut"
    """It broke off."""
    BUSY = "busy"
    """Overloaded, limited, or not reachable."""
    BROKEN = "broken"
    """The vendor refuses our key, the model's id, or what we send."""
    TOO_LONG = "too_long"
    REFUSED = "refused"
    """By the vendor's safety system."""


FAILED = frozenset({CallEnd.LATE, CallEnd.CUT, CallEnd.BUSY, CallEnd.BROKEN})
"""The vendor's fault, or the operator's; the others are nobody's."""


@dataclass(frozen=True, slots=True)
class Call:
    """How one request to a vendor went."""

    provider: str
    model: str
    """The name members see."""
    end: CallEnd
    began_at: datetime
    took: timedelta
    first: timedelta | None = None
    """Until its first words; None: there were none."""


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
    charges: tuple[Charge, ...] = ()
    """Every request made for it; what is spent is counted by these, and `cost` is their sum."""
    calls: tuple[Call, ...] = ()
    """The same requests, and those that were charged nothing, as they went."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """An answer whose process was lost; `place` is where it is shown as still being written.

    `locale` is the asker's.
    """

    turn: TurnId
    platform: Platform
    place: str
    lost_at: datetime
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """What limits are decided on, read under the account's lock; a comparison is one question, one answer."""

    conversations_today: int
    """Conversations of this UTC day with a turn held or settled, but for those begun on a credit."""
    recent: tuple[datetime, ...]
    """When questions of the last 60 s began, oldest first; of those released only what the
    member stopped or what was looked at first and refused."""
    at_once: int
    """Answers being written now."""
    cost_month: Micros
    """Spent in this UTC calendar month, with what is held, and what was for turns whose process was lost."""
