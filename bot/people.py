"""What people are called where somebody else reads about them."""

from __future__ import annotations

from bot.words import say
from engine.domain import Person, Platform


def named(person: Person, viewer: Person) -> str:
    """Somebody as `viewer` knows them: as a mention where their platform shows a name for it.

    For private replies, in which a mention pings nobody.
    """
    if person == viewer:
        return say("you")
    if (person.platform, person.workspace) != (viewer.platform, viewer.workspace):
        return say("somebody-elsewhere", platform=person.platform.value.capitalize(), id=f"`{person.user}`")
    return f"@{person.user}" if person.platform is Platform.LOCAL else f"<@{person.user}>"
