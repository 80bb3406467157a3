"""People as operators name them."""

from __future__ import annotations

from bot.commands import OptionKind
from bot.typed import SHAPES
from engine.audit import Actor
from engine.domain import Person

MENTION = SHAPES[OptionKind.MEMBER]


def person_named(text: str, actor: Actor) -> Person:
    """A mention, of whom the actor sees so, or `discord:ID`, `slack:TEAM/ID`, `local:NAME`.

    ValueError, in words, for anything else.
    """
    found = MENTION.fullmatch(text.strip())
    if found is None:
        return Person.parse(text)
    seen_by = Person.parse(actor.name)
    return Person(seen_by.platform, seen_by.workspace, found[1] or found[2])
