"""News about a member's subscription as words: what happened, what it means, and what to do next."""

from __future__ import annotations

from bot.render import day, marked, title
from bot.reply import Reply
from bot.words import say
from engine.notices import QUIET, Notice


def notice(owed: Notice) -> Reply:
    """A notice as it is shown."""
    until = owed.until
    words = say(
        f"notice-{owed.kind}",
        tier=f"**{title(owed.tier)}**",
        until=say("dated-until", day=day(until)) if until else "",
        on=say("dated-on", day=day(until)) if until else "",
        since=say("dated-from", day=day(until)) if until else "",
    )
    return Reply(marked(words, simulated=owed.simulated))


def quiet(owed: Notice) -> bool:
    """Whether it is no reason to disturb anybody."""
    return owed.kind in QUIET
