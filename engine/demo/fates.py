"""What becomes of the subscriptions that are sold in the story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Step(StrEnum):
    """What a member, their bank or the operator does about a subscription."""

    CANCEL = "cancel"
    RESUME = "resume"
    UP = "up"
    DOWN = "down"
    YEARLY = "yearly"
    CARD_ENDS = "card_ends"
    """The next payment will fail."""
    NEW_CARD = "new_card"
    REFUND = "refund"
    DISPUTE = "dispute"
    WIN = "win"
    LOSE = "lose"
    METER = "meter"
    SEATS = "seats"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Turning:
    """A step, between so many days after the purchase."""

    step: Step
    first: float
    last: float


Fate = tuple[Turning, ...]
STEADY: Fate = ()
CANCELS: Fate = (Turning(Step.CANCEL, 4, 50),)
WAVERS: Fate = (Turning(Step.CANCEL, 5, 20), Turning(Step.RESUME, 20, 27))
RISES: Fate = (Turning(Step.UP, 5, 45),)
SINKS: Fate = (Turning(Step.DOWN, 6, 60),)
COMMITS: Fate = (Turning(Step.YEARLY, 20, 70),)
RECOVERS: Fate = (Turning(Step.CARD_ENDS, 2, 25), Turning(Step.NEW_CARD, 32, 40))
LAPSES: Fate = (Turning(Step.CARD_ENDS, 2, 25),)
REGRETS: Fate = (Turning(Step.REFUND, 0.2, 6),)
WINS: Fate = (Turning(Step.DISPUTE, 8, 40), Turning(Step.WIN, 46, 56))
LOSES: Fate = (Turning(Step.DISPUTE, 5, 60), Turning(Step.LOSE, 66, 74))
VANISHES: Fate = (Turning(Step.DELETE, 10, 60),)
DECK: tuple[tuple[Fate, int], ...] = (
    (STEADY, 28),
    (CANCELS, 8),
    (WAVERS, 3),
    (RISES, 12),
    (SINKS, 7),
    (COMMITS, 4),
    (RECOVERS, 8),
    (LAPSES, 4),
    (REGRETS, 3),
    (WINS, 1),
    (LOSES, 1),
    (VANISHES, 1),
)
"""Each fate, and how many of eighty have it."""


def dealt(rng: Random) -> Iterator[Fate]:
    """Fates in any order, each about as often as the deck has it."""
    while True:
        deck = [fate for fate, many in DECK for _ in range(many)]
        rng.shuffle(deck)
        yield from deck
