"""The words of chat: people, tiers, models, questions and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from engine.files import Document, Image
from engine.models import NO_USAGE, Finish, ModelClass, Thinking, Usage

AccountId = NewType("AccountId", str)
ConversationId = NewType("ConversationId", str)
TurnId = NewType("TurnId", str)
KeptId = NewType("KeptId", str)
Micros = NewType("Micros", int)
"""Micro-dollars: 1_000_000 is one US dollar."""
Scope = NewType("Scope", str)
"""What spend is counted by: the bot, free members, a vendor, a team (engine.spending)."""


class Platform(StrEnum):
    """Where a person is met."""

    DISCORD = "discord"
    SLACK = "slack"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on one platform; Slack ids are unique only within a workspace, others leave it empty."""

    platform: Platform
    workspace: str
    user: str

    def __str__(self) -> str:
        """`discord:ID`, `slack:TEAM/ID` or `local:NAME`."""
        return f"{self.platform}:{f'{self.workspace}/' if self.workspace else ''}{self.user}"

    @classmethod
    def parse(cls, text: str) -> Person:
        """Read what `str` wrote; ValueError says what is expected."""
        name, colon, rest = text.strip().partition(":")
        workspace, slash, user = rest.rpartition("/")
        known = name in set(Platform)
        if not (known and colon and user) or (name == Platform.SLACK) != bool(slash and workspace):
            message = f"{text!r} is not a person: write discord:ID, slack:TEAM/ID or local:NAME"
            raise ValueError(message)
        return cls(Platform(name), workspace, user)


class TierName(StrEnum):
    """The tiers that config.toml may describe."""

    FREE = "free"
    PREMIUM = "premium"
    TEAM = "team"
    PRO = "pro"


class Interval(StrEnum):
    """How often a subscription is paid; Stripe's words."""

    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Tier:
    """What a member may do; a limit of None is unlimited and 0 is nothing."""

    name: TierName
    rank: int
    price_month: Micros
    price_year: Micros
    conversations_per_day: int | None
    turns_per_conversation: int | None
    requests_per_minute: int | None
    concurrent: int | None
    classes: frozenset[ModelClass]
    compare: int | None = None
    seats: int = 1
    cost_ceiling_month: Micros | None = None
    """Of all seats together, where there are several; so is the next one."""
    cost_stop_month: Micros | None = None
    """Beyond it nothing is answered in the month; None: everyday models go on for who pays."""
    extra_seat_month: Micros | None = None
    """Price of a seat beyond `seats`; None: no more are sold."""
    extra_seat_year: Micros | None = None

    @property
    def shared(self) -> bool:
        """Whether it has seats for others than its buyer."""
        return self.seats > 1 or bool(self.extra_seat_month or self.extra_seat_year)

    @property
    def uncounted(self) -> bool:
        """Whether its members pay, and no ceiling counts what their answers cost."""
        paid = self.name is not TierName.FREE and self.price_month + self.price_year > 0
        return paid and self.cost_ceiling_month is None and self.cost_stop_month is None

    def price(self, interval: Interval) -> Micros:
        """Price of one interval in micro-dollars."""
        return self.price_year if interval is Interval.YEAR else self.price_month

    def extra_seat(self, interval: Interval) -> Micros | None:
        """Price of one more seat for an interval."""
        return self.extra_seat_year if interval is Interval.YEAR else self.extra_seat_month


@dataclass(frozen=True, slots=True)
class Account:
    """The one who is counted and billed; today one person, later several by linking."""

    id: AccountId
    person: Person
    model: str | None
    created_at: datetime
    instructions: str = ""
    """How the member wants to be answered, in their words."""
    private: bool = False
    """Whether their `/ask` is for their eyes alone unless they say otherwise."""
    blocked_at: datetime | None = None
    """Since when the operator lets them ask nothing; None: they may."""
    announcements: bool = True
    """Whether they want to hear what the operator announces."""
    erased_at: datetime | None = None
    """Since when it stands for somebody who was erased, so that the books add up; None: it is somebody's."""
    house_pauses: bool = False
    """Whether anything was paused in the house when the account was locked by its person (engine.pauses)."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread, reply chain, DM stretch or single /ask of one account."""

    id: ConversationId
    account: AccountId
    started_at: datetime
    last_at: datetime
    live_turns: int
    """Turns held or settled, of all branches; 0 means that it is not counted."""
    model: str | None = None
    """The model that answers in this conversation, if it was chosen for it."""
    emptied: bool = False
    """What was said in it is older than the operator keeps that: it is gone, and nothing goes on from it."""


class Redo(StrEnum):
    """What a member wants done about an answer that they have."""

    REGENERATE = "regenerate"
    """Answer the same question again, beside the first answer: another branch of the conversation."""
    CONTINUE = "continue"
    """Go on where an answer was cut at its longest."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is asked, as far as the rules of a Discord server or Slack workspace go.

    `id` is the server or workspace; `channels` are the channel and what it lies in (a thread's channel, a
    category), `roles` the asker's.
    """

    platform: Platform
    id: str
    channels: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a question is answered, in its surface's own words, should that have to be found again later.

    `channel` is the channel, DM or room, `below` the message or thread that the answer goes below, empty for
    none. What was asked privately is answered so.
    """

    channel: str
    below: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """One question as an adapter hands it over.

    `key` is the platform's id of the message or interaction, unique over all platforms
    (`discord:interaction:1`); a key is answered once, also across processes and restarts. `anchors` name the
    place in the chat, most specific first (`slack:T1/C1/171.2`, `discord:message:12`, `discord:dm:7`): the
    first one that this account has a conversation at continues it, and all are bound to the conversation. No
    anchor: a new conversation. `message` is the anchor of the question itself: a reply to it goes on from its
    answer. `place` is None in a DM. With `redo`, `about` is the turn of this person's that it is about, and
    text and attachments are those of that turn. With `kept` it is a question that a limit stopped before:
    answered once, whatever the number of presses.
    """

    key: str
    person: Person
    text: str
    anchors: tuple[str, ...] = ()
    dm: bool = False
    model: str | None = None
    place: Place | None = None
    attachments: tuple[Image | Document, ...] = ()
    redo: Redo | None = None
    about: TurnId | None = None
    message: str | None = None
    seat: Seat | None = None
    kept: KeptId | None = None


class RefusalReason(StrEnum):
    """Why a question is not asked of a model; what is not about the question itself is a tier's limit."""

    EMPTY = "empty"
    UNKNOWN_MODEL = "unknown_model"
    CLOSING = "closing"
    GONE = "gone"
    """The answer that it is about is not kept any more."""
    NOT_YOURS = "not_yours"
    """The answer that it is about is somebody else's."""
    NOT_CUT = "not_cut"
    """There is nothing to continue."""
    UNKEPT = "unkept"
    """The question that was kept is answered, too old, thrown away, or sealed with a key that is gone."""
    TOO_FEW = "too_few"
    """A comparison takes two different models."""
    COMPARE = "compare"
    MODEL_LOCKED = "model_locked"
    NO_IMAGES = "no_images"
    NO_PDF = "no_pdf"
    CONVERSATIONS = "conversations"
    TURNS = "turns"
    RATE = "rate"
    CONCURRENT = "concurrent"
    COST = "cost"
    TEAM_COST = "team_cost"
    """The share of a seat in its team's budget is used up."""
    BUDGET = "budget"
    """What the operator lets vendors charge is used up."""
    FREE_BUDGET = "free_budget"
    """So is what of it is for members who pay nothing."""
    BUDGET_HELD = "budget_held"
    """It is not, but answers being written may still take it."""
    CHANNEL = "channel"
    ROLE = "role"
    MODEL_HERE = "model_here"
    POOL = "pool"
    TOO_LONG = "too_long"
    BLOCKED = "blocked"
    PAUSED = "paused"
    PAUSED_FREE = "paused_free"
    PAUSED_MODEL = "paused_model"


@dataclass(frozen=True, slots=True)
class Offer:
    """The cheapest tier that would lift a refusal."""

    tier: TierName
    price_month: Micros
    price_year: Micros


@dataclass(frozen=True, slots=True)
class Kept:
    """A question that waits for its limit to be lifted, until it is forgotten."""

    id: KeptId
    until: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that is not asked, with all to say so; `credits` are left and too few, or None."""

    reason: RefusalReason
    tier: TierName
    limit: int | None = None
    until: datetime | None = None
    model: str | None = None
    choices: tuple[str, ...] = ()
    offer: Offer | None = None
    kept: Kept | None = None
    """Set if the question need not be written again."""
    credits: int | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A message that was taken before; the adapter does nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the footer tells: the counts as they are with this turn."""

    tier: TierName
    conversations_today: int
    conversations_limit: int | None
    turn: int
    turns_limit: int | None
    credits: int | None = None
    """What is left of conversations that were given, if this one is begun on one of them."""


@dataclass(frozen=True, slots=True)
class Started:
    """The question is admitted and a model is being asked."""

    turn: TurnId
    conversation: ConversationId
    model: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer for the member."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of a good answer, already settled; `asked_model` differs from `model` after a fallback."""

    text: str
    model: str
    asked_model: str
    finish: Finish
    standing: Standing
    turn: TurnId = TurnId("")
    usage: Usage = NO_USAGE
    seconds: float = 0.0
    """From the question's admission to the answer's end."""
    klass: ModelClass | None = None


class FailureReason(StrEnum):
    """Why an answer did not come to its end, by what the member can do about it."""

    BUSY = "busy"
    CUT = "cut"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    TOO_LONG = "too_long"
    BROKEN = "broken"
    STOPPED = "stopped"
    CLOSING = "closing"
    MODERATED = "moderated"
    """It breaks the house's rules, so no model was asked."""
    UNCHECKED = "unchecked"
    """Whether it does cannot be found out now, so neither."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An answer that broke off; `counted` only if text had reached the member."""

    reason: FailureReason
    text: str
    model: str
    counted: bool
    standing: Standing
    turn: TurnId = TurnId("")


ChatEvent = Refusal | Duplicate | Started | Thinking | Delta | Answered | Failed
"""A chat yields Refusal or Duplicate alone, or Started, then Thinking and Deltas, then Answered or Failed."""
