"""Buttons that only one member sees, though what they bring is for everybody."""

from __future__ import annotations

from dataclasses import replace

from bot.render import KEPT
from bot.reply import Reply

OPENLY = "!"
"""Begins the action of such a button."""
AGAIN = "again:"
ALOUD = (AGAIN, KEPT)
"""How actions begin whose answer belongs where the question stands."""


def openly(reply: Reply) -> Reply:
    """A private reply about what everybody sees: what its buttons bring is for everybody, too."""
    buttons = (
        replace(each, action=f"{OPENLY}{each.action}") if (each.action or "").startswith(ALOUD) else each
        for each in reply.buttons
    )
    return replace(reply, buttons=tuple(buttons))
