"""Kept questions as words and buttons: that one waits, until when, and the press that has it answered."""

from __future__ import annotations

from bot.render import answer_button, moment
from bot.reply import Button, Reply, Style
from bot.words import say
from engine.chat import Chat
from engine.domain import Person

FORGET = "forget"


async def line(chat: Chat, person: Person) -> tuple[str, tuple[Button, ...]]:
    """What waits of a person, with what can be done about it; nothing and no button if nothing does."""
    kept = await chat.keeping.newest(person)
    if kept is None:
        return "", ()
    forget = Button(say("button-forget"), FORGET, style=Style.DANGER)
    return say("usage-kept", until=moment(kept.until)), (answer_button(kept), forget)


async def forget(chat: Chat, person: Person) -> Reply:
    """Throw away what waits of a person."""
    thrown = await chat.keeping.forget(person)
    return Reply(say("kept-forgotten") if thrown else say("refusal-unkept"))
