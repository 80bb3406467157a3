"""The rules of places, and the conversations that are begun in them."""

from __future__ import annotations

from datetime import date

from engine.domain import ConversationId, Place
from engine.rules import NO_RULES, Rules
from storage.session import Row, Session


class PlaceRules:
    """RulesTx on a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rules(self, place: Place) -> Rules:
        row = self._session.one("rules", platform=place.platform, place=place.id)
        return rules_from(row) if row else NO_RULES

    def lock_rules(self, place: Place) -> Rules:
        row = self._session.one("lock_rules", platform=place.platform, place=place.id)
        if row is None:
            raise AssertionError("an upsert returns its row")
        return rules_from(row)

    def save_rules(self, place: Place, rules: Rules) -> None:
        self._session.run(
            "save_rules",
            platform=place.platform,
            place=place.id,
            channels=joined(rules.channels),
            roles=joined(rules.roles),
            models=joined(rules.models),
            model=rules.model,
            persona=rules.persona,
            pool=rules.pool,
        )

    def begun_at(self, conversation: ConversationId, place: Place, *, free: bool) -> None:
        self._session.run("begun_at", id=conversation, place=name_of(place), free=free)

    def pooled(self, place: Place, day: date) -> int:
        row = self._session.one("pooled", place=name_of(place), day=day)
        return int(row["counted"]) if row else 0


def name_of(place: Place) -> str:
    """A place in one column."""
    return f"{place.platform}:{place.id}"


def joined(entries: tuple[str, ...]) -> str:
    """A list in one column."""
    return "\n".join(entries)


def rules_from(row: Row) -> Rules:
    """A place's row as the engine knows it."""
    channels, roles, models = (tuple(row[name].splitlines()) for name in ("channels", "roles", "models"))
    return Rules(channels, roles, models, row["model"], row["persona"], row["pool"])
