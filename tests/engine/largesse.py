"""A house that gives: grants, gift codes and credits over a real database, as a process sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.audit import Actor, Entry, Origin
from engine.domain import Person, TierName
from engine.facts import Mode, TierChange
from engine.gifts import Gifts
from engine.giving import Credited, Giving, Granted
from engine.notices import Notice
from engine.ports import Store
from engine.subscriptions import Subscriptions
from tests.engine.club import SELLING, Club

OPERATOR = Actor("console:root", Origin.CONSOLE)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Till:
    """A till that is never asked for anything but its mode."""

    mode: Mode = Mode.TEST


@dataclass(slots=True)
class Largesse:
    """What is given in a club."""

    club: Club
    mode: Mode = Mode.TEST

    def subscriptions(self, store: Store | None = None) -> Subscriptions:
        """What records tier changes, in a process on that store."""
        return Subscriptions(store or self.club.store, self.club.hall.clock, Till(self.mode))  # type: ignore[arg-type]

    def giving(self, store: Store | None = None) -> Giving:
        """What operators give by."""
        where = store or self.club.store
        return Giving(where, self.club.hall.clock, SELLING, self.subscriptions(store))

    def gifts(self, store: Store | None = None) -> Gifts:
        """What codes are made and redeemed by."""
        where = store or self.club.store
        return Gifts(where, self.club.hall.clock, SELLING, self.subscriptions(store))

    async def grant(self, person: Person, tier: TierName, days: float, note: str = "") -> Granted:
        """Give a tier from now on."""
        until = self.club.hall.clock.now() + days * DAY
        found = await self.giving().grant(OPERATOR, person, tier, until, note)
        assert isinstance(found, Granted)
        return found

    async def credit(self, person: Person, amount: int, days: float = 90) -> Credited:
        """Give conversations."""
        until = self.club.hall.clock.now() + days * DAY
        found = await self.giving().credit(OPERATOR, person, amount, until)
        assert isinstance(found, Credited)
        return found

    async def code(self, tier: TierName = TierName.PREMIUM, days: int = 30) -> str:
        """A new code."""
        made = await self.gifts().make(OPERATOR, tier, days)
        assert isinstance(made, list)
        return str(made[0])

    async def pass_days(self, days: float) -> None:
        """Let time pass, and what it changes be noticed."""
        self.club.hall.clock.advance(days * DAY)
        while await self.subscriptions().look():
            pass

    async def notices(self, person: Person) -> Sequence[Notice]:
        """What somebody was told, oldest first."""
        account = await self.club.account(person)
        return await self.club.store.read(lambda tx: tx.notices(account))

    async def told(self, person: Person) -> list[tuple[str, str]]:
        """The kinds of these with their tiers."""
        return [(each.kind.value, each.tier.value) for each in await self.notices(person)]

    async def changes(self, person: Person) -> list[tuple[str, str, str]]:
        """The tier changes of somebody."""
        account = await self.club.account(person)
        found: Sequence[TierChange] = await self.club.store.read(lambda tx: tx.tier_changes(account))
        return [(each.before.value, each.after.value, each.reason.value) for each in found]

    async def audit(self) -> list[Entry]:
        """What was written down, oldest first."""
        return list(reversed(await self.club.store.read(lambda tx: tx.deeds(None, 100))))
