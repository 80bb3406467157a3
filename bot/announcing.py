"""What an operator announces, as a member sees it: the operator's own words, and how to hear no more."""

from __future__ import annotations

from bot.reply import Button, Reply
from bot.words import say
from engine.announcements import Letter


def announcement(letter: Letter) -> Reply:
    """An announcement as it is shown."""
    return Reply(framed(letter.text), (announcements_button(on=False),))


def framed(text: str) -> str:
    """The words as they were written, and below them how to switch announcements off."""
    return f"{text}\n\n{say('announcement-foot')}"


def announcements_button(*, on: bool) -> Button:
    """The button that switches them on or off."""
    label = say("button-announcements-on") if on else say("button-announcements-off")
    return Button(label, action=f"announcements:{'on' if on else 'off'}")
