"""The words of long conversations: what is owed to one, and what the operator decides about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.domain import ConversationId, TurnId
from engine.turns import Charge


@dataclass(frozen=True, slots=True)
class Summaries:
    """Whether long conversations are summed up, and by which model; None: the cheapest everyday one."""

    on: bool
    model: str | None


NO_SUMMARIES = Summaries(on=False, model=None)


@dataclass(frozen=True, slots=True)
class OwedSummary:
    """A conversation whose beginning is to be summed up."""

    conversation: ConversationId
    tip: TurnId
    """The turn from which its way is read back."""
    model: str
    """Which model is asked, by the name members see: one that may answer where the conversation is held."""
    budget: int
    """How long its way may be, in tokens, before something is summed up."""
    attempts: int = 0
    """Tries before this one."""
    asked: Charge | None = None
    """What a try before may have cost whose end nobody has written down."""
    token: str = ""
    """Of the claim: who was overtaken writes nothing."""


class SummariesTx(Protocol):
    """Summaries and the conversations that they are owed to, one at a time each."""

    def owe_summary(self, owed: OwedSummary, now: datetime) -> bool:
        """Owe it; False while one is owed to that conversation, or for a while after one was given up."""
        ...

    def claim_summary(self, now: datetime, lease_until: datetime, token: str) -> OwedSummary | None:
        """Take the one that is due longest; nobody else gets it before the end of the lease."""
        ...

    def asking_summary(self, owed: OwedSummary, charge: Charge | None) -> bool:
        """Note what the try under way may cost, None for nothing; False if the claim is lost.

        It is held in the purses of the bot and of the vendor until it is noted otherwise.
        """
        ...

    def summary_made(self, owed: OwedSummary, reach: TurnId, text: str, now: datetime) -> bool:
        """Keep the summary of all up to that turn, and owe it no more; False if the claim is lost."""
        ...

    def summary_later(self, owed: OwedSummary, due: datetime, error: str) -> None:
        """End a try badly: to be tried again."""
        ...

    def summary_given_up(self, owed: OwedSummary, until: datetime, error: str) -> None:
        """End it for good: the conversation is owed none before then."""
        ...

    def drop_summary(self, owed: OwedSummary) -> None:
        """There is nothing to sum up."""
        ...
