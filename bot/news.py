"""News about a member's subscription as words: what happened, what it means, and what to do next."""

from __future__ import annotations

from bot.render import answer_button, day, marked, moment, title
from bot.reply import Reply
from bot.words import say
from engine.notices import QUIET, Notice, NoticeKind

LIFTING = frozenset(
    {
        NoticeKind.ACTIVATED,
        NoticeKind.CHANGED,
        NoticeKind.TEAM_CHANGED,
        NoticeKind.GRANTED,
        NoticeKind.CREDITED,
    }
)
"""News of a tier or of conversations in which a question that was stopped may be answered."""


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
    kept = owed.kept if owed.kind in LIFTING else None
    waits = (say("kept-waits", until=moment(kept.until)),) if kept else ()
    buttons = (answer_button(kept),) if kept else ()
    return Reply("\n\n".join((marked(words, simulated=owed.simulated), *waits)), buttons)


def quiet(owed: Notice) -> bool:
    """Whether it is no reason to disturb anybody."""
    return owed.kind in QUIET
