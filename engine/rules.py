"""What the admins of a Discord server or Slack workspace have decided for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from engine.domain import ConversationId, Place


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in one place; an empty list is all, and without a pool there is no limit.

    `channels` and `roles` are the platform's ids, `models` the names that members see; `model` answers who
    chose none. `pool`: how many conversations a UTC day the members of the free tier may begin, together.
    """

    channels: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    model: str | None = None
    persona: str = ""
    pool: int | None = None


NO_RULES = Rules()


class RulesTx(Protocol):
    """Rules of places, and the conversations that are begun in them."""

    def rules(self, place: Place) -> Rules:
        """The rules of a place; no lock."""
        ...

    def lock_rules(self, place: Place) -> Rules:
        """The same, locked until the unit ends; to be called after `lock_account`, if both are needed."""
        ...

    def save_rules(self, place: Place, rules: Rules) -> None:
        """Replace the rules of a place whose lock is held."""
        ...

    def begun_at(self, conversation: ConversationId, place: Place, *, free: bool) -> None:
        """Note where a conversation begins to be counted, and whether by a member of the free tier."""
        ...

    def pooled(self, place: Place, day: date) -> int:
        """Conversations begun there that UTC day by members of the free tier, held ones included."""
        ...
