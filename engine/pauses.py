"""What the operator has paused: everything, the free tier, or single models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

ALL = "all"
FREE = "free"
MODEL = "model:"
"""Begins the name of a model's pause."""
WORDS = {ALL: "all answers are", FREE: "answers to members of the free tier are"}


@dataclass(frozen=True, slots=True)
class Pause:
    """`what` is ALL, FREE, or MODEL and a model's name; without `until` somebody has to end it.

    `why` is the operator's own note, shown to operators alone.
    """

    what: str
    since: datetime
    until: datetime | None = None
    why: str = ""

    @property
    def model(self) -> str | None:
        """The name of the model that is paused, if it is one."""
        return self.what.removeprefix(MODEL) if self.what.startswith(MODEL) else None

    @property
    def told(self) -> str:
        """What is paused, and until when, in a few English words for whoever operates the bot."""
        what = f"the model {self.model} is" if self.model else WORDS[self.what]
        return f"{what} paused{f' until {self.until:%Y-%m-%d %H:%M} UTC' if self.until else ''}"


class PausesTx(Protocol):
    """Pauses; `Account.house_pauses` tells whether there are any wherever an account is locked."""

    def pauses(self, now: datetime) -> Sequence[Pause]:
        """Those in force, in the order of their names."""
        ...

    def pause(self, pause: Pause) -> None:
        """Pause it, or replace what was said of it before."""
        ...

    def resume(self, what: str, now: datetime) -> bool:
        """End a pause; False if there is none in force."""
        ...
