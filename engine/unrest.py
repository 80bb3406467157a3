"""A model that goes down again and again: what of it the operator is told, and when; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from engine.alerts import Alert, AlertKind

AGAIN = timedelta(hours=1)
"""Down again within that of coming back is the same unrest; after that long without it, unrest is over."""
STEADY = timedelta(minutes=15)
"""How long it has to stay as it is before the next word; doubled with each such word, up to AGAIN."""


class Word(StrEnum):
    """What the operator was told last."""

    DOWN = "down"
    BACK = "back"
    FLAPPING = "flapping"
    """The next word comes when it is steady."""


@dataclass(frozen=True, slots=True)
class Unrest:
    """How a model came and went since it first went down, and what was said of that."""

    name: str
    since: datetime
    """When it first went down."""
    changed_at: datetime
    """When it last went down or came back."""
    down: bool = True
    downs: int = 1
    said: Word = Word.DOWN
    words: int = 0
    """How often it was told to be steady."""

    @property
    def rest(self) -> timedelta:
        """How long it has to stay as it is before the next word."""
        return min(STEADY * (1 << min(self.words, 8)), AGAIN)

    @property
    def silent(self) -> bool:
        """Whether a word is owed once it is steady."""
        return self.said is not (Word.DOWN if self.down else Word.BACK)

    def over(self, now: datetime) -> bool:
        """Whether it has been back for so long that the next time is another story."""
        return not self.down and now - self.changed_at >= AGAIN


def fell(before: Unrest | None, name: str, at: datetime) -> tuple[Unrest, Word | None]:
    """It went down: told at once the first time, as flapping if it had been told to be back, else not."""
    if before is None or before.over(at):
        return Unrest(name, at, at), Word.DOWN
    if before.down:
        return before, None
    after = replace(before, down=True, downs=before.downs + 1, changed_at=at)
    if before.said is Word.BACK:
        return replace(after, said=Word.FLAPPING), Word.FLAPPING
    return after, None


def rose(before: Unrest | None, name: str, since: datetime, at: datetime) -> tuple[Unrest, Word | None]:
    """It came back, having been down since then: told at once the first time, and then only once steady."""
    before = before or Unrest(name, since, since)
    after = replace(before, down=False, changed_at=at)
    if before.downs == 1:
        return replace(after, said=Word.BACK), Word.BACK
    return after, None


def calmed(before: Unrest, now: datetime) -> tuple[Unrest, Word | None]:
    """Nothing happened: if it has stayed as it is for its rest, that is the word which is owed."""
    if not before.silent or now - before.changed_at < before.rest:
        return before, None
    said = Word.DOWN if before.down else Word.BACK
    return replace(before, said=said, words=before.words + 1), said


KINDS: Mapping[Word, AlertKind] = {
    Word.DOWN: AlertKind.VENDOR_DOWN,
    Word.BACK: AlertKind.VENDOR_BACK,
    Word.FLAPPING: AlertKind.VENDOR_FLAPPING,
}


def told(unrest: Unrest, word: Word, at: datetime, why: str = "") -> Alert:
    """That word as an alert; `why` is the model's last failure."""
    kind = KINDS[word]
    detail = "\n".join(filter(None, (why.strip(), history(unrest, word, at))))
    return Alert(f"{kind}:{unrest.name}:{at.isoformat()}", kind, unrest.name, at, detail)


def history(unrest: Unrest, word: Word, at: datetime) -> str:
    """How often and how long, and when there is more to tell; nothing of what has only begun."""
    since, again = f"{unrest.since:%Y-%m-%d %H:%M} UTC", unrest.downs > 1
    stayed, rest = span(at - unrest.changed_at), span(unrest.rest)
    if word is Word.FLAPPING:
        return f"down {unrest.downs} times since {since}; next word when it has been steady for {rest}"
    if word is Word.DOWN:
        begun = f"down for {stayed} now, the last of {unrest.downs} times since {since}"
        return f"{begun}; next word when it has been back for {rest}" if again else ""
    if again:
        return f"back for {stayed} now; it was down {unrest.downs} times between {since} and then"
    return f"it was down for {span(at - unrest.since)}, since {since}"


def span(length: timedelta) -> str:
    """`40 s`, `15 min`, `2 h 05 min`."""
    seconds = max(0, int(length.total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


class UnrestTx(Protocol):
    """What all processes know of models that come and go."""

    def unrests(self) -> Sequence[Unrest]:
        """All of them."""
        ...

    def hold_unrest(self, name: str) -> Unrest | None:
        """That of a model, locked until the unit ends."""
        ...

    def keep_unrest(self, unrest: Unrest) -> None:
        """Write it down."""
        ...

    def forget_unrest(self, name: str) -> None:
        """It is over."""
        ...
