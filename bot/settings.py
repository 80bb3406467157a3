"""What members decide about the answers they get, and the export of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.announcing import announcements_button
from bot.bundle import NAME, Bundle
from bot.reply import Reply
from bot.words import say
from engine.domain import Person
from engine.keeping import Keeping
from engine.members import Members
from engine.preferences import LONGEST_INSTRUCTIONS


@dataclass(frozen=True, slots=True)
class Settings:
    """A member's lasting wishes. OutsideErrors are for the caller to put into words."""

    members: Members
    keeping: Keeping

    async def private(self, person: Person) -> bool:
        """Whether the person wants answers to commands for their eyes alone."""
        account = await self.members.preferences.account(person)
        return account is not None and account.private

    async def run(self, person: Person, name: str, options: Mapping[str, str]) -> Reply:
        """The reply to `/instructions`, `/private` or `/announcements`."""
        if name == "instructions":
            return await self._instructions(person, options.get("text"))
        if name == "announcements":
            return await self._announcements(person, options.get("switch"))
        return await self._private(person, options.get("switch"))

    async def export(self, person: Person) -> Reply:
        """All conversations of the person as a file, with the questions that wait."""
        waiting = await self.keeping.everything(person)
        bundle = Bundle(self.members.archive, person, self.members.now(), waiting)
        content = await bundle.packed()
        if not (bundle.turns or waiting):
            return Reply(say("export-none"))
        words = say("export-here") if bundle.complete else say("export-partly")
        return Reply(words, file=(NAME, content))

    async def _instructions(self, person: Person, text: str | None) -> Reply:
        if text is None:
            account = await self.members.preferences.account(person)
            said = account.instructions if account else ""
            return Reply(say("instructions-are", text=said) if said else say("instructions-none"))
        wish = "" if text.strip().casefold() == "off" else text
        if refused := await self.members.preferences.instruct(person, wish):
            return Reply(say(f"instructions-{refused}", limit=LONGEST_INSTRUCTIONS))
        return Reply(say("instructions-kept") if wish else say("instructions-off"))

    async def _private(self, person: Person, switch: str | None) -> Reply:
        if switch:
            await self.members.preferences.hide(person, private=switch == "on")
        return Reply(say("private-on") if await self.private(person) else say("private-off"))

    async def _announcements(self, person: Person, switch: str | None) -> Reply:
        if switch:
            await self.members.preferences.hear(person, announcements=switch == "on")
        account = await self.members.preferences.account(person)
        on = account is None or account.announcements
        if on:
            return Reply(say("announcements-on"), (announcements_button(on=False),))
        return Reply(say("announcements-off"), (announcements_button(on=True),))
