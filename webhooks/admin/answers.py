"""What comparisons came to, kept for a while so that their tables can be sorted and had as files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from engine.ports import Clock
from engine.what_if import Comparison

KEPT = timedelta(hours=1)
"""After it was last looked at."""
MOST = 16
"""Of a process; the oldest goes first."""


@dataclass(slots=True)
class Answer:
    """What a draft came to over so many days, never the draft itself."""

    found: Comparison
    days: int
    seen_at: datetime


class Answers:
    """The last ones, in the memory of this process alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Answer] = {}

    def keep(self, found: Comparison, days: int) -> str:
        """Its name, for an address."""
        now = self._clock.now()
        fresh = {name: each for name, each in self._kept.items() if now - each.seen_at < KEPT}
        oldest = sorted(fresh, key=lambda name: fresh[name].seen_at)
        name = token_urlsafe(8)
        self._kept = {each: fresh[each] for each in oldest[-(MOST - 1) :]} | {name: Answer(found, days, now)}
        return name

    def find(self, name: str) -> Answer | None:
        """One that is still kept, and from now on for as long again."""
        answer, now = self._kept.get(name), self._clock.now()
        if answer is None or now - answer.seen_at >= KEPT:
            return None
        answer.seen_at = now
        return answer
