"""`/admin`: who may use it, and which order does what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.commands import BY_NAME, Command
from bot.reply import Reply
from bot.words import say
from engine.audit import Actor
from engine.domain import Person

Order = Callable[[Actor, Mapping[str, str]], Awaitable[Reply]]
"""Does what an operator wants, and writes it into the audit log; OutsideErrors are for the caller."""
PARTS: Mapping[str, Command] = {part.word: part for part in BY_NAME["admin"].parts}
"""How each order is given, by its word."""
HELP = "help"
Press = Callable[[Actor, str], Awaitable[Reply]]
"""The same for a button, with what stands behind its word."""


@dataclass(slots=True)
class Operators:
    """The people of ADMIN_IDS, who may change while it serves, and the orders by the words of `/admin`."""

    people: tuple[Person, ...] = ()
    orders: dict[str, Order] = field(default_factory=dict)
    needed: Callable[[str, str], Awaitable[None]] | None = None
    """Has them told of something by its name, and what is wrong with it."""
    presses: dict[str, Press] = field(default_factory=dict)

    async def run(self, person: Person, part: str, options: Mapping[str, str]) -> Reply:
        """The reply to a part of `/admin`; in words to everybody who is no operator."""
        if person not in self.people:
            return Reply(say("admin-only"))
        if part == HELP:
            return Reply("\n".join(f"- `{each.usage}`: {each.description}" for each in PARTS.values()))
        if part in PARTS and (short := missing(PARTS[part], options)):
            return Reply(short)
        return await self.orders[part](Actor.in_chat(person), options)

    async def press(self, person: Person, action: str) -> Reply:
        """The reply to a button of an operator's, whose action was `admin:WORD:REST`."""
        word, _, rest = action.partition(":")
        if person not in self.people or word not in self.presses:
            return Reply(say("press-unused") if person in self.people else say("admin-only"))
        return await self.presses[word](Actor.in_chat(person), rest)


def missing(command: Command, options: Mapping[str, str]) -> str:
    """What an order needs and did not get as it has to be, and how it is given; empty if all is there."""
    short = [each for each in command.options if each.required and not options.get(each.name, "").strip()]
    if not short:
        return ""
    lines = (f"- `{each.name}`: {each.description}" for each in short)
    told = f"This is how it goes: `{command.usage}`. Missing, or not as it has to be:"
    return "\n".join((told, *lines))
