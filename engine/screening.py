"""How the operator wants questions looked at before a model sees them, and what was found; never the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.domain import AccountId, TurnId


class Screen(StrEnum):
    """By what a question is looked at."""

    OFF = "off"
    OPENAI = "openai"
    """OpenAI's moderation endpoint, with the key of that vendor."""
    WORDS = "words"


class WhenAway(StrEnum):
    """What becomes of a question that cannot be looked at now."""

    REFUSE = "refuse"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Screening:
    """The decision of the operator; `words` are whole words or phrases, in any case."""

    check: Screen = Screen.OFF
    words: tuple[str, ...] = ()
    model: str = "omni-moderation-latest"
    when_away: WhenAway = WhenAway.REFUSE


NO_SCREENING = Screening()


class About(StrEnum):
    """What was looked at."""

    QUESTION = "question"
    INSTRUCTIONS = "instructions"
    PERSONA = "persona"


class Finding(StrEnum):
    """What came of looking."""

    PASSED = "passed"
    FLAGGED = "flagged"
    UNCHECKED = "unchecked"
    """It could not be looked at."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One look; `id` is that of the turn where it was a question."""

    id: str
    about: About
    check: Screen
    finding: Finding
    at: datetime
    categories: tuple[str, ...] = ()
    """Of rules that it breaks, in the words of whoever looked; of a list of words only that."""


class ScreeningTx(Protocol):
    """What was found when something was looked at."""

    def note_look(
        self, looked: Looked, *, account: AccountId | None = None, turn: TurnId | None = None
    ) -> None:
        """Insert or replace by id; with `turn` the account is that turn's."""
        ...

    def looks_of(self, account: AccountId, since: datetime) -> int:
        """How often something of the account's that is no question was looked at since then."""
        ...

    def looks(self, since: datetime, until: datetime) -> Mapping[Finding, int]:
        """How many looks of `since <= at < until` came to what."""
        ...
