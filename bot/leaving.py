"""`/erase`: what goes and what stays is said first, and done when that is confirmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.deals import billing_button
from bot.render import moment
from bot.reply import Button, Reply, Style
from bot.words import say
from engine.audit import Actor
from engine.domain import Person
from engine.erasing import Erasing, NotErased

CONFIRMABLE = timedelta(minutes=10)
"""So long the button does what was said above it."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a member does who wants to be forgotten. OutsideErrors are for the caller to put into words."""

    erasing: Erasing
    stop: Callable[[Person], Awaitable[int]]
    now: datetime

    async def ask(self, person: Person) -> Reply:
        """What would go and what would stay, with the button that does it."""
        plan = await self.erasing.plan(person)
        if isinstance(plan, NotErased):
            return Reply(say("erase-none"))
        if plan.running:
            return running()
        paid = f"\n{say('erase-paid', until=moment(plan.paid_until))}" if plan.paid_until else ""
        action = f"erase:{int(self.now.timestamp())}"
        button = Button(say("button-erase"), action=action, style=Style.DANGER)
        return Reply(f"{say('erase-confirm')}{paid}", buttons=(button,))

    async def confirm(self, person: Person, asked: str) -> Reply:
        """Do it, if it was asked for just now."""
        age = int(self.now.timestamp()) - int(asked) if asked.isdecimal() else -1
        if not 0 <= age <= CONFIRMABLE.total_seconds():
            return Reply(say("erase-late"))
        done = await self.erasing.erase(Actor.in_chat(person), person, self.stop)
        if done is NotErased.RUNNING:
            return running()
        return Reply(say("erase-none") if isinstance(done, NotErased) else say("erase-done"))


def running() -> Reply:
    """A subscription would go on."""
    return Reply(say("erase-running"), buttons=(billing_button(),))
