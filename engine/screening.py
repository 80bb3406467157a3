"""How the operator wants questions looked at before a model sees them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
