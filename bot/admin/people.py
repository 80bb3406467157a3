"""People as operators name them."""

from __future__ import annotations

import re

from engine.audit import Actor
from engine.domain import Person

MENTION = re.compile(r"<@!?(?P<id>\w{1,32})(?:\|[^>]*)?>|@(?P<name>[\w.-]{1,64})")


def person_named(text: str, actor: Actor) -> Person:
    """A mention, of whom the actor sees so, or `discord:ID`, `slack:TEAM/ID`, `local:NAME`.

    ValueError, in words, for anything else.
    """
    found = MENTION.fullmatch(text.strip())
    if found is None:
        return Person.parse(text)
    seen_by = Person.parse(actor.name)
    return Person(seen_by.platform, seen_by.workspace, found["id"] or found["name"])
