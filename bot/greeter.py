"""Meets people: speaks their language, welcomes each of them once, and lets them choose another language."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.cards import allowance
from bot.render import listed, title
from bot.reply import Button, Reply
from bot.words import AUTOMATIC, CHOICES, name_of, say, speak, spoken
from engine.catalogue import Catalogue
from engine.domain import Person, TierName
from engine.errors import OutsideError
from engine.meeting import Meetings

log = logging.getLogger("bot")


@dataclass(frozen=True, slots=True)
class Meeting:
    """Somebody who wants something, their platform's locale, and whether they may be new to us."""

    person: Person
    locale: str | None
    new: bool


@dataclass(frozen=True, slots=True)
class Greeter:
    """Meets people; without `welcomes` it only speaks their language."""

    meetings: Meetings
    catalogue: Catalogue
    welcomes: bool = True

    async def meet(self, person: Person, locale: str | None = None, place: str | None = None) -> Meeting:
        """Speak the person's language in this task from now on.

        `locale` is theirs as the platform says, None where it says none; `place` is that of the server they
        are in, for those of whom nothing is known. While the database is away these have to do.
        """
        try:
            known = await self.meetings.meet(person, locale)
        except OutsideError as error:
            log.info("nothing is known of the member", extra={"why": str(error)})
            speak(locale or place)
            return Meeting(person, locale, new=False)
        speak(known.locale_among(locale, place))
        return Meeting(person, locale, new=not known.welcomed)

    async def welcome(
        self, meeting: Meeting, show: Callable[[Reply], Awaitable[None]], *, openly: bool = False
    ) -> None:
        """Show the welcome to whoever never saw it, in one line where others see it as well.

        Whoever got an account only now has their platform's locale remembered in any case.
        """
        if not meeting.new:
            return
        try:
            if not self.welcomes:
                await self.meetings.meet(meeting.person, meeting.locale)
            elif await self.meetings.welcome(meeting.person, meeting.locale):
                await show(Reply(self.welcome_line() if openly else self.welcome_text()))
        except OutsideError as error:
            log.info("not welcomed", extra={"why": str(error)})

    def welcome_text(self) -> str:
        """What is free, how to ask, and where to read on."""
        return "\n".join((self._in_free("welcome"), say("welcome-ask"), say("welcome-more")))

    def welcome_line(self) -> str:
        """The same in one line."""
        return self._in_free("welcome-line")

    def _in_free(self, key: str) -> str:
        free = self.catalogue.tier(TierName.FREE)
        models = listed(tuple(spec.name for spec in self.catalogue.allowed(free)))
        return say(
            key, tier=title(free.name), allowance=allowance(free), models=models or say("plan-no-model")
        )

    async def language(self, person: Person, name: str | None) -> Reply:
        """The language that is spoken, or another one from now on; `auto` is the platform's."""
        if name not in CHOICES:
            return Reply(say("language", language=name_of(spoken())), buttons())
        await self.meetings.choose(person, None if name == AUTOMATIC else name)
        known = await self.meetings.meet(person, None)
        speak(known.locale_among(None))
        return Reply(
            say("language-auto" if name == AUTOMATIC else "language-chosen", language=name_of(spoken()))
        )


def buttons() -> tuple[Button, ...]:
    """A button for each other language, and one for that of the platform."""
    others = [
        Button(name_of(each), f"language:{each}") for each in CHOICES if each not in {spoken(), AUTOMATIC}
    ]
    return (*others, Button(say("button-language-auto"), f"language:{AUTOMATIC}"))
