"""A club: teams with three seats over a real database, and whatever subscriptions a test gives people."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.catalogue import Catalogue
from engine.chat import Chat
from engine.domain import AccountId, ChatEvent, Micros, Person, Platform, TierName
from engine.facts import Access, Mode, Subscription, SubscriptionId
from engine.members import Members, Overview
from engine.ports import Store
from engine.teams import Invited, Obstacle, Roster, Teams, access_of
from tests.engine.conftest import ALICE, CATALOGUE, PREMIUM, Hall, last
from tests.engine.test_catalogue import PREMIUM_SUB

SLACKER = Person(Platform.SLACK, "T1", "U2345")
TEAM = replace(PREMIUM, name=TierName.TEAM, rank=2, seats=3, extra_seat_month=Micros(5_000_000))
PRO = replace(PREMIUM, name=TierName.PRO, rank=3)
SELLING = replace(CATALOGUE, tiers={**CATALOGUE.tiers, TierName.TEAM: TEAM, TierName.PRO: PRO})
TEAM_SUB = replace(PREMIUM_SUB, tier=TierName.TEAM, quantity=3)


def somebody(name: str) -> Person:
    """A person of the playground."""
    return Person(Platform.LOCAL, "", name)


@dataclass(slots=True)
class Club:
    """People and their teams."""

    hall: Hall
    catalogue: Catalogue = SELLING

    @property
    def store(self) -> Store:
        """The database."""
        return self.hall.store

    def teams(self, store: Store | None = None) -> Teams:
        """Teams as a process sees them."""
        return Teams(store or self.store, self.hall.clock, self.catalogue, Mode.TEST)

    def chat(self) -> Chat:
        """A chat that sells these tiers."""
        self.hall.catalogue = self.catalogue
        return self.hall.chat()

    async def account(self, person: Person) -> AccountId:
        """The person's account."""
        now = self.hall.clock.now()
        return await self.store.transact(lambda tx: tx.lock_account(person, now).id)

    async def has(self, person: Person, *subs: Subscription) -> None:
        """Let these be the person's subscriptions."""
        account, now = await self.account(person), self.hall.clock.now()
        named = [
            replace(sub, id=SubscriptionId(f"sub_{person.user}_{number}")) for number, sub in enumerate(subs)
        ]
        await self.store.transact(lambda tx: tx.replace_subscriptions(account, Mode.TEST, named, now))

    async def code(self, owner: Person = ALICE) -> str:
        """A new code of the owner's."""
        found = await self.teams().invite(owner)
        assert isinstance(found, Invited)
        return found.code

    async def joins(self, person: Person, owner: Person = ALICE) -> Roster | Obstacle:
        """Let somebody join with a new code."""
        return await self.teams().join(person, await self.code(owner))

    async def access(self, person: Person) -> Access:
        """What the person may use now."""
        account, now = await self.account(person), self.hall.clock.now()
        return await self.store.read(lambda tx: access_of(tx, self.catalogue, account, Mode.TEST, now))

    async def overview(self, person: Person) -> Overview:
        """What the person is told of themselves."""
        return await Members(self.store, self.hall.clock, self.catalogue, Mode.TEST).overview(person)

    async def asks(self, person: Person, model: str = "deep") -> ChatEvent:
        """How a question of the person's ended."""
        return await last(self.chat(), self.hall.ask(person=person, model=model))

    async def seats(self, owner: Person = ALICE) -> list[tuple[str, bool]]:
        """The team's people by name, and whether they wait."""
        found = await self.teams().shown(owner)
        assert isinstance(found, Roster)
        return [(each.person.user, each.waiting) for each in found.people]
